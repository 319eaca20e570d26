#include "bioptic/stats/equivalence.h"

#include <algorithm>
#include <cmath>

#include "bioptic/stats/distributions.h"

namespace bioptic {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Of an effect of `towards` (its size on one side, 0 for one on the other): discordant patients.
double discordant(const PatientBound& bound, double towards) {
  return std::min(bound.patients, bound.patients * bound.scale * std::max(towards, 0.0));
}

// P(so few discordant patients | their true share is scale * margin).
double bound_p(const PatientBound& bound, double towards, double margin) {
  if (!bound.exists()) return 0;
  const double x = discordant(bound, towards), share = bound.scale * margin;
  if (x >= bound.patients) return 1;
  if (share >= 1) return 0;
  return beta_cdf(1 - share, bound.patients - x, x + 1);
}

// The largest share of discordant patients that is not excluded, in units of the effect.
double bound_limit(const PatientBound& bound, double towards, double alpha) {
  const double x = discordant(bound, towards);
  if (x >= bound.patients) return 1 / bound.scale;
  return beta_quantile(1 - alpha, x + 1, bound.patients - x) / bound.scale;
}

}  // namespace

OneSided one_sided_p(const Estimate& e, const PatientBound& bound, double margin) {
  OneSided t;
  if (e.se > 0) {
    t.not_below = t_cdf(-(e.value + margin) / e.se, e.df);
    t.not_above = t_cdf((e.value - margin) / e.se, e.df);
  } else if (bound.exists()) {
    t.not_below = e.value > -margin ? 0 : 1;
    t.not_above = e.value < margin ? 0 : 1;
  }
  return {std::max(t.not_below, bound_p(bound, -e.value, margin)),
          std::max(t.not_above, bound_p(bound, e.value, margin))};
}

double equivalence_p(const Estimate& e, const PatientBound& bound, double margin) {
  if (margin <= 0) return 1;
  const OneSided p = one_sided_p(e, bound, margin);
  return std::max(p.not_below, p.not_above);
}

Interval equivalence_limits(const Estimate& e, const PatientBound& bound, double alpha) {
  if (!bound.exists() && e.se == 0) return {kNan, kNan};
  const double half = e.se > 0 ? t_quantile(1 - alpha, e.df) * e.se : 0;
  if (!bound.exists()) return {e.value - half, e.value + half};
  return {std::min(e.value - half, -bound_limit(bound, -e.value, alpha)),
          std::max(e.value + half, bound_limit(bound, e.value, alpha))};
}

double smallest_margin(const PatientBound& bound, double alpha) {
  return bound.exists() ? (1 - std::pow(alpha, 1 / bound.patients)) / bound.scale : 0;
}

}  // namespace bioptic
