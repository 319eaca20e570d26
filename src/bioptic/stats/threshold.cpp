#include "bioptic/stats/threshold.h"

#include <vector>

#include "bioptic/base/error.h"
#include "bioptic/stats/roc.h"

namespace bioptic {
namespace {

// A threshold between the lowest score called positive at corner i of the curve and the next lower
// one.  Scores are probabilities, so 0 and 1 bound them; where the lowest score is 0 itself,
// calling everything positive takes a threshold below 0.
double between(const std::vector<RocPoint>& curve, std::size_t i) {
  const double upper = i == 0 ? 1 : curve[i - 1].threshold;
  if (i + 1 == curve.size()) return upper > 0 ? upper / 2 : -0.5;
  return (upper + curve[i].threshold) / 2;
}

std::vector<RocPoint> curve_of(std::span<const double> scores, std::span<const int> positive) {
  std::vector<RocPoint> curve = roc_curve(scores, positive);
  if (curve.empty()) {
    throw InputError("a threshold cannot be chosen on validation: one class has no image there");
  }
  return curve;
}

}  // namespace

double youden_threshold(std::span<const double> scores, std::span<const int> positive) {
  const std::vector<RocPoint> curve = curve_of(scores, positive);
  std::size_t best = 0;
  const auto index = [&](std::size_t i) {
    return curve[i].true_positive_rate - curve[i].false_positive_rate;
  };
  for (std::size_t i = 1; i < curve.size(); ++i) {
    if (index(i) > index(best)) best = i;
  }
  return between(curve, best);
}

double sensitivity_threshold(std::span<const double> scores, std::span<const int> positive,
                             double sensitivity) {
  const std::vector<RocPoint> curve = curve_of(scores, positive);
  for (std::size_t i = 0; i < curve.size(); ++i) {
    if (curve[i].true_positive_rate >= sensitivity) return between(curve, i);
  }
  return between(curve, curve.size() - 1);
}

}  // namespace bioptic
