#include "bioptic/stats/auroc_interval.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <vector>

#include "bioptic/stats/roc.h"

namespace bioptic {
namespace {

namespace bm = boost::math;
using Policy = bm::policies::policy<bm::policies::promote_double<false>>;

// 1 when the positive outranks the negative, 1/2 for a tie.
double win(double positive, double negative) {
  return positive > negative ? 1 : (positive == negative ? 0.5 : 0);
}

// Per image the number of wins over (or, for a negative image, of) the images of the other class.
struct Wins {
  std::vector<double> of_image;
  double total = 0;  // over all pairs
  double positives = 0, negatives = 0;
};

Wins count_wins(std::span<const double> scores, std::span<const int> positive) {
  std::vector<double> sorted[2];
  for (std::size_t i = 0; i < scores.size(); ++i) sorted[positive[i]].push_back(scores[i]);
  for (auto& s : sorted) std::sort(s.begin(), s.end());
  Wins wins;
  wins.negatives = static_cast<double>(sorted[0].size());
  wins.positives = static_cast<double>(sorted[1].size());
  wins.of_image.reserve(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const std::vector<double>& others = sorted[1 - positive[i]];
    const auto [from, to] = std::equal_range(others.begin(), others.end(), scores[i]);
    const auto ties = static_cast<double>(to - from);
    const auto clear = positive[i] != 0 ? from - others.begin() : others.end() - to;
    wins.of_image.push_back(static_cast<double>(clear) + ties / 2);
    if (positive[i] != 0) wins.total += wins.of_image.back();
  }
  return wins;
}

AurocInterval around(double auroc, double variance, double quantile) {
  const double half = quantile * std::sqrt(variance);
  return {auroc, variance, std::max(0.0, auroc - half), std::min(1.0, auroc + half)};
}

}  // namespace

std::optional<AurocInterval> delong_interval(std::span<const double> scores,
                                             std::span<const int> positive, double confidence) {
  const Wins wins = count_wins(scores, positive);
  const double m = wins.positives, n = wins.negatives;
  if (m < 2 || n < 2) return std::nullopt;
  const double auroc = wins.total / (m * n);
  double squares[2] = {0, 0};  // of the structural components about their mean, per class
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double others = positive[i] != 0 ? n : m;
    const double difference = wins.of_image[i] / others - auroc;
    squares[positive[i]] += difference * difference;
  }
  const double variance = squares[1] / (m - 1) / m + squares[0] / (n - 1) / n;
  const bm::normal_distribution<double, Policy> normal;
  return around(auroc, variance, bm::quantile(normal, 0.5 + confidence / 2));
}

std::vector<double> auroc_without(std::span<const double> scores, std::span<const int> positive,
                                  std::span<const std::size_t> block_of, std::size_t blocks) {
  const Wins wins = count_wins(scores, positive);
  std::vector<std::vector<std::size_t>> members(blocks);
  for (std::size_t i = 0; i < scores.size(); ++i) members[block_of[i]].push_back(i);
  std::vector<double> without;
  for (const std::vector<std::size_t>& images : members) {
    double m = wins.positives, n = wins.negatives, total = wins.total;
    for (const std::size_t i : images) {
      (positive[i] != 0 ? m : n) -= 1;
      total -= wins.of_image[i];
      if (positive[i] == 0) continue;
      for (const std::size_t j : images) {  // pairs within the block were taken away twice
        if (positive[j] == 0) total += win(scores[i], scores[j]);
      }
    }
    without.push_back(m > 0 && n > 0 ? total / (m * n) : std::numeric_limits<double>::quiet_NaN());
  }
  return without;
}

std::optional<AurocInterval> auroc_jackknife(std::span<const double> scores,
                                             std::span<const int> positive,
                                             std::span<const int> groups, double confidence) {
  std::map<int, std::size_t> number;  // of a group
  std::vector<std::size_t> block_of;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    block_of.push_back(
        number.try_emplace(groups.empty() ? static_cast<int>(i) : groups[i], number.size())
            .first->second);
  }
  const std::optional<double> area = auroc(scores, positive);
  if (number.size() < 2 || !area) return std::nullopt;
  const std::vector<double> without = auroc_without(scores, positive, block_of, number.size());
  const auto count = static_cast<double>(without.size());
  double mean = 0, squares = 0;
  for (const double a : without) mean += a / count;
  for (const double a : without) squares += (a - mean) * (a - mean);
  if (std::isnan(mean)) return std::nullopt;  // one group holds all of a class
  const bm::students_t_distribution<double, Policy> t(count - 1);
  return around(*area, (count - 1) / count * squares, bm::quantile(t, 0.5 + confidence / 2));
}

bool has_shared_groups(std::span<const int> groups) {
  std::vector<int> sorted(groups.begin(), groups.end());
  std::sort(sorted.begin(), sorted.end());
  return std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
}

}  // namespace bioptic
