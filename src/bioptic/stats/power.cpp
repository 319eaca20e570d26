#include "bioptic/stats/power.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "bioptic/stats/distributions.h"
#include "bioptic/stats/effective_groups.h"

namespace bioptic {
namespace {

// The smallest n in [from, most] for which `enough` holds, which must be monotone.
template <typename Enough>
std::optional<int> smallest(int from, int most, const Enough& enough) {
  int high = from;
  while (!enough(high)) {
    if (high >= most) return std::nullopt;
    high = high > most / 2 ? most : 2 * high;
  }
  int low = from;  // enough(high) holds
  while (low < high) {
    const int middle = low + (high - low) / 2;
    if (enough(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return high;
}

constexpr int kLeastSeeds = 5;

}  // namespace

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

std::optional<int> seeds_needed(const VarianceParts& parts, int groups, double detect,
                                PowerRule rule) {
  return smallest(kLeastSeeds, kMostSeeds, [&](int seeds) {
    return crossed_power(parts, seeds, groups, detect, rule) >= kPowerWanted;
  });
}

std::optional<int> groups_needed(const VarianceParts& parts, int seeds, double detect,
                                 PowerRule rule) {
  return smallest(2, kMostGroups, [&](int groups) {
    return crossed_power(parts, seeds, groups, detect, rule) >= kPowerWanted;
  });
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

std::optional<int> gap_seeds_needed(const GapVariance& variance, double detect, double alpha) {
  return smallest(kLeastSeeds, kMostSeeds, [&](int seeds) {
    return gap_power(variance, seeds, 1, detect, alpha) >= kPowerWanted;
  });
}

std::optional<int> gap_groups_needed(const GapVariance& variance, int seeds, double detect,
                                     double alpha) {
  // Each split keeps at least two groups.
  const double all = variance.splits[0].count + variance.splits[1].count;
  const double least = std::min(variance.splits[0].count, variance.splits[1].count);
  return smallest(static_cast<int>(std::ceil(2 * all / least)), kMostGroups, [&](int groups) {
    return gap_power(variance, seeds, groups / all, detect, alpha) >= kPowerWanted;
  });
}

std::optional<int> paired_seeds_needed(double sd, double detect, double alpha) {
  return smallest(kLeastSeeds, kMostSeeds, [&](int seeds) {
    return paired_power(sd, seeds, detect, alpha) >= kPowerWanted;
  });
}

}  // namespace bioptic
