// The level of an arm in a metric: its mean over seeds, with both intervals.  Studies and
// predictions from elsewhere take it from here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bioptic/stats/estimate.h"
#include "bioptic/study/metric_values.h"
#include "bioptic/study/prediction_table.h"
#include "bioptic/study/summary.h"

namespace bioptic {

// The mean over seeds with its t interval, cut to `bounds`; of_seed: the defined values.  Without
// any, all is NaN and `seeds` 0.
MetricSummary level_over_seeds(std::span<const double> of_seed, Interval bounds);

// Adds the interval over seeds and patients, cut to `bounds`; nothing where there is no estimate.
void add_patients(MetricSummary& level, const std::optional<Estimate>& estimate, Interval bounds);

// The crossed t of a mean over images, from its value for every seed and image (seeds x images,
// row-major).  Nothing for fewer than two seeds or groups.  group_of: 0 .. groups - 1, without
// gaps.
std::optional<Estimate> crossed_mean(std::span<const double> values, std::size_t seeds,
                                     std::span<const std::size_t> group_of);

struct ArmLevel {
  MetricSummary summary;
  std::map<std::int64_t, double> values;  // by seed; NaN where undefined
};

// One level per arm of the table, from metric_values().  Over seeds and patients: the crossed t for
// the accuracy, seeds_and_patients() (stats/jackknifed_metrics.h) by the jackknife over groups for
// the others; NaN for one seed, where the seeds predicted different images, for fewer than two
// groups, and where the metric is undefined in a seed or without some group.  Where the seeds
// predicted different images the interval over seeds is NaN, too.
std::vector<ArmLevel> arm_levels(const PredictionTable& table, const MetricValues& values);

// Of one trained model: the metric with each group left out (PredictionTable::groups).  NaN where
// it is undefined without it.  For AUROC those of TrialMetric, for the others the mean over the
// images that are left, of each class by itself for the balanced accuracy.
std::vector<double> without_each_group(const PredictionTable& table, const PredictedTrial& trial,
                                       Metric metric, const TrialMetric& value);

}  // namespace bioptic
