// Receiver operating characteristic of scores against a binary truth.  Larger scores speak for the
// positive class; positive holds 1 or 0 per score.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace bioptic {

// Area under the curve by ranks, ties counting one half (Mann-Whitney).  nullopt when one class is
// absent.  Scores must not be NaN.
std::optional<double> auroc(std::span<const double> scores, std::span<const int> positive);

// One corner of the curve: the rates of the rule `score > threshold`.
struct RocPoint {
  double false_positive_rate = 0, true_positive_rate = 0, threshold = 0;
};

// From (0, 0) at the largest score to (1, 1) at -infinity; one point per distinct score besides the
// first.  So each point's threshold is the lowest score called positive at the next.  Empty when
// one class is absent.
std::vector<RocPoint> roc_curve(std::span<const double> scores, std::span<const int> positive);

// The curve's true-positive rate at a false-positive rate in [0, 1], by linear interpolation; on a
// vertical piece its upper end.
double true_positive_rate_at(std::span<const RocPoint> curve, double false_positive_rate);

}  // namespace bioptic
