// Pairs of arms by every metric.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bioptic/study/arm_pairs.h"
#include "bioptic/study/comparison.h"
#include "bioptic/study/metric_values.h"
#include "bioptic/study/prediction_table.h"

namespace bioptic {

struct CompareOptions {
  double margin = 0.01;          // differences within it count as none; >= 0, 0 = no margin
  double detect = 0.02;          // true difference that `seeds_needed` is for; > 0
  std::string not_allowed = "";  // why no verdict may be given, whatever the numbers; "" = it may
  Inference inference = Inference::patients;
  std::optional<std::vector<ArmPair>> pairs = {};  // unset: all
};

// Pairs as the options give them, else all (a before b); metrics in the order of metrics_of(); the
// pairs of one metric are one family for Holm's correction, for E1 and for E2.  Margin and `detect`
// are not used for metrics in other units (Brier score, log loss).
std::vector<Comparison> compare_arms(const PredictionTable& table, const CompareOptions& options);
std::vector<Comparison> compare_arms(const PredictionTable& table, const CompareOptions& options,
                                     std::span<const Metric> metrics);

// Evidence judged (judge() of stats/verdict.h over a family), turned back into the metric's sign.
std::vector<JudgedEvidence> judged(std::span<const Evidence> evidence, Metric metric,
                                   std::span<const double> margins);

}  // namespace bioptic
