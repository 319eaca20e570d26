#include "bioptic/stats/reader_study.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "bioptic/stats/auroc_interval.h"
#include "bioptic/stats/roc.h"

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

ReaderEstimate reader_contrast(std::span<const double> value,
                               std::span<const std::vector<double>> without) {
  const auto r = static_cast<double>(value.size());
  const std::size_t groups = without.front().size();
  ReaderEstimate out;
  out.estimate = mean_estimate(value);
  out.over_readers = out.estimate.se * out.estimate.se * r;
  // The sum of the covariances of all pairs is the variance of the sum less the variances.
  std::vector<double> sum(groups, 0);
  double own = 0;
  for (const std::vector<double>& reader : without) {
    own += jackknife_covariance(reader, reader);
    for (std::size_t g = 0; g < groups; ++g) sum[g] += reader[g];
  }
  out.own = own / r;
  out.shared = (jackknife_covariance(sum, sum) - own) / (r * (r - 1));
  const double a = out.over_readers / r;
  const double v = a + std::max(out.shared, 0.0);
  const double df = a == 0 ? 1e9 : v * v * (r - 1) / (a * a);
  out.estimate.se = std::sqrt(v);
  out.estimate.df = v == 0 ? r - 1 : std::min(df, 1e9);
  return out;
}

VarianceParts variance_parts(const ReaderEstimate& e,
                             std::span<const std::vector<double>> without) {
  const std::size_t groups = without.front().size();
  // The pseudo-values but for their sign, scale and place, which the degrees do not depend on.
  std::vector<double> table;
  for (const std::vector<double>& reader : without) {
    table.insert(table.end(), reader.begin(), reader.end());
  }
  const TableDegrees df = degrees_of_table(table, without.size(), groups);
  const auto r = static_cast<double>(without.size()), g = static_cast<double>(groups);
  const double shared = std::max(e.shared, 0.0), own = std::max(e.own - shared, 0.0);
  return {std::max(e.over_readers - own, 0.0), shared * g, own * g,
          PilotTable{r,
                     g,
                     {g * e.over_readers, r - 1},
                     {g * std::max(e.own + (r - 1) * e.shared, 0.0), df.groups},
                     {g * std::max(e.own - e.shared, 0.0), df.error}}};
}

Estimate obuchowski_rockette(const std::vector<std::vector<double>>& values,
                             const std::vector<std::vector<std::vector<double>>>& without) {
  std::vector<double> d = values[0];
  std::vector<std::vector<double>> d_without = without[0];
  for (std::size_t r = 0; r < d.size(); ++r) {
    d[r] -= values[1][r];
    for (std::size_t g = 0; g < d_without[r].size(); ++g) d_without[r][g] -= without[1][r][g];
  }
  return reader_contrast(d, d_without).estimate;
}

JackknifedAuroc jackknifed_auroc(std::span<const double> scores, std::span<const int> positive,
                                 std::span<const std::size_t> group_of, std::size_t groups) {
  return {auroc(scores, positive).value_or(std::numeric_limits<double>::quiet_NaN()),
          auroc_without(scores, positive, group_of, groups)};
}

Estimate delong_difference(std::span<const double> scores_a, std::span<const double> scores_b,
                           std::span<const int> positive) {
  const Placements a = placements(scores_a, positive), b = placements(scores_b, positive);
  std::vector<double> up(a.positive.size()), down(a.negative.size());
  for (std::size_t i = 0; i < up.size(); ++i) up[i] = a.positive[i] - b.positive[i];
  for (std::size_t i = 0; i < down.size(); ++i) down[i] = a.negative[i] - b.negative[i];
  const double variance = covariance(up, up) / static_cast<double>(up.size()) +
                          covariance(down, down) / static_cast<double>(down.size());
  return {a.area - b.area, std::sqrt(variance), std::numeric_limits<double>::infinity()};
}

}  // namespace bioptic
