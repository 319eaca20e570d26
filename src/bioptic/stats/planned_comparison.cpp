#include "bioptic/stats/planned_comparison.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "bioptic/stats/effective_groups.h"

namespace bioptic {
namespace {

constexpr int kLeastSeeds = 5;

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

// A mean square of groups has no more degrees of freedom than groups of such sizes allow.
MeanSquare capped(MeanSquare mean_square, double of_variance, double times = 1) {
  const Estimate most = with_degrees_of({0, of_variance}, {0, 0, mean_square.df / times});
  return {mean_square.value, times * most.df};
}

}  // namespace

void PlannedComparison::learn(std::vector<MeanSquare> mean_squares, std::vector<Term> terms) {
  const bool known = std::all_of(
      mean_squares.begin(), mean_squares.end(),
      [](const MeanSquare& ms) { return std::isfinite(ms.value) && ms.value >= 0 && ms.df > 0; });
  if (!known) return;
  limits_.emplace(std::move(mean_squares), kPlanConfidence);
  terms_ = std::move(terms);
}

PlannedComparison PlannedComparison::crossed(const VarianceParts& parts, PowerRule rule) {
  const auto variance = [parts](double seeds, double groups) {
    return parts.seeds / seeds + parts.groups / groups + parts.error / (seeds * groups);
  };
  PlannedComparison out(
      variance,
      [=](double seeds, double groups, double detect, double wanted) {
        // What V has beyond the estimate is put down to the seeds, which leave the fewest degrees
        // of freedom; of what it has less, each part takes its share.
        VarianceParts turned = parts;
        const double v = variance(seeds, groups);
        if (wanted > v) {
          turned.seeds += (wanted - v) * seeds;
        } else if (wanted < v) {
          turned = {parts.seeds * wanted / v, parts.groups * wanted / v, parts.error * wanted / v};
        }
        return crossed_power(turned, seeds, groups, detect, rule);
      },
      static_cast<int>(kLeastEffectiveGroups));  // fewer are given no verdict
  if (parts.pilot) {
    const PilotTable& p = *parts.pilot;
    const double of_variance = rule.worth * p.groups;
    out.learn({p.of_seeds, capped(p.of_groups, of_variance),
               capped(p.of_error, of_variance, p.seeds - 1)},
              {{1 / p.groups, 0, 0}, {0, 1 / p.seeds, 0}, {-1 / p.groups, -1 / p.seeds, 1}});
  }
  return out;
}

PlannedComparison PlannedComparison::gap(const GapVariance& gap, double alpha) {
  const double all = gap.splits[0].count + gap.splits[1].count;
  const double least = std::min(gap.splits[0].count, gap.splits[1].count);
  const auto variance = [gap, all](double seeds, double groups) {
    double v = gap.seeds / seeds;
    for (const GapVariance::Split& split : gap.splits) {
      const double n = split.count * groups / all;
      v += split.groups / n + split.error / (seeds * n);
    }
    return v;
  };
  PlannedComparison out(
      variance,
      [=](double seeds, double groups, double detect, double wanted) {
        GapVariance turned = gap;
        const double v = variance(seeds, groups);
        if (wanted > v) {
          turned.seeds += (wanted - v) * seeds;
        } else if (wanted < v) {
          turned.seeds *= wanted / v;
          for (GapVariance::Split& split : turned.splits) {
            split.groups *= wanted / v;
            split.error *= wanted / v;
          }
        }
        return gap_power(turned, seeds, groups / all, detect, alpha);
      },
      // Each split keeps at least two groups.
      static_cast<int>(std::ceil(2 * all / least)));
  if (gap.pilot_seeds > 0) {
    std::vector<MeanSquare> mean_squares = {gap.of_seeds};
    std::vector<Term> terms = {{1, 0, 0}};
    for (const GapVariance::Split& split : gap.splits) {
      const double share = split.count / all, s = gap.pilot_seeds;
      mean_squares.push_back(capped(split.of_groups, gap.of_variance));
      terms.push_back({0, 1 / (s * share), 0});
      mean_squares.push_back(capped(split.of_error, gap.of_variance, s - 1));
      terms.push_back({-1 / split.count, -1 / (s * share), 1 / share});
    }
    out.learn(std::move(mean_squares), std::move(terms));
  }
  return out;
}

PlannedComparison PlannedComparison::paired(double sd, double df, double alpha) {
  PlannedComparison out([sd](double seeds, double) { return sd * sd / seeds; },
                        [alpha](double seeds, double, double detect, double v) {
                          return paired_power(std::sqrt(v * seeds), static_cast<int>(seeds), detect,
                                              alpha);
                        },
                        2);
  out.learn({{sd * sd, df}}, {{1, 0, 0}});
  return out;
}

double PlannedComparison::variance(double seeds, double groups, Of of) const {
  const double v = estimate_(seeds, groups);
  if (of == Of::estimate || !limits_ || !std::isfinite(v)) return v;
  std::vector<double> coefficients;
  for (const Term& t : terms_) {
    coefficients.push_back(t.per_seeds / seeds + t.per_groups / groups +
                           t.per_both / (seeds * groups));
  }
  const Interval limits = limits_->of(coefficients);
  return of == Of::high ? std::max(limits.high, v) : std::clamp(limits.low, 0.0, v);
}

double PlannedComparison::power(double seeds, double groups, double detect, Of of) const {
  return power_(seeds, groups, detect, variance(seeds, groups, of));
}

NeededRange PlannedComparison::seeds_needed(double groups, double detect) const {
  const auto with = [&](Of of) {
    return smallest(kLeastSeeds, kMostSeeds,
                    [&](int seeds) { return power(seeds, groups, detect, of) >= kPowerWanted; });
  };
  return {with(Of::low), with(Of::high)};
}

NeededRange PlannedComparison::groups_needed(double seeds, double detect) const {
  const auto with = [&](Of of) {
    return smallest(least_groups_, kMostGroups,
                    [&](int groups) { return power(seeds, groups, detect, of) >= kPowerWanted; });
  };
  return {with(Of::low), with(Of::high)};
}

}  // namespace bioptic
