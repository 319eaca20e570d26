#include "bioptic/stats/shift.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "bioptic/base/error.h"
#include "bioptic/base/portable_math.h"
#include "bioptic/stats/curve_index.h"
#include "bioptic/stats/dense.h"
#include "bioptic/stats/roc.h"

namespace bioptic {
namespace {

void check(const PermutationSettings& settings, std::size_t images, std::size_t expected) {
  if (settings.permutations < 1) throw InputError("a shift test needs at least one permutation");
  if (images != expected) {
    throw InputError("a shift test got a different number of samples than of images");
  }
}

// The observed labelling first, then the permuted ones; images in canonical order.
std::vector<std::vector<int>> labellings(GroupPermutation& permutation,
                                         const PermutationSettings& settings,
                                         std::string_view stream) {
  RandomStream random(settings.seed, stream);
  std::vector<std::vector<int>> all = {permutation.second()};
  for (int b = 0; b < settings.permutations; ++b) all.push_back(permutation.next(random));
  return all;
}

// statistics: the observed one first.
double p_of(const std::vector<double>& statistics) {
  return permutation_p(statistics[0], std::span(statistics).subspan(1));
}

Gram in_order(const Gram& gram, const std::vector<std::size_t>& order) {
  Gram ordered;
  ordered.n = gram.n;
  ordered.products.reserve(gram.products.size());
  for (const std::size_t i : order) {
    ordered.content.push_back(gram.content[i]);
    for (const std::size_t j : order) ordered.products.push_back(gram(i, j));
  }
  return ordered;
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

double balanced_accuracy(std::span<const double> scores, std::span<const int> second) {
  double hits[2] = {0, 0}, count[2] = {0, 0};
  for (std::size_t i = 0; i < second.size(); ++i) {
    count[second[i]] += 1;
    hits[second[i]] += (scores[i] > 0) == (second[i] != 0) ? 1 : 0;
  }
  return (hits[0] / count[0] + hits[1] / count[1]) / 2;
}

// Held-out scores of every labelling, n each.
std::vector<std::vector<double>> scores_of(const Gram& gram, const GroupPermutation& permutation,
                                           const std::vector<std::vector<int>>& labellings,
                                           std::uint64_t seed,
                                           const ClassifierSettings& classifier) {
  // Images that are all alike tell nothing.
  if (permutation.folds(classifier.folds) < 2) {
    return std::vector(labellings.size(), std::vector<double>(gram.n, 0));
  }
  std::vector<std::vector<std::size_t>> deals;
  for (std::size_t d = 0; d < classifier.deals; ++d) {
    deals.push_back(permutation.deal_folds(classifier.folds, seed, d));
  }
  auto scores =
      times_labellings(held_out_scores(gram, deals, classifier.ridge), gram.n, labellings);
  // Scores are of the size of a probability: to nine digits, images alike tie, as they should, and
  // rounding decides on no sign.
  constexpr double kGrid = 1e9;
  for (std::vector<double>& of_images : scores) {
    for (double& score : of_images) score = std::round(score * kGrid) / kGrid;
  }
  return scores;
}

}  // namespace

ShiftTest ks_shift_test(std::span<const double> scores, const TwoSamples& samples,
                        const PermutationSettings& settings) {
  check(settings, scores.size(), samples.second.size());
  if (std::any_of(scores.begin(), scores.end(), [](double s) { return std::isnan(s); })) {
    throw InputError("a Kolmogorov-Smirnov test got a score that is NaN");
  }
  std::vector<std::string> content;
  for (const double& score : scores) content.push_back(content_of({&score, 1}));
  GroupPermutation permutation(samples, content);
  if (!permutation.testable()) return {};
  std::vector<double> ordered;
  for (const std::size_t i : permutation.order()) ordered.push_back(scores[i]);
  std::vector<std::size_t> ascending(ordered.size());
  std::iota(ascending.begin(), ascending.end(), 0);
  std::sort(ascending.begin(), ascending.end(),
            [&](std::size_t a, std::size_t b) { return ordered[a] < ordered[b]; });
  std::vector<double> statistics;
  for (const auto& second : labellings(permutation, settings, "shift ks")) {
    statistics.push_back(ks_distance(ordered, ascending, second));
  }
  return {statistics[0], p_of(statistics)};
}

ShiftTest mmd_shift_test(const Gram& gram, const TwoSamples& samples,
                         const PermutationSettings& settings) {
  check(settings, gram.n, samples.second.size());
  GroupPermutation permutation(samples, gram.content);
  if (!permutation.testable()) return {};
  const std::vector<double> kernel = gaussian_kernel(in_order(gram, permutation.order()));
  if (kernel.empty()) return {};
  std::vector<double> row_sums;
  for (std::size_t i = 0; i < gram.n; ++i) {
    const auto row = std::span(kernel).subspan(i * gram.n, gram.n);
    row_sums.push_back(std::accumulate(row.begin(), row.end(), 0.0));
  }
  std::vector<double> statistics;
  for (const auto& second : labellings(permutation, settings, "shift mmd")) {
    statistics.push_back(mmd_squared(kernel, row_sums, second));
  }
  return {statistics[0], p_of(statistics)};
}

ClassifierShiftTest classifier_shift_test(const Gram& gram, const TwoSamples& samples,
                                          const PermutationSettings& settings,
                                          const ClassifierSettings& classifier) {
  check(settings, gram.n, samples.second.size());
  if (classifier.folds < 2 || classifier.deals < 1) {
    throw InputError("a classifier two-sample test needs at least two folds and one deal of them");
  }
  GroupPermutation permutation(samples, gram.content);
  if (!permutation.testable()) return {};
  const auto all = labellings(permutation, settings, "shift c2st");
  const auto scores =
      scores_of(in_order(gram, permutation.order()), permutation, all, settings.seed, classifier);
  std::vector<double> accuracies, areas;
  for (std::size_t b = 0; b < all.size(); ++b) {
    accuracies.push_back(balanced_accuracy(scores[b], all[b]));
    areas.push_back(*auroc(scores[b], all[b]));
  }
  return {accuracies[0], p_of(accuracies), areas[0], p_of(areas)};
}

}  // namespace bioptic
