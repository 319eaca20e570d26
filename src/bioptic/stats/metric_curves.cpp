#include "bioptic/stats/metric_curves.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "bioptic/base/error.h"

namespace bioptic {

std::vector<PrecisionRecallPoint> precision_recall_curve(std::span<const double> scores,
                                                         std::span<const int> positive) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  const double positives = std::accumulate(positive.begin(), positive.end(), 0.0);
  if (positives == 0 || positives == static_cast<double>(scores.size())) return {};

  std::vector<PrecisionRecallPoint> curve;
  double hits = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t k = order[i];
    hits += positive[k];
    const bool last_of_tie = i + 1 == order.size() || scores[order[i + 1]] != scores[k];
    if (!last_of_tie) continue;
    curve.push_back({hits / positives, hits / static_cast<double>(i + 1), scores[k]});
  }
  return curve;
}

std::optional<double> average_precision(std::span<const double> scores,
                                        std::span<const int> positive) {
  const std::vector<PrecisionRecallPoint> curve = precision_recall_curve(scores, positive);
  if (curve.empty()) return std::nullopt;
  double area = 0, before = 0;
  for (const PrecisionRecallPoint& point : curve) {
    area += (point.recall - before) * point.precision;
    before = point.recall;
  }
  return area;
}

std::vector<NetBenefitPoint> decision_curve(std::span<const double> probabilities,
                                            std::span<const int> positive,
                                            std::span<const double> thresholds) {
  std::vector<NetBenefitPoint> curve;
  if (probabilities.empty()) return curve;
  const auto n = static_cast<double>(probabilities.size());
  const double positives = std::accumulate(positive.begin(), positive.end(), 0.0);
  for (const double threshold : thresholds) {
    if (!(threshold >= 0 && threshold < 1)) {
      throw InputError("a decision curve's threshold must be at least 0 and below 1");
    }
    double hits = 0, alarms = 0;
    for (std::size_t i = 0; i < probabilities.size(); ++i) {
      if (probabilities[i] > threshold) (positive[i] != 0 ? hits : alarms) += 1;
    }
    const double odds = threshold / (1 - threshold);
    curve.push_back(
        {threshold, (hits - alarms * odds) / n, (positives - (n - positives) * odds) / n});
  }
  return curve;
}

}  // namespace bioptic
