#include "bioptic/study/compared_metrics.h"

#include <fmt/format.h>

#include <algorithm>

#include "bioptic/study/positive_class.h"

namespace bioptic {

std::string why_left_out(const PredictionTable& table, Metric metric) {
  const bool of_a_class = metric == Metric::sensitivity || metric == Metric::specificity;
  if (of_a_class && !table.positive_known) {
    return fmt::format("{} needs a positive class; add --positive {} or --positive {}",
                       words_of(metric), shell_word(table.classes[0]),
                       shell_word(table.classes[1]));
  }
  if (has_threshold(metric)) return "";
  for (const PredictedArm& arm : table.arms) {
    if (!arm.hard) continue;
    return fmt::format("{} needs probabilities, and all scores of arm '{}' are 0 or 1: labels",
                       words_of(metric), arm.name);
  }
  return "";
}

std::vector<Metric> compared_metrics(const PredictionTable& table) {
  std::vector<Metric> out = metrics_of(table);
  std::erase_if(out, [&](Metric m) { return !why_left_out(table, m).empty(); });
  return out;
}

}  // namespace bioptic
