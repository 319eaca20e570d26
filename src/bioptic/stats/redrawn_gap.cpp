#include "bioptic/stats/redrawn_gap.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "bioptic/base/error.h"

namespace bioptic {

Estimate redrawn_gap(const RedrawnValues& redrawn, const CrossedTable& fixed) {
  const std::size_t seeds = fixed.seeds;
  if (seeds < 2 || redrawn.begin.size() != seeds + 1 || redrawn.groups < 2 || fixed.groups < 2) {
    throw InputError(
        "a gap needs the same seeds on both sides, at least two, and at least two groups of each");
  }
  const auto s_count = static_cast<double>(seeds);
  std::vector<double> mean_of_seed(seeds), difference(seeds);
  for (std::size_t s = 0; s < seeds; ++s) {
    const auto of_seed = std::span(redrawn.values)
                             .subspan(redrawn.begin[s], redrawn.begin[s + 1] - redrawn.begin[s]);
    mean_of_seed[s] =
        std::accumulate(of_seed.begin(), of_seed.end(), 0.0) / static_cast<double>(of_seed.size());
    const auto row = std::span(fixed.d).subspan(s * fixed.groups, fixed.groups);
    difference[s] = mean_of_seed[s] - std::accumulate(row.begin(), row.end(), 0.0) /
                                          static_cast<double>(fixed.groups);
  }
  const double mean = std::accumulate(mean_of_seed.begin(), mean_of_seed.end(), 0.0) / s_count;

  std::vector<double> of_group(redrawn.groups, 0);
  double within = 0;  // i: groups within seeds
  for (std::size_t s = 0; s < seeds; ++s) {
    const double scale =
        1 / (s_count * static_cast<double>(redrawn.begin[s + 1] - redrawn.begin[s]));
    std::map<std::size_t, double> of_seed;
    for (std::size_t k = redrawn.begin[s]; k < redrawn.begin[s + 1]; ++k) {
      of_seed[redrawn.group_of[k]] += scale * (redrawn.values[k] - mean);
    }
    for (const auto& [group, sum] : of_seed) {
      of_group[group] += sum;
      within += sum * sum;
    }
  }
  const auto g_count = static_cast<double>(redrawn.groups);
  double clustered = 0;  // c
  for (const double sum : of_group) clustered += g_count / (g_count - 1) * sum * sum;

  const CrossedEstimate second = crossed_t(fixed);
  const auto fixed_groups = static_cast<double>(fixed.groups);
  const double e = second.ms_error / (s_count * fixed_groups);
  const double b = std::max(second.ms_groups, second.ms_error) / (s_count * fixed_groups);
  const Estimate over_seeds = mean_estimate(difference);
  const double a = std::max(over_seeds.se * over_seeds.se, within + e);
  const double c = std::max(clustered, within);
  const double v = a + (c - within) + (b - e);
  const double df =
      v == 0 ? s_count - 1
             : v * v /
                   (a * a / (s_count - 1) + c * c / (g_count - 1) + b * b / (fixed_groups - 1) +
                    e * e / ((s_count - 1) * (fixed_groups - 1)));
  return {over_seeds.value, std::sqrt(v), df};
}

}  // namespace bioptic
