#include "bioptic/study/inverted_scores.h"

#include <fmt/format.h>

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
  if (trials.size() != 1) return level.summary.high;
  const double value = trials[0].value;
  if (std::isnan(value)) return value;
  const std::optional<Estimate> own = jackknife_estimate(
      {value, without_each_group(table, arm.trials[0], Metric::auroc, trials[0])});
  return own ? interval_of(*own).high : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

std::string why_inverted(const PredictionTable& table) {
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
        "if they speak for '{0}', say --positive {1}; else give their opposite (1 - score)",
        table.classes[1 - table.positive], shell_word(table.classes[1 - table.positive]));
  }
  return fmt::format(
      "scores look inverted: the AUROC of every arm lies below 0.5 with its 95 % interval ({}); {}",
      fmt::join(areas, ", "), remedy);
}

}  // namespace bioptic
