#include "bioptic/stats/roc.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>

namespace bioptic {

std::vector<RocPoint> roc_curve(std::span<const double> scores, std::span<const int> positive) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  double positives = 0;
  for (const int p : positive) positives += p;
  const double negatives = static_cast<double>(scores.size()) - positives;
  if (positives == 0 || negatives == 0) return {};

  std::vector<RocPoint> curve = {{0, 0, scores[order[0]]}};  // no score is above the largest
  double hits = 0, alarms = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t k = order[i];
    (positive[k] != 0 ? hits : alarms) += 1;
    const bool last_of_tie = i + 1 == order.size() || scores[order[i + 1]] != scores[k];
    if (!last_of_tie) continue;
    // score > threshold keeps everything up to here: the next lower score is the threshold
    const double threshold =
        i + 1 == order.size() ? -std::numeric_limits<double>::infinity() : scores[order[i + 1]];
    curve.push_back({alarms / negatives, hits / positives, threshold});
  }
  return curve;
}

std::optional<double> auroc(std::span<const double> scores, std::span<const int> positive) {
  const std::vector<RocPoint> curve = roc_curve(scores, positive);
  if (curve.empty()) return std::nullopt;
  double area = 0;  // trapezoids: a tie's slope counts its pairs one half
  for (std::size_t i = 1; i < curve.size(); ++i) {
    area += (curve[i].false_positive_rate - curve[i - 1].false_positive_rate) *
            (curve[i].true_positive_rate + curve[i - 1].true_positive_rate) / 2;
  }
  return area;
}

double true_positive_rate_at(std::span<const RocPoint> curve, double rate) {
  double best = 0;
  for (std::size_t i = 0; i < curve.size(); ++i) {
    const RocPoint& point = curve[i];
    if (point.false_positive_rate <= rate) {
      best = point.true_positive_rate;
      continue;
    }
    const RocPoint& before = curve[i - 1];
    const double share = (rate - before.false_positive_rate) /
                         (point.false_positive_rate - before.false_positive_rate);
    return before.true_positive_rate +
           share * (point.true_positive_rate - before.true_positive_rate);
  }
  return best;
}

}  // namespace bioptic
