#include "bioptic/study/arm_levels.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "bioptic/stats/crossed.h"
#include "bioptic/stats/intervals.h"
#include "bioptic/stats/jackknifed_metrics.h"

namespace bioptic {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Groups of the trial's images, numbered in the order of the images.
struct TrialGroups {
  std::vector<std::size_t> of_image;
  std::size_t count = 0;
};
TrialGroups groups_of(const PredictionTable& table, const PredictedTrial& trial) {
  std::vector<std::size_t> number(table.groups, table.groups);
  TrialGroups out;
  for (const std::size_t i : trial.images) {
    std::size_t& k = number[table.images[i].group];
    if (k == table.groups) k = out.count++;
    out.of_image.push_back(k);
  }
  return out;
}

bool same_images(const PredictedArm& arm) {
  return std::all_of(arm.trials.begin(), arm.trials.end(), [&](const PredictedTrial& trial) {
    return trial.images == arm.trials.front().images;
  });
}

std::optional<Estimate> over_patients(const PredictionTable& table, const PredictedArm& arm,
                                      Metric metric, const std::vector<TrialMetric>& trials) {
  if (arm.trials.empty() || !same_images(arm)) return std::nullopt;
  if (metric == Metric::accuracy) {
    std::vector<double> right;
    for (const TrialMetric& t : trials) {
      right.insert(right.end(), t.of_image.begin(), t.of_image.end());
    }
    return crossed_mean(right, trials.size(), groups_of(table, arm.trials.front()).of_image);
  }
  std::vector<JackknifedMetric> models;
  for (std::size_t k = 0; k < trials.size(); ++k) {
    models.push_back({std::isnan(trials[k].value) ? std::nullopt : std::optional(trials[k].value),
                      without_each_group(table, arm.trials[k], metric, trials[k])});
  }
  std::vector<const JackknifedMetric*> of_seed;
  for (const JackknifedMetric& m : models) of_seed.push_back(&m);
  return seeds_and_patients(of_seed);
}

// What a mean of the metric cannot go beyond.
Interval bounds_of_mean(Metric metric, std::size_t classes) {
  if (metric == Metric::log_loss) return {0, std::numeric_limits<double>::infinity()};
  return bounds_of(metric, std::vector<double>{1}, classes);
}

}  // namespace

MetricSummary level_over_seeds(std::span<const double> of_seed, Interval bounds) {
  const MeanInterval m = t_interval(of_seed);
  const Interval i = cut({m.low, m.high}, bounds);
  return {m.mean, m.sd, i.low, i.high, m.n};
}

void add_patients(MetricSummary& level, const std::optional<Estimate>& estimate, Interval bounds) {
  if (!estimate) return;
  const Interval i = cut(interval_of(*estimate), bounds);
  level.patients_low = i.low;
  level.patients_high = i.high;
}

std::optional<Estimate> crossed_mean(std::span<const double> values, std::size_t seeds,
                                     std::span<const std::size_t> group_of) {
  const std::size_t groups =
      group_of.empty() ? 0 : *std::max_element(group_of.begin(), group_of.end()) + 1;
  if (seeds < 2 || groups < 2) return std::nullopt;
  return crossed_t(group_values(values, seeds, group_of, groups)).estimate;
}

std::vector<double> without_each_group(const PredictionTable& table, const PredictedTrial& trial,
                                       Metric metric, const TrialMetric& value) {
  if (metric == Metric::auroc) return value.without;
  const TrialGroups groups = groups_of(table, trial);
  const std::size_t classes = table.classes.size();
  // Which images the metric is of: all as one class, or each class by itself.
  const auto class_of = [&](std::size_t i) -> std::size_t {
    return metric == Metric::accuracy || metric == Metric::brier || metric == Metric::log_loss
               ? 0
               : table.images[trial.images[i]].label;
  };
  std::vector<double> sum(classes, 0), count(classes, 0);
  std::vector<double> own(groups.count * classes, 0), size(groups.count * classes, 0);
  for (std::size_t i = 0; i < trial.images.size(); ++i) {
    const std::size_t c = class_of(i), at = groups.of_image[i] * classes + c;
    sum[c] += value.of_image[i];
    count[c] += 1;
    own[at] += value.of_image[i];
    size[at] += 1;
  }
  std::vector<double> out;
  for (std::size_t g = 0; g < groups.count; ++g) {
    const auto left = [&](std::size_t c) {
      const double n = count[c] - size[g * classes + c];
      return n > 0 ? (sum[c] - own[g * classes + c]) / n : kNan;
    };
    switch (metric) {
      case Metric::balanced_accuracy: {
        double mean = 0;
        for (std::size_t c = 0; c < classes; ++c) mean += left(c) / static_cast<double>(classes);
        out.push_back(mean);
        break;
      }
      case Metric::sensitivity:
        out.push_back(left(table.positive));
        break;
      case Metric::specificity:
        out.push_back(left(1 - table.positive));
        break;
      default:
        out.push_back(left(0));
    }
  }
  return out;
}

std::vector<ArmLevel> arm_levels(const PredictionTable& table, const MetricValues& values) {
  const Interval bounds = bounds_of_mean(values.metric, table.classes.size());
  std::vector<ArmLevel> out;
  for (std::size_t a = 0; a < table.arms.size(); ++a) {
    const PredictedArm& arm = table.arms[a];
    ArmLevel& level = out.emplace_back();
    std::vector<double> defined;
    for (std::size_t k = 0; k < arm.trials.size(); ++k) {
      const double value = values.arms[a][k].value;
      level.values[arm.trials[k].seed] = value;
      if (!std::isnan(value)) defined.push_back(value);
    }
    level.summary = level_over_seeds(defined, bounds);
    // Folds and splits share most of their training images, so the t over them is too narrow.
    if (!same_images(arm)) level.summary.low = level.summary.high = kNan;
    add_patients(level.summary, over_patients(table, arm, values.metric, values.arms[a]), bounds);
  }
  return out;
}

}  // namespace bioptic
