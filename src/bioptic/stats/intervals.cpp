#include "bioptic/stats/intervals.h"

#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>

namespace bioptic {
namespace {

namespace bm = boost::math;
using Policy = bm::policies::policy<bm::policies::promote_double<false>>;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

MeanInterval t_interval(std::span<const double> values, double confidence) {
  MeanInterval result{kNan, kNan, kNan, kNan, static_cast<int>(values.size())};
  if (values.empty()) return result;
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (const double v : values) sum += v;
  result.mean = sum / n;
  if (values.size() < 2) return result;
  double squares = 0;
  for (const double v : values) squares += (v - result.mean) * (v - result.mean);
  result.sd = std::sqrt(squares / (n - 1));
  if (!std::isfinite(result.mean) || !std::isfinite(result.sd)) return result;
  const bm::students_t_distribution<double, Policy> t(n - 1);
  const double half = bm::quantile(t, 0.5 + confidence / 2) * result.sd / std::sqrt(n);
  result.low = result.mean - half;
  result.high = result.mean + half;
  return result;
}

Proportion wilson_interval(std::size_t hits, std::size_t n, double confidence) {
  if (n == 0) return {kNan, kNan, kNan};
  const auto count = static_cast<double>(n);
  return wilson_interval_of(static_cast<double>(hits) / count, count, confidence);
}

Proportion wilson_interval_of(double p, double n, double confidence) {
  const bm::normal_distribution<double, Policy> normal;
  const double z = bm::quantile(normal, 0.5 + confidence / 2);
  const double z2n = z * z / n;
  const double centre = (p + z2n / 2) / (1 + z2n);
  const double half = z / (1 + z2n) * std::sqrt(p * (1 - p) / n + z2n / (4 * n));
  return {p, p == 0 ? 0 : centre - half, p == 1 ? 1 : centre + half};
}

}  // namespace bioptic
