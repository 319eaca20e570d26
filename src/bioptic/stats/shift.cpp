#include "bioptic/stats/shift.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <vector>

#include "bioptic/base/error.h"
#include "bioptic/base/portable_math.h"
#include "bioptic/stats/curve_index.h"
#include "bioptic/stats/roc.h"

namespace bioptic {
namespace {

void check(const PermutationSettings& settings, std::size_t images, std::size_t expected) {
  if (settings.permutations < 1) throw InputError("a shift test needs at least one permutation");
  if (images != expected) {
    throw InputError("a shift test got a different number of samples than of images");
  }
}

// The observed labelling first, then the permuted ones.
std::vector<std::vector<int>> labellings(const TwoSamples& samples, GroupPermutation& permutation,
                                         const PermutationSettings& settings,
                                         std::string_view stream) {
  RandomStream random(settings.seed, stream);
  std::vector<std::vector<int>> all = {{samples.second.begin(), samples.second.end()}};
  for (int b = 0; b < settings.permutations; ++b) all.push_back(permutation.next(random));
  return all;
}

// statistics: the observed one first.
double p_of(const std::vector<double>& statistics) {
  return permutation_p(statistics[0], std::span(statistics).subspan(1));
}

// order: images by ascending score.
double ks_distance(std::span<const double> scores, std::span<const std::size_t> order,
                   std::span<const int> second) {
  const double n1 = std::accumulate(second.begin(), second.end(), 0.0);
  const double n0 = static_cast<double>(second.size()) - n1;
  double below0 = 0, below1 = 0, largest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    (second[order[i]] != 0 ? below1 : below0) += 1;
    const bool last_of_tie = i + 1 == order.size() || scores[order[i + 1]] != scores[order[i]];
    // products of counts are exact, so equal distances of equal sizes are equal numbers
    if (last_of_tie) largest = std::max(largest, std::abs(below1 * n0 - below0 * n1));
  }
  return largest / (n0 * n1);
}

// Gaussian kernel with zero diagonal; empty when the median distance is 0.
std::vector<double> gaussian_kernel(const Gram& gram) {
  const std::size_t n = gram.n;
  std::vector<double> distances;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      // equal images may come out a rounding below 0
      distances.push_back(std::sqrt(std::max(0.0, gram(i, i) + gram(j, j) - 2 * gram(i, j))));
    }
  }
  const double median = linear_quantile(distances, 0.5);
  if (!(median > 0)) return {};
  std::vector<double> kernel(n * n, 0);
  std::size_t pair = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double ratio = distances[pair++] / median;
      kernel[i * n + j] = kernel[j * n + i] = portable::exp(-ratio * ratio / 2);
    }
  }
  return kernel;
}

// row_sums: of the kernel.
double mmd_squared(std::span<const double> kernel, std::span<const double> row_sums,
                   std::span<const int> second) {
  std::vector<std::size_t> images;
  double all = 0, touching = 0;  // sums over ordered pairs: all, and those that start in second
  for (std::size_t i = 0; i < second.size(); ++i) {
    all += row_sums[i];
    if (second[i] == 0) continue;
    images.push_back(i);
    touching += row_sums[i];
  }
  double within1 = 0;
  for (const std::size_t i : images) {
    for (const std::size_t j : images) within1 += kernel[i * second.size() + j];
  }
  const double between = touching - within1;
  const double within0 = all - within1 - 2 * between;
  const auto n1 = static_cast<double>(images.size());
  const double n0 = static_cast<double>(second.size()) - n1;
  return within1 / (n1 * (n1 - 1)) + within0 / (n0 * (n0 - 1)) - 2 * between / (n0 * n1);
}

double balanced_accuracy(std::span<const double> log_odds, std::span<const int> second) {
  double hits[2] = {0, 0}, count[2] = {0, 0};
  for (std::size_t i = 0; i < second.size(); ++i) {
    count[second[i]] += 1;
    hits[second[i]] += (log_odds[i] > 0) == (second[i] != 0) ? 1 : 0;
  }
  return (hits[0] / count[0] + hits[1] / count[1]) / 2;
}

// Fold per image: groups are shuffled and dealt in turn.
std::vector<std::size_t> deal_folds(const GroupPermutation& permutation, std::size_t folds,
                                    std::uint64_t seed) {
  std::vector<std::size_t> groups(permutation.groups()), fold_of_group(permutation.groups());
  std::iota(groups.begin(), groups.end(), 0);
  RandomStream random(seed, "shift c2st folds");
  random.shuffle(std::span<std::size_t>(groups));
  for (std::size_t g = 0; g < groups.size(); ++g) fold_of_group[groups[g]] = g % folds;
  std::vector<std::size_t> fold;
  for (const std::size_t g : permutation.group_of_image()) fold.push_back(fold_of_group[g]);
  return fold;
}

}  // namespace

ShiftTest ks_shift_test(std::span<const double> scores, const TwoSamples& samples,
                        const PermutationSettings& settings) {
  check(settings, scores.size(), samples.second.size());
  if (std::any_of(scores.begin(), scores.end(), [](double s) { return std::isnan(s); })) {
    throw InputError("a Kolmogorov-Smirnov test got a score that is NaN");
  }
  GroupPermutation permutation(samples);
  if (!permutation.testable()) return {};
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  std::vector<double> statistics;
  for (const auto& second : labellings(samples, permutation, settings, "shift ks")) {
    statistics.push_back(ks_distance(scores, order, second));
  }
  return {statistics[0], p_of(statistics)};
}

ShiftTest mmd_shift_test(const Gram& gram, const TwoSamples& samples,
                         const PermutationSettings& settings) {
  check(settings, gram.n, samples.second.size());
  GroupPermutation permutation(samples);
  if (!permutation.testable()) return {};
  const std::vector<double> kernel = gaussian_kernel(gram);
  if (kernel.empty()) return {};
  std::vector<double> row_sums;
  for (std::size_t i = 0; i < gram.n; ++i) {
    const auto row = std::span(kernel).subspan(i * gram.n, gram.n);
    row_sums.push_back(std::accumulate(row.begin(), row.end(), 0.0));
  }
  std::vector<double> statistics;
  for (const auto& second : labellings(samples, permutation, settings, "shift mmd")) {
    statistics.push_back(mmd_squared(kernel, row_sums, second));
  }
  return {statistics[0], p_of(statistics)};
}

ClassifierShiftTest classifier_shift_test(const Gram& gram, const TwoSamples& samples,
                                          const PermutationSettings& settings, std::size_t folds,
                                          const RidgeLogistic& regression) {
  check(settings, gram.n, samples.second.size());
  if (folds < 2) throw InputError("a classifier two-sample test needs at least two folds");
  GroupPermutation permutation(samples);
  if (!permutation.testable()) return {};
  folds = std::min(folds, permutation.groups());
  const std::vector<std::size_t> fold = deal_folds(permutation, folds, settings.seed);
  const auto all = labellings(samples, permutation, settings, "shift c2st");
  const auto log_odds = cross_fitted_log_odds(gram, fold, folds, all, regression);
  std::vector<double> accuracies, areas;
  for (std::size_t b = 0; b < all.size(); ++b) {
    accuracies.push_back(balanced_accuracy(log_odds[b], all[b]));
    areas.push_back(*auroc(log_odds[b], all[b]));
  }
  return {accuracies[0], p_of(accuracies), areas[0], p_of(areas)};
}

}  // namespace bioptic
