// The figures of a study.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bioptic/report/gnuplot.h"
#include "bioptic/study/summary.h"

namespace bioptic {

// Lines of single seeds that a figure draws of an arm: of more, no line is seen for the others, and
// they would be most of a report.  Means and bands are always over all of them.
inline constexpr std::size_t kMostSingleSeeds = 50;
// "single seeds", or "the first 50 seeds" where some arm has more.
std::string single_seeds_words(std::size_t seeds);

// Curves by epoch: one figure per arm, all arms together (training, validation), learning rate.
std::vector<Figure> curve_figures(const StudySummary& summary);
// Why an arm is called steadier: single curves, their steps, the index of every seed; one figure
// per curve and index that claims speak of.
std::vector<Figure> steadiness_figures(const StudySummary& summary);
// Test accuracy per arm with every seed, confusion matrices.
std::vector<Figure> test_figures(const StudySummary& summary);
// Test scores over all thresholds: ROC, precision-recall, calibration, decision curve.
std::vector<Figure> score_figures(const StudySummary& summary);
// More than two classes: the ROC of each class against the rest, a panel each; nullopt for two.
std::optional<Figure> class_roc_figure(const StudySummary& summary);
// Example images with the mean image; the most confidently wrong test images.  Pixels go as files
// into `scratch`.
std::vector<Figure> image_figures(const StudySummary& summary, const Dataset& dataset,
                                  const std::filesystem::path& scratch);

// One training image as it is stored and as every arm that augments shows it in its first epochs;
// none where no arm does.
std::optional<Figure> augmented_figure(const StudySummary& summary, const Dataset& dataset,
                                       const std::filesystem::path& scratch);

// For `bioptic schedule`: the learning rate (and momentum, where it is cycled) of every arm.
struct ScheduleCurve {
  std::string arm;
  std::vector<double> epoch, lr;
  std::vector<double> momentum;  // may be empty
};
// Writes STEM.svg, STEM.png and STEM.pdf.  Throws Failure when gnuplot cannot draw them.
void write_schedule_figure(const std::vector<ScheduleCurve>& curves,
                           const std::filesystem::path& stem);

}  // namespace bioptic
