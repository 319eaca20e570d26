#include "bioptic/stats/reader_study.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace bioptic {
namespace {

// Mid-rank comparisons: for every positive the share of negatives below it, ties one half, and for
// every negative the share of positives above it.
struct Placements {
  std::vector<double> positive, negative;  // in the order of the scores given
  double area = 0;
};

Placements placements(std::span<const double> scores, std::span<const int> truth) {
  std::vector<double> up, down;
  for (std::size_t i = 0; i < scores.size(); ++i) (truth[i] != 0 ? up : down).push_back(scores[i]);
  std::vector<double> up_sorted = up, down_sorted = down;
  std::sort(up_sorted.begin(), up_sorted.end());
  std::sort(down_sorted.begin(), down_sorted.end());
  // Of `sorted`, how many lie below x, ties one half.
  const auto below = [](const std::vector<double>& sorted, double x) {
    const auto range = std::equal_range(sorted.begin(), sorted.end(), x);
    return static_cast<double>(range.first - sorted.begin()) +
           0.5 * static_cast<double>(range.second - range.first);
  };
  const auto m = static_cast<double>(up.size()), n = static_cast<double>(down.size());
  Placements p;
  for (const double x : up) p.positive.push_back(below(down_sorted, x) / n);
  for (const double x : down) p.negative.push_back(1 - below(up_sorted, x) / m);
  p.area = std::accumulate(p.positive.begin(), p.positive.end(), 0.0) / m;
  return p;
}

double covariance(const std::vector<double>& a, const std::vector<double>& b) {
  const auto n = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / n;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / n;
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - mean_a) * (b[i] - mean_b);
  return sum / (n - 1);
}

// (G - 1) / G sum of products of deviations = (G - 1)^2 / G times the sample covariance.
double jackknife_covariance(const std::vector<double>& a, const std::vector<double>& b) {
  const auto g = static_cast<double>(a.size());
  return (g - 1) * (g - 1) / g * covariance(a, b);
}

}  // namespace

Estimate obuchowski_rockette(const std::vector<std::vector<double>>& values,
                             const std::vector<std::vector<std::vector<double>>>& without) {
  const std::size_t readers = values[0].size();
  const auto r = static_cast<double>(readers);
  const auto mean = [&](std::size_t t) {
    return std::accumulate(values[t].begin(), values[t].end(), 0.0) / r;
  };
  const double difference = mean(0) - mean(1);
  // Treatment by reader interaction; with two treatments half the variance of the differences.
  double interaction = 0;
  for (std::size_t k = 0; k < readers; ++k) {
    const double d = values[0][k] - values[1][k] - difference;
    interaction += d * d / 2;
  }
  interaction /= r - 1;
  // Cov2: same treatment, other readers.  Cov3: other treatment, other readers.
  double same = 0, other = 0;
  for (std::size_t j = 0; j < readers; ++j) {
    for (std::size_t k = 0; k < readers; ++k) {
      if (j == k) continue;
      same += jackknife_covariance(without[0][j], without[0][k]) +
              jackknife_covariance(without[1][j], without[1][k]);
      other += 2 * jackknife_covariance(without[0][j], without[1][k]);
    }
  }
  const double pairs = 2 * r * (r - 1);
  const double cases = r * std::max((same - other) / pairs, 0.0);
  const double denominator = interaction + cases;
  if (denominator == 0) return {difference, 0, r - 1};
  const double df =
      interaction == 0 ? 1e9 : denominator * denominator * (r - 1) / (interaction * interaction);
  return {difference, std::sqrt(2 / r * denominator), std::min(df, 1e9)};
}

JackknifedAuroc jackknifed_auroc(std::span<const double> scores, std::span<const int> positive,
                                 std::span<const std::size_t> group_of, std::size_t groups) {
  // U = sum over pairs of (1, 1/2, 0).  Leaving a group out takes away every pair that has one of
  // its images; pairs within the group are taken away once, not twice.
  const Placements p = placements(scores, positive);
  const auto m = static_cast<double>(p.positive.size()), n = static_cast<double>(p.negative.size());
  JackknifedAuroc out;
  out.value = p.area;
  std::vector<std::vector<std::size_t>> members(groups);
  for (std::size_t i = 0; i < group_of.size(); ++i) members[group_of[i]].push_back(i);
  std::vector<std::size_t> place(scores.size());  // in p.positive or p.negative
  std::size_t up = 0, down = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) place[i] = positive[i] != 0 ? up++ : down++;
  for (const std::vector<std::size_t>& group : members) {
    double u = p.area * m * n, gone_up = 0, gone_down = 0;
    for (const std::size_t i : group) {
      if (positive[i] != 0) {
        u -= p.positive[place[i]] * n;
        gone_up += 1;
      } else {
        u -= p.negative[place[i]] * m;
        gone_down += 1;
      }
    }
    for (const std::size_t i : group) {
      if (positive[i] == 0) continue;
      for (const std::size_t j : group) {
        if (positive[j] != 0) continue;
        u += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
      }
    }
    const double pairs = (m - gone_up) * (n - gone_down);
    out.without.push_back(pairs > 0 ? u / pairs : std::numeric_limits<double>::quiet_NaN());
  }
  return out;
}

Estimate delong_difference(std::span<const double> scores_a, std::span<const double> scores_b,
                           std::span<const int> positive) {
  const Placements a = placements(scores_a, positive), b = placements(scores_b, positive);
  std::vector<double> up(a.positive.size()), down(a.negative.size());
  for (std::size_t i = 0; i < up.size(); ++i) up[i] = a.positive[i] - b.positive[i];
  for (std::size_t i = 0; i < down.size(); ++i) down[i] = a.negative[i] - b.negative[i];
  const double variance = covariance(up, up) / static_cast<double>(up.size()) +
                          covariance(down, down) / static_cast<double>(down.size());
  return {a.area - b.area, std::sqrt(variance), 1e9};
}

}  // namespace bioptic
