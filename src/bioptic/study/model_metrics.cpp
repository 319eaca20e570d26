#include "bioptic/study/model_metrics.h"

#include <fmt/format.h>

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
    const Interval i = interval_of(*estimate);
    m.intervals[name] = {i.low, i.high, method};
  }
}

// Wilson's interval takes the jackknife's place; that stands beside it where groups are shared.
void set_wilson(ModelMetrics& m, const std::string& name, const std::optional<Proportion>& p,
                bool shared) {
  if (!p) return;
  if (const auto it = m.intervals.find(name); shared && it != m.intervals.end()) {
    m.group_intervals[name] = it->second;
  }
  m.intervals[name] = {p->low, p->high, "Wilson"};
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
  set_wilson(m, "accuracy", b.accuracy, shared);
  set_wilson(m, "sensitivity", b.sensitivity, shared);
  set_wilson(m, "specificity", b.specificity, shared);
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
  set_wilson(m, "accuracy", all.accuracy, has_shared_groups(groups));
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
                  static_cast<std::size_t>(predicted)];
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

std::vector<int> number_groups(std::span<const std::string> names) {
  std::map<std::string_view, int> number;
  for (const std::string& name : names) number[name] = 0;
  int next = 0;
  for (auto& [name, n] : number) n = next++;
  std::vector<int> groups;
  groups.reserve(names.size());
  for (const std::string& name : names) groups.push_back(number[name]);
  return groups;
}

}  // namespace bioptic
