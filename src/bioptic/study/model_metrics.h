// All metrics of one trained model on one split, with intervals over patients.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bioptic/stats/jackknifed_metrics.h"
#include "bioptic/train/evaluation.h"

namespace bioptic {

// 95 %, for this one trained model: over new patients, never over new trainings.
struct PatientInterval {
  double low = 0, high = 0;
  std::string method;  // "Wilson", "DeLong", "Wald", "jackknife over groups", ...
};

struct ModelMetrics {
  // By name; two classes: those of JackknifedMetrics; more: accuracy, balanced_accuracy, auroc (one
  // class against the rest, averaged), auroc_<class>.  What is undefined is absent.
  std::map<std::string, double> values;
  // Wilson for accuracy, sensitivity and specificity; AUROC by DeLong and calibration by Wald where
  // no group has two images; else the jackknife.
  std::map<std::string, PatientInterval> intervals;
  // Accuracy, sensitivity and specificity where groups are shared: Wilson takes images for
  // independent and is too narrow then.  Wilson's interval for the number of images that these are
  // worth, value (1 - value) / jackknife variance, at most their own; the number of groups where
  // the value is 0 or 1.
  std::map<std::string, PatientInterval> group_intervals;
  std::vector<std::size_t> confusion;  // classes x classes, row = label, column = predicted
  std::size_t not_finite = 0;          // images that count as wrong
  JackknifedMetrics jackknifed;
};

// labels: of the dataset; logits: images x outputs; groups: one number per image, equal numbers are
// one group; class_names by label.  Predicted labels are those of predicted_label().
ModelMetrics model_metrics(const Reading& reading, std::span<const std::int64_t> labels,
                           std::span<const float> logits, std::span<const int> groups,
                           double threshold, std::span<const std::string> class_names);

// What a metric of that name can be, from the least to the most.
Interval range_of(const std::string& metric);

// The interval cut to what the metric can be: a t interval near an end may reach beyond it.
Interval cut_to_range(const std::string& metric, Interval interval);

// Numbers for names of groups, by their order as text: permuting the images changes no number.
std::vector<int> number_groups(std::span<const std::string_view> names);

}  // namespace bioptic
