// Where the chance comes from: tables and a figure of variance components.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "bioptic/report/gnuplot.h"
#include "bioptic/study/summary.h"

namespace bioptic {

// summary.json's "variance"; null where seeds are not crossed.  docs/gap.md explains the keys.
nlohmann::json variance_json(const StudySummary& summary);
// Lines for the terminal, and the report's section; "" where seeds are not crossed.
std::string variance_text(const StudySummary& summary);
std::string variance_html(const StudySummary& summary);
std::vector<Figure> variance_figures(const StudySummary& summary);

}  // namespace bioptic
