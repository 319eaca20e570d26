#include "bioptic/stats/estimate.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "bioptic/stats/distributions.h"

namespace bioptic {

Estimate mean_estimate(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double v : values) sum += v;
  const double mean = sum / n;
  double largest = 0;
  for (const double v : values) {
    squares += (v - mean) * (v - mean);
    largest = std::max(largest, std::abs(v));
  }
  const double se = std::sqrt(squares / (n - 1) / n);
  return {mean, se <= kRounding * largest ? 0 : se, n - 1};
}

Estimate rounded(Estimate e, double scale) {
  if (e.se <= kRoundingOfDifference * scale) e.se = 0;
  if (std::abs(e.value) <= kRoundingOfDifference * scale) e.value = 0;
  return e;
}

double two_sided_p(const Estimate& e) {
  if (e.se == 0) return e.value == 0 ? 1 : std::numeric_limits<double>::quiet_NaN();
  return 2 * t_cdf(-std::abs(e.value / e.se), e.df);
}

Interval interval_of(const Estimate& e, double confidence) {
  if (e.se == 0) return {e.value, e.value};
  const double half = t_quantile(0.5 + confidence / 2, e.df) * e.se;
  return {e.value - half, e.value + half};
}

namespace {

// Indices of the tests, smallest p first.
std::vector<std::size_t> ascending(std::span<const double> p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!std::isnan(p[i])) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  return order;
}

}  // namespace

std::vector<double> holm(std::span<const double> p) {
  const std::vector<std::size_t> order = ascending(p);
  std::vector<double> corrected(p.begin(), p.end());
  double largest = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(order.size() - k) * p[order[k]]));
    corrected[order[k]] = largest;
  }
  return corrected;
}

std::vector<double> holm_levels(std::span<const double> p, double alpha) {
  const std::vector<std::size_t> order = ascending(p);
  std::vector<double> levels(p.begin(), p.end());  // keeps NaN
  bool stopped = false;
  double level = alpha;
  for (std::size_t k = 0; k < order.size(); ++k) {
    const auto left = static_cast<double>(order.size() - k);
    if (!stopped) level = alpha / left;
    // As holm() has it: compared after the multiplication, so that the two agree to the last bit.
    stopped = stopped || left * p[order[k]] > alpha;
    levels[order[k]] = level;
  }
  return levels;
}

}  // namespace bioptic
