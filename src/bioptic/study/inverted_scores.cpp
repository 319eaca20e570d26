#include "bioptic/study/inverted_scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "bioptic/stats/jackknifed_metrics.h"
#include "bioptic/study/arm_levels.h"
#include "bioptic/study/positive_class.h"

namespace bioptic {
namespace {

constexpr double kChance = 0.5;

// Upper end of the interval of an arm's AUROC; NaN where there is none.
double upper_end(const PredictionTable& table, const PredictedArm& arm, const ArmLevel& level,
                 const std::vector<TrialMetric>& trials) {
  if (!std::isnan(level.summary.patients_high)) return level.summary.patients_high;
  if (trials.size() != 1) return level.summary.high;  // NaN without any
  const double value = trials[0].value;
  if (std::isnan(value)) return value;
  const std::optional<Estimate> own = jackknife_estimate(
      {value, without_each_group(table, arm.trials[0], Metric::auroc, trials[0])});
  return own ? interval_of(*own).high : std::numeric_limits<double>::quiet_NaN();
}

// Without the trainings that have a score that is not finite: that ranks on the wrong side of all
// others, which says nothing about the direction of scores.
PredictionTable without_not_finite(PredictionTable table) {
  for (PredictedArm& arm : table.arms) {
    std::erase_if(arm.trials, [](const PredictedTrial& trial) { return trial.not_finite > 0; });
  }
  return table;
}

std::string why_all_inverted(const PredictionTable& table) {
  const MetricValues values = metric_values(table, Metric::auroc);
  const std::vector<ArmLevel> levels = arm_levels(table, values);
  std::vector<std::string> areas;
  for (std::size_t a = 0; a < table.arms.size(); ++a) {
    const double high = upper_end(table, table.arms[a], levels[a], values.arms[a]);
    if (std::isnan(high) || high >= kChance) return "";
    areas.push_back(fmt::format("{} {:.2f}", table.arms[a].name, levels[a].summary.mean));
  }
  if (areas.empty()) return "";
  std::string remedy = "check which class each column of scores is of";
  if (table.classes.size() == 2 && !table.named_columns) {
    remedy = fmt::format(
        "if they speak for '{0}', say --positive {1}; else give their opposite (1 - score, of "
        "logits "
        "-score)",
        table.classes[1 - table.positive], shell_word(table.classes[1 - table.positive]));
  }
  return fmt::format(
      "scores look inverted: the AUROC of every arm lies below 0.5 with its 95 % interval ({}); {}",
      fmt::join(areas, ", "), remedy);
}

}  // namespace

std::string why_inverted(const PredictionTable& table) {
  const bool silent = std::any_of(table.arms.begin(), table.arms.end(), [](const PredictedArm& a) {
    return std::any_of(a.trials.begin(), a.trials.end(),
                       [](const PredictedTrial& trial) { return trial.not_finite > 0; });
  });
  return why_all_inverted(silent ? without_not_finite(table) : table);
}

}  // namespace bioptic
