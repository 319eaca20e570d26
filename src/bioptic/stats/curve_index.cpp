#include "bioptic/stats/curve_index.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "bioptic/base/error.h"

namespace bioptic {
namespace {

std::vector<double> differences(std::span<const double> values) {
  std::vector<double> result;
  for (std::size_t i = 1; i < values.size(); ++i) result.push_back(values[i] - values[i - 1]);
  return result;
}

double median_absolute_deviation(std::vector<double> values) {
  const double median = linear_quantile(values, 0.5);
  for (double& v : values) v = std::abs(v - median);
  return linear_quantile(values, 0.5);
}

double drawdown(std::span<const double> y) {
  double peak = y[0], worst = 0;
  for (const double v : y) {
    peak = std::max(peak, v);
    worst = std::max(worst, peak - v);
  }
  return worst;
}

// Mean of the values up to the quantile, for which the smallest value always counts.
double lower_tail_mean(std::span<const double> values, double share) {
  const double bound = linear_quantile(values, share);
  double sum = 0, count = 0;
  for (const double v : values) {
    if (v > bound) continue;
    sum += v;
    count += 1;
  }
  return sum / count;
}

}  // namespace

double linear_quantile(std::span<const double> values, double q) {
  if (values.empty()) throw InputError("a quantile needs at least one value");
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  if (below + 1 >= sorted.size()) return sorted.back();
  const double share = position - static_cast<double>(below);
  return sorted[below] + share * (sorted[below + 1] - sorted[below]);
}

CurveIndices curve_indices(std::span<const double> curve, CurveWindow window,
                           bool larger_is_better) {
  const std::size_t end = std::min(window.end, curve.size());
  CurveIndices result;
  if (window.begin >= end) return result;
  std::vector<double> y(curve.begin() + static_cast<std::ptrdiff_t>(window.begin),
                        curve.begin() + static_cast<std::ptrdiff_t>(end));
  if (!std::all_of(y.begin(), y.end(), [](double v) { return std::isfinite(v); })) return result;
  if (y.size() < 2) return result;
  if (!larger_is_better) {
    for (double& v : y) v = -v;  // the other indices do not change with the sign
  }

  const std::vector<double> steps = differences(y);
  double travel = 0;
  for (const double d : steps) travel += std::abs(d);
  // Rounding of the sum may leave a monotone curve a little below 0.
  result.excess_travel =
      std::max(0.0, travel - std::abs(y.back() - y.front())) / static_cast<double>(steps.size());
  result.worst_drawdown = drawdown(y);
  result.worst_steps = -lower_tail_mean(steps, 0.05);
  if (steps.size() >= 2) {
    result.step_spread = linear_quantile(steps, 0.75) - linear_quantile(steps, 0.25);
  }
  if (steps.size() >= 3) {
    result.noise_level = 1.4826 * median_absolute_deviation(differences(steps)) / std::sqrt(6.0);
  }
  return result;
}

}  // namespace bioptic
