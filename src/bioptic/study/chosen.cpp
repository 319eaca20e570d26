#include "bioptic/study/chosen.h"

#include <fmt/format.h>

namespace bioptic {

Chosen chosen_by_validation(const TrainSpec& spec) {
  Chosen out;
  if (spec.select) out.in_training.emplace_back("the epoch");
  if (spec.early_stopping) out.in_training.emplace_back("the end (early stopping)");
  if (spec.schedule.kind == ScheduleKind::plateau) {
    out.in_training.emplace_back("the learning rate (plateau)");
  }
  out.threshold = spec.threshold.kind != ThresholdKind::fixed;
  return out;
}

std::string why_chosen(const std::vector<std::pair<std::string, Chosen>>& arms,
                       bool with_threshold) {
  std::string text;
  std::size_t some = 0;
  for (const auto& [name, chosen] : arms) {
    std::vector<std::string> what = chosen.in_training;
    if (with_threshold && chosen.threshold) what.emplace_back("the threshold");
    if (what.empty()) continue;
    ++some;
    std::string list = what.front();
    for (std::size_t k = 1; k < what.size(); ++k) {
      list += (k + 1 == what.size() ? " and " : ", ") + what[k];
    }
    text += fmt::format("{}{} of '{}'", text.empty() ? "" : ", and ", list, name);
  }
  if (text.empty()) return "";
  return fmt::format(
      "validation chose {}, so results on it are too good for {} and say nothing of other "
      "cases; the test split chose nothing",
      text, some == 1 ? "that arm" : "these arms");
}

}  // namespace bioptic
