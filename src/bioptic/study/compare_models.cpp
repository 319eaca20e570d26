#include "bioptic/study/compare_models.h"

#include <array>
#include <cmath>

#include "bioptic/stats/crossed.h"
#include "bioptic/stats/reader_study.h"
#include "bioptic/stats/seed_tests.h"

namespace bioptic {
namespace {

std::optional<double> tested(const Estimate& e) {
  const double p = two_sided_p(e);
  return std::isnan(p) ? std::nullopt : std::optional(p);
}

// Groups of the table, numbered anew among the images of the trial.
std::vector<std::size_t> groups_of(const PredictionTable& table, const PredictedTrial& trial,
                                   std::size_t& count) {
  std::vector<std::size_t> number(table.groups, table.groups), groups;
  count = 0;
  for (const std::size_t i : trial.images) {
    std::size_t& k = number[table.images[i].group];
    if (k == table.groups) k = count++;
    groups.push_back(k);
  }
  return groups;
}

void compare_areas(const PredictionTable& table, const PredictedTrial& a, const PredictedTrial& b,
                   const std::vector<std::size_t>& groups, std::size_t count,
                   ModelComparison& out) {
  std::vector<int> truth;
  int positives = 0;
  for (const std::size_t i : a.images) {
    truth.push_back(table.images[i].label == table.positive ? 1 : 0);
    positives += truth.back();
  }
  const int negatives = static_cast<int>(truth.size()) - positives;
  if (positives == 0 || negatives == 0) return;
  out.auroc_by_jackknife = count < truth.size();
  if (!out.auroc_by_jackknife) {
    if (positives < 2 || negatives < 2) return;
    const Estimate e = delong_difference(a.ranks, b.ranks, truth);
    out.auroc_difference = e.value;
    out.auroc_p = tested(e);
    return;
  }
  const JackknifedAuroc x = jackknifed_auroc(a.ranks, truth, groups, count);
  const JackknifedAuroc y = jackknifed_auroc(b.ranks, truth, groups, count);
  out.auroc_difference = x.value - y.value;
  std::vector<double> without;
  for (std::size_t g = 0; g < count; ++g) without.push_back(x.without[g] - y.without[g]);
  if (count < 2) return;
  // se^2 = (G - 1) / G times the sum of squares = (G - 1)^2 times that of a mean of G values.
  Estimate e = mean_estimate(without);
  if (!std::isfinite(e.se)) return;
  e.se *= static_cast<double>(count - 1);
  e.value = *out.auroc_difference;
  out.auroc_p = tested(e);
}

ModelComparison compare_two(const PredictionTable& table, const PredictedTrial& a,
                            const PredictedTrial& b) {
  ModelComparison out;
  out.seed = a.seed;
  std::vector<double> d;
  for (std::size_t i = 0; i < a.images.size(); ++i) {
    const std::size_t label = table.images[a.images[i]].label;
    const int x = a.predicted[i] == label ? 1 : 0, y = b.predicted[i] == label ? 1 : 0;
    d.push_back(x - y);
    out.only_a_right += x > y ? 1 : 0;
    out.only_b_right += y > x ? 1 : 0;
  }
  out.accuracy_difference =
      (out.only_a_right - out.only_b_right) / static_cast<double>(a.images.size());
  out.mcnemar_p = mcnemar_p(out.only_a_right, out.only_b_right);
  std::size_t count = 0;
  const std::vector<std::size_t> groups = groups_of(table, a, count);
  if (count < a.images.size() && count >= 2) {
    out.grouped_p = tested(mean_estimate(group_values(d, 1, groups, count).d));
  }
  if (table.classes.size() == 2) compare_areas(table, a, b, groups, count, out);
  return out;
}

}  // namespace

std::vector<ModelComparison> compare_models(const PredictionTable& table) {
  std::vector<ModelComparison> out;
  for (std::size_t a = 0; a < table.arms.size(); ++a) {
    for (std::size_t b = a + 1; b < table.arms.size(); ++b) {
      const std::vector<std::int64_t> seeds = shared_seeds(table, std::array{a, b});
      if (seeds.size() != 1) continue;
      const PredictedTrial &x = *table.trial(a, seeds[0]), &y = *table.trial(b, seeds[0]);
      if (x.images != y.images) continue;
      ModelComparison& c = out.emplace_back(compare_two(table, x, y));
      c.a = table.arms[a].name;
      c.b = table.arms[b].name;
    }
  }
  return out;
}

}  // namespace bioptic
