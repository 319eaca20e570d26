// Every pair of arms by every metric.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "bioptic/study/comparison.h"
#include "bioptic/study/metric_values.h"
#include "bioptic/study/prediction_table.h"

namespace bioptic {

struct CompareOptions {
  double margin = 0.01;          // differences within it count as none; >= 0, 0 = no margin
  double detect = 0.02;          // true difference that `seeds_needed` is for; > 0
  std::string not_allowed = "";  // why no verdict may be given, whatever the numbers; "" = it may
  Inference inference = Inference::patients;
};

// Pairs in the order of the arms (a before b), metrics in the order of metrics_of(); all pairs of
// one metric are one family for Holm's correction, for E1 and for E2.  Margin and `detect` are not
// used for metrics in other units (Brier score, log loss).
std::vector<Comparison> compare_arms(const PredictionTable& table, const CompareOptions& options);
std::vector<Comparison> compare_arms(const PredictionTable& table, const CompareOptions& options,
                                     std::span<const Metric> metrics);

// How many seeds and cases a contrast needs to find a true effect of `detect` with a power of 0.8
// (see Comparison) by a two-sided test at level alpha.  detect <= 0: nothing.
struct Needed {
  std::optional<int> seeds, cases, cases_seeds;
};
Needed needed_for(const ContrastResult& result, double detect, double alpha = kAlpha);
// Without the cases where they are for more seeds than the `seeds` at hand and not more than the
// `groups` at hand: read alone, they would say that what is there suffices.
Needed worth_saying(Needed needed, int seeds, int groups);

// Evidence judged (judge() of stats/verdict.h over a family), turned back into the metric's sign.
std::vector<JudgedEvidence> judged(std::span<const Evidence> evidence, Metric metric,
                                   std::span<const double> margins);

}  // namespace bioptic
