// The gap section: hold-out, shift, control arm and leakage.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "bioptic/report/gnuplot.h"
#include "bioptic/study/summary.h"

namespace bioptic {

// summary.json's "gap"; docs/gap.md explains the keys.
nlohmann::json gap_json(const GapSummary& gap);
// Lines for the terminal, and the report's section; "" where the study has no hold-out.
std::string gap_text(const StudySummary& summary);
std::string gap_html(const StudySummary& summary);
// The parts as stacked bars with intervals, score distributions; none without a hold-out.
std::vector<Figure> gap_figures(const StudySummary& summary);
// Intensity histograms and mean images of train, validation, hold-out and test.
std::vector<Figure> gap_image_figures(const StudySummary& summary, const Dataset& dataset,
                                      const std::filesystem::path& scratch);
// The control arms as if they were the study's arms, for tables of their own: their splits are
// others than the arms'.  Holds what trials_csv() and write_predictions_csv() read, and no more.
StudySummary controls_alone(const StudySummary& summary);

}  // namespace bioptic
