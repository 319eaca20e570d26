#include "bioptic/study/model_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <set>
#include <string_view>

#include "bioptic/stats/multiclass.h"
#include "bioptic/train/scored_split.h"

namespace bioptic {
namespace {

std::string jackknife_name(std::span<const int> groups, std::size_t blocks) {
  const bool shared = has_shared_groups(groups);
  const std::size_t units = std::set<int>(groups.begin(), groups.end()).size();
  if (units > blocks) {
    return fmt::format("jackknife over {} blocks of {}", blocks, shared ? "groups" : "images");
  }
  return shared ? "jackknife over groups" : "jackknife over images";
}

void add_jackknife(ModelMetrics& m, const std::string& method) {
  for (const auto& [name, metric] : m.jackknifed) {
    const std::optional<Estimate> estimate = jackknife_estimate(metric);
    if (!estimate) continue;
    const Interval i = cut_to_range(name, interval_of(*estimate));
    m.intervals[name] = {i.low, i.high, method};
  }
}

// Wilson's interval takes the jackknife's place; `units`: images and groups that the proportion is
// of.
struct Units {
  std::size_t images = 0, groups = 0;
};
void set_wilson(ModelMetrics& m, const std::string& name, const std::optional<Proportion>& p,
                const Units& units) {
  if (!p) return;
  m.intervals[name] = {p->low, p->high, "Wilson"};
  const std::optional<Estimate> e = jackknife_estimate(m.jackknifed.at(name));
  if (units.groups == units.images || !e) return;
  const double inside = p->value * (1 - p->value), variance = e->se * e->se;
  const auto images = static_cast<double>(units.images);
  const double worth = inside > 0 && variance > 0 ? std::min(inside / variance, images)
                                                  : static_cast<double>(units.groups);
  const Proportion by_group = wilson_interval_of(p->value, worth);
  m.group_intervals[name] = {by_group.low, by_group.high, "Wilson at the effective size"};
}

// Of the images with the label `wanted`; of all where that is negative.
Units count_units(std::span<const int> labels, std::span<const int> groups, int wanted) {
  Units units;
  std::set<int> seen;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (wanted >= 0 && labels[i] != wanted) continue;
    ++units.images;
    seen.insert(groups[i]);
  }
  units.groups = seen.size();
  return units;
}

void two_classes(ModelMetrics& m, const ReadSplit& read, std::span<const int> groups,
                 double threshold, std::span<const std::size_t> block_of,
                 const std::string& method) {
  const ScoredSplit split = read.view(groups);
  const BinaryMetrics b = binary_metrics(split, threshold);
  m.jackknifed = jackknifed_metrics(split, block_of, threshold);
  for (const auto& [name, metric] : m.jackknifed) {
    if (metric.value) m.values[name] = *metric.value;
  }
  m.not_finite = read.not_finite;
  add_jackknife(m, method);
  const bool shared = has_shared_groups(groups);
  set_wilson(m, "accuracy", b.accuracy, count_units(read.labels, groups, -1));
  set_wilson(m, "sensitivity", b.sensitivity, count_units(read.labels, groups, 1));
  set_wilson(m, "specificity", b.specificity, count_units(read.labels, groups, 0));
  if (b.auroc_between) {
    m.intervals["auroc"] = {b.auroc_between->low, b.auroc_between->high,
                            b.auroc_by_jackknife ? "jackknife over groups" : "DeLong"};
  }
  if (b.calibration && !shared) {
    const CalibrationLine& line = *b.calibration;
    m.intervals["calibration_slope"] = {line.slope_low, line.slope_high, "Wald"};
    m.intervals["calibration_intercept"] = {line.in_the_large_low, line.in_the_large_high, "Wald"};
  }
}

void more_classes(ModelMetrics& m, const Reading& reading, std::span<const int> labels,
                  std::span<const float> logits, std::span<const int> groups,
                  std::span<const std::size_t> block_of, const std::string& method,
                  std::span<const std::string> class_names) {
  const auto classes = static_cast<std::size_t>(reading.classes);
  const std::vector<double> odds = class_log_odds(reading, logits);
  const MulticlassMetrics all = multiclass_metrics(odds, labels, classes);
  m.not_finite = all.not_finite;
  m.jackknifed = jackknifed_multiclass(odds, labels, classes, block_of);
  for (const auto& [name, metric] : m.jackknifed) {
    if (metric.value) m.values[name] = *metric.value;
  }
  for (std::size_t k = 0; k < classes; ++k) {
    if (all.auroc[k]) m.values["auroc_" + class_names[k]] = *all.auroc[k];
  }
  add_jackknife(m, method);
  set_wilson(m, "accuracy", all.accuracy, count_units(labels, groups, -1));
}

}  // namespace

ModelMetrics model_metrics(const Reading& reading, std::span<const std::int64_t> labels,
                           std::span<const float> logits, std::span<const int> groups,
                           double threshold, std::span<const std::string> class_names) {
  ModelMetrics m;
  const auto classes = static_cast<std::size_t>(reading.classes);
  m.confusion.assign(classes * classes, 0);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const int predicted = predicted_label(reading.loss.kind, reading.classes, reading.positive,
                                          threshold, &logits[i * reading.outputs()]);
    ++m.confusion[static_cast<std::size_t>(labels[i]) * classes +
                  confusion_column(predicted, labels[i], reading.classes)];
  }
  const std::vector<std::size_t> block_of = jackknife_blocks(groups, labels.size());
  const std::string method = jackknife_name(groups, kMostBlocks);
  if (classes == 2) {
    two_classes(m, read_split(reading, labels, logits), groups, threshold, block_of, method);
  } else {
    const std::vector<int> small(labels.begin(), labels.end());
    more_classes(m, reading, small, logits, groups, block_of, method, class_names);
  }
  return m;
}

Interval range_of(const std::string& metric) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (metric.starts_with("calibration")) return {-kInfinity, kInfinity};
  Interval range{0, 1};  // rates, areas, the Brier score, the calibration error
  if (metric == "mcc") range.low = -1;
  if (metric == "net_benefit") range.low = -kInfinity;
  if (metric.ends_with("loss")) range.high = kInfinity;
  return range;
}

Interval cut_to_range(const std::string& metric, Interval i) {
  const Interval range = range_of(metric);
  return {std::clamp(i.low, range.low, range.high), std::clamp(i.high, range.low, range.high)};
}

std::vector<int> number_groups(std::span<const std::string_view> names) {
  std::vector<std::uint32_t> order(names.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return names[a] < names[b]; });
  std::vector<int> groups(names.size());
  int number = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    if (k > 0 && names[order[k]] != names[order[k - 1]]) ++number;
    groups[order[k]] = number;
  }
  return groups;
}

}  // namespace bioptic
