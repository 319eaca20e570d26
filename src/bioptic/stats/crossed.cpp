#include "bioptic/stats/crossed.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "bioptic/base/random.h"

namespace bioptic {
namespace {

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

struct MeanSquares {
  double mean = 0, seeds = 0, groups = 0, error = 0, largest = 0;
  std::vector<double> of_seed;  // means
};

MeanSquares mean_squares(const CrossedTable& t) {
  const auto s_count = static_cast<double>(t.seeds), g_count = static_cast<double>(t.groups);
  MeanSquares ms;
  ms.of_seed.assign(t.seeds, 0);
  std::vector<double> of_group(t.groups, 0);
  for (const double d : t.d) ms.largest = std::max(ms.largest, std::abs(d));
  for (std::size_t s = 0; s < t.seeds; ++s) {
    for (std::size_t g = 0; g < t.groups; ++g) {
      ms.of_seed[s] += t.d[s * t.groups + g] / g_count;
      of_group[g] += t.d[s * t.groups + g] / s_count;
    }
  }
  ms.mean = mean_of(ms.of_seed);
  for (const double m : ms.of_seed) ms.seeds += g_count * (m - ms.mean) * (m - ms.mean);
  for (const double m : of_group) ms.groups += s_count * (m - ms.mean) * (m - ms.mean);
  for (std::size_t s = 0; s < t.seeds; ++s) {
    for (std::size_t g = 0; g < t.groups; ++g) {
      const double rest = t.d[s * t.groups + g] - ms.of_seed[s] - of_group[g] + ms.mean;
      ms.error += rest * rest;
    }
  }
  ms.seeds /= s_count - 1;
  ms.groups /= g_count - 1;
  ms.error /= (s_count - 1) * (g_count - 1);
  return ms;
}

}  // namespace

CrossedTable group_values(std::span<const double> differences, std::size_t seeds,
                          std::span<const std::size_t> group_of, std::size_t groups) {
  const std::size_t n = group_of.size();
  const double m = mean_of(differences);
  const double scale = static_cast<double>(groups) / static_cast<double>(n);
  CrossedTable table{seeds, groups, std::vector<double>(seeds * groups, m)};
  for (std::size_t s = 0; s < seeds; ++s) {
    for (std::size_t i = 0; i < n; ++i) {
      table.d[s * groups + group_of[i]] += scale * (differences[s * n + i] - m);
    }
  }
  return table;
}

CrossedTable class_mean_group_values(std::span<const double> differences, std::size_t seeds,
                                     std::span<const std::size_t> group_of, std::size_t groups,
                                     std::span<const std::size_t> class_of, std::size_t classes) {
  const std::size_t n = group_of.size();
  std::vector<double> mean(classes, 0), count(classes, 0);
  for (std::size_t i = 0; i < n; ++i) {
    count[class_of[i]] += 1;
    for (std::size_t s = 0; s < seeds; ++s) mean[class_of[i]] += differences[s * n + i];
  }
  double m = 0;
  for (std::size_t c = 0; c < classes; ++c) {
    mean[c] /= count[c] * static_cast<double>(seeds);
    m += mean[c] / static_cast<double>(classes);
  }
  const double scale = static_cast<double>(groups) / static_cast<double>(classes);
  CrossedTable table{seeds, groups, std::vector<double>(seeds * groups, m)};
  for (std::size_t s = 0; s < seeds; ++s) {
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t c = class_of[i];
      table.d[s * groups + group_of[i]] += scale / count[c] * (differences[s * n + i] - mean[c]);
    }
  }
  return table;
}

CrossedEstimate crossed_t(const CrossedTable& table) {
  const MeanSquares ms = mean_squares(table);
  const auto s = static_cast<double>(table.seeds), g = static_cast<double>(table.groups);
  CrossedEstimate out;
  out.ms_seeds = ms.seeds;
  out.ms_groups = ms.groups;
  out.ms_error = ms.error;
  out.seeds_floored = ms.seeds < ms.error;
  out.groups_floored = ms.groups < ms.error;
  const double a = std::max(ms.seeds, ms.error), b = std::max(ms.groups, ms.error);
  const double sum = a + b - ms.error;
  out.estimate.value = ms.mean;
  out.estimate.se = std::sqrt(sum / (s * g));
  out.estimate.df =
      sum == 0
          ? s - 1
          : sum * sum /
                (a * a / (s - 1) + b * b / (g - 1) + ms.error * ms.error / ((s - 1) * (g - 1)));
  if (out.estimate.se <= kRounding * ms.largest) {
    out.estimate.se = 0;
    out.estimate.df = s - 1;
  }
  return out;
}

Estimate crossed_gap(const CrossedTable& first, const CrossedTable& second) {
  const MeanSquares ms[2] = {mean_squares(first), mean_squares(second)};
  const double groups[2] = {static_cast<double>(first.groups), static_cast<double>(second.groups)};
  const auto s = static_cast<double>(first.seeds);
  std::vector<double> r(first.seeds);
  for (std::size_t k = 0; k < r.size(); ++k) r[k] = ms[0].of_seed[k] - ms[1].of_seed[k];
  const Estimate over_seeds = mean_estimate(r);
  double floor = 0, cases = 0, squares = 0;
  for (int k = 0; k < 2; ++k) {
    const double e = ms[k].error / (s * groups[k]);
    const double b = std::max(ms[k].groups, ms[k].error) / (s * groups[k]);
    floor += e;
    cases += b - e;
    squares += b * b / (groups[k] - 1) + e * e / ((s - 1) * (groups[k] - 1));
  }
  const double a = std::max(over_seeds.se * over_seeds.se, floor);
  const double v = a + cases;
  if (std::sqrt(v) <= kRounding * std::max(ms[0].largest, ms[1].largest)) {
    return {over_seeds.value, 0, s - 1};
  }
  return {over_seeds.value, std::sqrt(v), v * v / (a * a / (s - 1) + squares)};
}

GapVariance gap_variance(const CrossedTable& first, const CrossedTable& second) {
  const MeanSquares ms[2] = {mean_squares(first), mean_squares(second)};
  const auto s = static_cast<double>(first.seeds);
  std::vector<double> r(first.seeds);
  for (std::size_t k = 0; k < r.size(); ++k) r[k] = ms[0].of_seed[k] - ms[1].of_seed[k];
  const double se = mean_estimate(r).se;
  GapVariance out;
  double errors = 0;
  for (std::size_t k = 0; k < 2; ++k) {
    const auto groups = static_cast<double>(k == 0 ? first.groups : second.groups);
    const CrossedTable& table = k == 0 ? first : second;
    const TableDegrees df = degrees_of_table(table.d, table.seeds, table.groups);
    out.splits[k] = {std::max(ms[k].groups - ms[k].error, 0.0) / s,
                     ms[k].error,
                     groups,
                     {ms[k].groups, df.groups},
                     {ms[k].error, df.error}};
    errors += ms[k].error / (s * groups);
  }
  out.seeds = s * std::max(se * se - errors, 0.0);
  out.pilot_seeds = s;
  out.of_seeds = {s * se * se, s - 1};
  return out;
}

Interval crossed_bootstrap(std::span<const double> differences, std::size_t seeds,
                           std::span<const std::size_t> group_of,
                           std::span<const std::size_t> stratum_of_group, int draws) {
  const std::size_t n = group_of.size(), groups = stratum_of_group.size();
  std::vector<double> sums(seeds * groups, 0), sizes(groups, 0);
  for (std::size_t i = 0; i < n; ++i) {
    sizes[group_of[i]] += 1;
    for (std::size_t s = 0; s < seeds; ++s) {
      sums[s * groups + group_of[i]] += differences[s * n + i];
    }
  }
  const std::size_t strata =
      groups == 0 ? 0 : *std::max_element(stratum_of_group.begin(), stratum_of_group.end()) + 1;
  std::vector<std::vector<std::size_t>> members(strata);
  for (std::size_t g = 0; g < groups; ++g) members[stratum_of_group[g]].push_back(g);

  RandomStream stream(0, "crossed bootstrap");
  std::vector<double> means;
  std::vector<double> seed_weight(seeds), group_weight(groups);
  for (int k = 0; k < draws; ++k) {
    std::fill(seed_weight.begin(), seed_weight.end(), 0);
    std::fill(group_weight.begin(), group_weight.end(), 0);
    for (std::size_t s = 0; s < seeds; ++s) seed_weight[stream.below(seeds)] += 1;
    for (const auto& stratum : members) {
      for (std::size_t j = 0; j < stratum.size(); ++j) {
        group_weight[stratum[stream.below(stratum.size())]] += 1;
      }
    }
    double total = 0, images = 0;
    for (std::size_t g = 0; g < groups; ++g) {
      if (group_weight[g] == 0) continue;
      double column = 0;
      for (std::size_t s = 0; s < seeds; ++s) column += seed_weight[s] * sums[s * groups + g];
      total += group_weight[g] * column;
      images += group_weight[g] * sizes[g];
    }
    means.push_back(total / images / static_cast<double>(seeds));
  }
  std::sort(means.begin(), means.end());
  const auto at = [&](double p) {
    const double place = p * static_cast<double>(means.size() - 1);
    const auto i = static_cast<std::size_t>(place);
    const double rest = place - static_cast<double>(i);
    return i + 1 < means.size() ? means[i] + rest * (means[i + 1] - means[i]) : means[i];
  };
  return {at(0.025), at(0.975)};
}

VarianceParts variance_parts(const CrossedEstimate& c, const CrossedTable& table) {
  const auto seeds = static_cast<double>(table.seeds), groups = static_cast<double>(table.groups);
  const TableDegrees df = degrees_of_table(table.d, table.seeds, table.groups);
  return {std::max(0.0, (c.ms_seeds - c.ms_error) / groups),
          std::max(0.0, (c.ms_groups - c.ms_error) / seeds), c.ms_error,
          PilotTable{seeds,
                     groups,
                     {c.ms_seeds, seeds - 1},
                     {c.ms_groups, df.groups},
                     {c.ms_error, df.error}}};
}

}  // namespace bioptic
