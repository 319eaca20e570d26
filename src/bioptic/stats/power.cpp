#include "bioptic/stats/power.h"

#include <cmath>
#include <limits>

#include "bioptic/stats/distributions.h"
#include "bioptic/stats/effective_groups.h"

namespace bioptic {

double crossed_power(const VarianceParts& parts, double seeds, double groups, double detect,
                     PowerRule rule) {
  // The mean squares that these parts lead to, and the degrees of freedom that they give.
  const double a = parts.error + groups * parts.seeds, b = parts.error + seeds * parts.groups;
  const double sum = a + b - parts.error;
  if (!std::isfinite(sum)) return std::numeric_limits<double>::quiet_NaN();
  if (sum <= 0) return 1;
  const double df = sum * sum /
                    (a * a / (seeds - 1) + b * b / (groups - 1) +
                     parts.error * parts.error / ((seeds - 1) * (groups - 1)));
  const Estimate planned =
      with_degrees_of({0, rule.worth * groups}, {detect, std::sqrt(sum / (seeds * groups)), df});
  return t_power(planned.value / planned.se, planned.df, rule.alpha);
}

double paired_power(double sd, int seeds, double detect, double alpha) {
  if (!std::isfinite(sd)) return std::numeric_limits<double>::quiet_NaN();
  return sd <= 0 ? 1
                 : t_power(detect * std::sqrt(static_cast<double>(seeds)) / sd, seeds - 1, alpha);
}

double gap_power(const GapVariance& variance, double seeds, double times, double detect,
                 double alpha) {
  double a = variance.seeds / seeds, v = 0, squares = 0;
  for (const GapVariance::Split& split : variance.splits) {
    const double n = times * split.count;
    const double e = split.error / (seeds * n), cases = split.groups / n;
    a += e;
    v += cases;
    squares += (e + cases) * (e + cases) / (n - 1) + e * e / ((seeds - 1) * (n - 1));
  }
  v += a;
  if (!std::isfinite(v)) return std::numeric_limits<double>::quiet_NaN();
  if (v <= 0) return 1;
  const Estimate planned =
      with_degrees_of({0, times * variance.of_variance},
                      {detect, std::sqrt(v), v * v / (a * a / (seeds - 1) + squares)});
  return t_power(planned.value / planned.se, planned.df, alpha);
}

}  // namespace bioptic
