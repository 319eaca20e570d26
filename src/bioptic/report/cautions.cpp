#include "bioptic/report/cautions.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace bioptic {

std::string thresholds_said(const StudySummary& summary) {
  const bool same = std::all_of(
      summary.arms.begin(), summary.arms.end(),
      [&](const ArmSummary& arm) { return arm.threshold == summary.arms.front().threshold; });
  if (same) return "predictions use the threshold " + summary.arms.front().threshold;
  std::string text;
  for (const ArmSummary& arm : summary.arms) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", arm.name, arm.threshold);
  }
  return "predictions use each arm's own threshold (" + text + ")";
}

std::string several_metrics_caution(std::span<const Comparison> comparisons) {
  std::set<std::string> metrics;
  for (const Comparison& c : comparisons) {
    if (c.headline().verdict != Verdict::not_allowed) metrics.insert(c.metric);
  }
  if (metrics.size() < 2) return "";
  return fmt::format(
      "The {} metrics are not corrected among themselves: with seven, two arms that do not differ "
      "in anything are called different by some metric in about 14 % of studies. The questions "
      "that a study asks first are its claims, or the one metric that was named beforehand.",
      metrics.size());
}

std::string more_seeds_caution(std::span<const Comparison> comparisons,
                               std::span<const ClaimResult> claims) {
  const auto proposes = [](const auto& of) {
    if (of.headline().verdict != Verdict::undecided) return false;
    return of.seeds_needed ? *of.seeds_needed > static_cast<int>(of.seeds)
                           : of.headline_is_e2() && of.seeds_needed_low.has_value();
  };
  if (std::none_of(comparisons.begin(), comparisons.end(), proposes) &&
      std::none_of(claims.begin(), claims.end(), proposes)) {
    return "";
  }
  return "Before more seeds are trained, decide their number beforehand: looking after every five "
         "seeds, up to thirty, and stopping at the first p of at most 0.05 errs in 16 % of studies "
         "instead of 5 %.";
}

std::string chosen_caution(std::span<const Comparison> comparisons) {
  std::string text;
  std::set<std::string> said;
  for (const Comparison& c : comparisons) {
    // The first metric is the accuracy, on which everything bears that can be chosen.
    if (c.chosen.empty() || c.metric != comparisons.front().metric) continue;
    if (!said.insert(c.chosen).second) continue;
    text += (text.empty() ? "On the split " + c.split + ": " : "; ") + c.chosen;
  }
  return text.empty() ? "" : text + ".";
}

std::string majority_said(const StudySummary& summary) {
  std::vector<std::size_t> counts(summary.dataset.classes.size());
  std::size_t images = 0;
  for (const StudyImage image : summary.images) {
    if (image.split != "test") continue;
    ++images;
    ++counts.at(static_cast<std::size_t>(image.label));
  }
  if (images == 0) return "";
  const auto most = std::max_element(counts.begin(), counts.end());
  return fmt::format(
      "Accuracy has a floor of its own: always predicting {}, the most frequent class on test, is "
      "right on {:.1f} % of its images.",
      summary.dataset.classes[static_cast<std::size_t>(most - counts.begin())],
      100 * static_cast<double>(*most) / static_cast<double>(images));
}

}  // namespace bioptic
