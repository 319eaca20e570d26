#include "bioptic/stats/ridge_discriminant.h"

#include <algorithm>
#include <numeric>

#include "bioptic/stats/dense.h"

namespace bioptic {
namespace {

// C = gram + ridge; inverse(C) less its part along the intercept, n x n.
std::vector<double> residual_maker(const Gram& gram, double ridge) {
  const std::size_t n = gram.n;
  std::vector<double> factor = gram.products;
  for (std::size_t i = 0; i < n; ++i) factor[i * n + i] += ridge;
  cholesky(factor, n);
  std::vector<double> a = inverse_of(factor, n);
  std::vector<double> row_sums;
  for (std::size_t i = 0; i < n; ++i) {
    const auto row = std::span(a).subspan(i * n, n);
    row_sums.push_back(std::accumulate(row.begin(), row.end(), 0.0));
  }
  const double sum = std::accumulate(row_sums.begin(), row_sums.end(), 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) a[i * n + j] -= row_sums[i] * row_sums[j] / sum;
  }
  return a;
}

struct Fold {
  std::vector<std::size_t> held, train;
};

// Adds `share` of the fold's rows to `scores`: -inverse(A_hh) A_ht, less the mean of the training
// labels.  a: residual_maker.
void add_fold(const std::vector<double>& a, std::size_t n, const Fold& f, double share,
              std::vector<double>& scores) {
  const std::size_t h = f.held.size(), m = f.train.size();
  std::vector<double> factor(h * h), rows(h * m);
  for (std::size_t i = 0; i < h; ++i) {
    const double* from = &a[f.held[i] * n];
    for (std::size_t j = 0; j < h; ++j) factor[i * h + j] = from[f.held[j]];
    for (std::size_t j = 0; j < m; ++j) rows[i * m + j] = -from[f.train[j]];
  }
  cholesky(factor, h);
  solve(factor, h, rows, m);
  const double mean = 1 / static_cast<double>(m);
  for (std::size_t i = 0; i < h; ++i) {
    for (std::size_t j = 0; j < m; ++j) {
      scores[f.held[i] * n + f.train[j]] += share * (rows[i * m + j] - mean);
    }
  }
}

}  // namespace

std::vector<double> held_out_scores(const Gram& gram,
                                    std::span<const std::vector<std::size_t>> deals, double ridge) {
  const std::vector<double> a = residual_maker(gram, ridge);
  std::vector<double> scores(gram.n * gram.n, 0);
  for (const std::vector<std::size_t>& fold : deals) {
    const std::size_t folds = *std::max_element(fold.begin(), fold.end()) + 1;
    for (std::size_t k = 0; k < folds; ++k) {
      Fold f;
      for (std::size_t i = 0; i < gram.n; ++i) (fold[i] == k ? f.held : f.train).push_back(i);
      add_fold(a, gram.n, f, 1 / static_cast<double>(deals.size()), scores);
    }
  }
  return scores;
}

}  // namespace bioptic
