#include "bioptic/stats/variance_limits.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "bioptic/stats/distributions.h"

namespace bioptic {
namespace {

double square(double x) { return x * x; }

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

// In the notation of Burdick and Graybill: below_ is G, above_ is H, low_cross_ is G_qr and
// high_cross_ is H_qr, q the positive and r the negative one.
VarianceLimits::VarianceLimits(std::vector<MeanSquare> mean_squares, double confidence)
    : mean_squares_(std::move(mean_squares)) {
  const std::size_t count = mean_squares_.size();
  for (const MeanSquare& ms : mean_squares_) {
    below_.push_back(1 - ms.df / chi_squared_quantile(confidence, ms.df));
    above_.push_back(ms.df / chi_squared_quantile(1 - confidence, ms.df) - 1);
  }
  low_cross_.assign(count * count, 0);
  high_cross_.assign(count * count, 0);
  for (std::size_t q = 0; q < count; ++q) {
    for (std::size_t r = 0; r < count; ++r) {
      if (q == r) continue;
      const double n = mean_squares_[q].df, m = mean_squares_[r].df;
      const double up = f_quantile(confidence, n, m), down = f_quantile(1 - confidence, n, m);
      low_cross_[q * count + r] =
          (square(up - 1) - square(below_[q] * up) - square(above_[r])) / up;
      high_cross_[q * count + r] =
          (square(1 - down) - square(above_[q] * down) - square(below_[r])) / down;
    }
  }
}

Interval VarianceLimits::of(std::span<const double> coefficients) const {
  const std::size_t count = mean_squares_.size();
  double sum = 0, low = 0, high = 0;
  for (std::size_t q = 0; q < count; ++q) {
    const double x = coefficients[q] * mean_squares_[q].value;
    sum += x;
    low += square((x > 0 ? below_[q] : above_[q]) * x);
    high += square((x > 0 ? above_[q] : below_[q]) * x);
    for (std::size_t r = 0; x > 0 && r < count; ++r) {
      const double y = coefficients[r] * mean_squares_[r].value;
      if (y >= 0) continue;
      low -= low_cross_[q * count + r] * x * y;
      high -= high_cross_[q * count + r] * x * y;
    }
  }
  return {sum - std::sqrt(std::max(low, 0.0)), sum + std::sqrt(std::max(high, 0.0))};
}

TableDegrees degrees_of_table(std::span<const double> table, std::size_t seeds,
                              std::size_t groups) {
  const auto s_count = static_cast<double>(seeds), g_count = static_cast<double>(groups);
  std::vector<double> of_seed(seeds, 0), of_group(groups, 0), error(groups, 0);
  for (std::size_t s = 0; s < seeds; ++s) {
    for (std::size_t g = 0; g < groups; ++g) {
      of_seed[s] += table[s * groups + g] / g_count;
      of_group[g] += table[s * groups + g] / s_count;
    }
  }
  const double mean = mean_of(of_seed);
  for (std::size_t s = 0; s < seeds; ++s) {
    for (std::size_t g = 0; g < groups; ++g) {
      error[g] += square(table[s * groups + g] - of_seed[s] - of_group[g] + mean);
    }
  }
  double second = 0, fourth = 0;
  for (const double m : of_group) {
    second += square(m - mean) / g_count;
    fourth += square(square(m - mean)) / g_count;
  }
  const double mean_error = mean_of(error);
  double scatter = 0;
  for (const double e : error) scatter += square(e - mean_error) / (g_count - 1);

  TableDegrees out{g_count - 1, (s_count - 1) * (g_count - 1)};
  if (second > 0) {
    // Of a variance estimated from G values, of any kurtosis; G - 1 where that is 3.
    const double of_variance =
        fourth / square(second) / g_count - (g_count - 3) / (g_count * (g_count - 1));
    if (of_variance > 0) out.groups = std::min(out.groups, 2 / of_variance);
  }
  if (scatter > 0) {
    out.error = std::min(out.error, 2 * square(mean_error) * g_count / scatter);
  }
  return out;
}

}  // namespace bioptic
