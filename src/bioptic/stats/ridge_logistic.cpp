#include "bioptic/stats/ridge_logistic.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "bioptic/base/error.h"
#include "bioptic/base/portable_math.h"

namespace bioptic {
namespace {

// Labellings that are fitted side by side, so that a row of the factor is read once for all.
constexpr std::size_t kLanes = 8;
using Lanes = std::array<double, kLanes>;

// Sum of products in eight fixed partial sums: a compiler can vectorise it and must not reorder it.
double dot(const double* a, const double* b, std::size_t n) {
  Lanes sum{};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (std::size_t l = 0; l < kLanes; ++l) sum[l] += a[i + l] * b[i + l];
  }
  for (; i < n; ++i) sum[i % kLanes] += a[i] * b[i];
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

// Lower Cholesky factor in place of a symmetric positive definite matrix, row-major.
void cholesky(std::vector<double>& a, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      const double rest = a[i * n + j] - dot(&a[i * n], &a[j * n], j);
      a[i * n + j] = i == j ? std::sqrt(rest) : rest / a[j * n + j];
    }
  }
}

// Solves L L' x = b in place, every lane a right-hand side of its own.
void solve(const std::vector<double>& factor, std::size_t n, std::vector<Lanes>& x) {
  for (std::size_t i = 0; i < n; ++i) {
    Lanes sum = x[i];
    for (std::size_t j = 0; j < i; ++j) {
      const double entry = factor[i * n + j];
      for (std::size_t l = 0; l < kLanes; ++l) sum[l] -= entry * x[j][l];
    }
    for (std::size_t l = 0; l < kLanes; ++l) x[i][l] = sum[l] / factor[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    Lanes now = x[i];
    for (std::size_t l = 0; l < kLanes; ++l) now[l] /= factor[i * n + i];
    x[i] = now;
    for (std::size_t j = 0; j < i; ++j) {
      const double entry = factor[i * n + j];
      for (std::size_t l = 0; l < kLanes; ++l) x[j][l] -= entry * now[l];
    }
  }
}

struct Fold {
  std::vector<std::size_t> train, held;
  std::vector<double> factor;  // of kernel / 4 + ridge * identity over train
};

Fold prepare(const Gram& gram, std::span<const std::size_t> fold, std::size_t which,
             const RidgeLogistic& settings) {
  Fold f;
  for (std::size_t i = 0; i < gram.n; ++i) (fold[i] == which ? f.held : f.train).push_back(i);
  const std::size_t m = f.train.size();
  f.factor.resize(m * m);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < m; ++j) {
      f.factor[i * m + j] = (gram(f.train[i], f.train[j]) + settings.intercept_scale) / 4;
    }
    f.factor[i * m + i] += settings.ridge;
  }
  cholesky(f.factor, m);
  return f;
}

// Dual coefficients of the training images: weights = sum of coefficient * image.
std::vector<Lanes> fit(const Fold& f, const std::vector<Lanes>& y, const RidgeLogistic& settings) {
  const std::size_t m = f.train.size();
  std::vector<Lanes> coefficient(m), log_odds(m), residual(m), step;
  for (int k = 0; k < settings.max_steps; ++k) {
    double largest = 0;
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t l = 0; l < kLanes; ++l) {
        residual[i][l] = y[f.train[i]][l] - portable::sigmoid(log_odds[i][l]) -
                         settings.ridge * coefficient[i][l];
        largest = std::max(largest, std::abs(residual[i][l]));
      }
    }
    if (largest <= settings.tolerance) break;
    step = residual;
    solve(f.factor, m, step);
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t l = 0; l < kLanes; ++l) {
        coefficient[i][l] += step[i][l];
        // kernel * step, from (kernel / 4 + ridge) step = residual without another product
        log_odds[i][l] += 4 * (residual[i][l] - settings.ridge * step[i][l]);
      }
    }
  }
  return coefficient;
}

// Writes the held-out log odds of one batch of labellings.
void predict(const Gram& gram, const Fold& f, const std::vector<Lanes>& y,
             const RidgeLogistic& settings, std::vector<Lanes>& out) {
  const std::vector<Lanes> coefficient = fit(f, y, settings);
  Lanes prior{};
  for (const std::size_t t : f.train) {
    for (std::size_t l = 0; l < kLanes; ++l) prior[l] += y[t][l];
  }
  for (double& p : prior) {
    p = portable::log((p + 0.5) / (static_cast<double>(f.train.size()) - p + 0.5));
  }
  for (const std::size_t h : f.held) {
    Lanes sum{};
    for (std::size_t i = 0; i < f.train.size(); ++i) {
      const double kernel = gram(h, f.train[i]) + settings.intercept_scale;
      for (std::size_t l = 0; l < kLanes; ++l) sum[l] += kernel * coefficient[i][l];
    }
    for (std::size_t l = 0; l < kLanes; ++l) out[h][l] = sum[l] - prior[l];
  }
}

}  // namespace

Gram standardised_gram(std::span<const double> features, std::size_t columns) {
  if (columns == 0 || features.size() % columns != 0) {
    throw InputError("a shift test got features that do not fill whole rows");
  }
  if (!std::all_of(features.begin(), features.end(), [](double v) { return std::isfinite(v); })) {
    throw InputError("a shift test got a feature that is not finite");
  }
  Gram gram;
  gram.n = features.size() / columns;
  const auto n = static_cast<double>(gram.n);
  std::vector<double> z(features.begin(), features.end());
  for (std::size_t c = 0; c < columns; ++c) {
    double mean = 0, squares = 0;
    bool constant = true;
    for (std::size_t i = 0; i < gram.n; ++i) {
      mean += z[i * columns + c] / n;
      constant = constant && z[i * columns + c] == z[c];
    }
    for (std::size_t i = 0; i < gram.n; ++i) {
      z[i * columns + c] -= mean;
      squares += z[i * columns + c] * z[i * columns + c];
    }
    const double sd = std::sqrt(squares / n);
    for (std::size_t i = 0; i < gram.n; ++i) {
      z[i * columns + c] = constant ? 0 : z[i * columns + c] / sd;
    }
  }
  gram.products.resize(gram.n * gram.n);
  for (std::size_t i = 0; i < gram.n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      const double product =
          dot(&z[i * columns], &z[j * columns], columns) / static_cast<double>(columns);
      gram.products[i * gram.n + j] = gram.products[j * gram.n + i] = product;
    }
  }
  return gram;
}

std::vector<std::vector<double>> cross_fitted_log_odds(const Gram& gram,
                                                       std::span<const std::size_t> fold,
                                                       std::size_t folds,
                                                       std::span<const std::vector<int>> labellings,
                                                       const RidgeLogistic& settings) {
  std::vector<Fold> prepared;
  for (std::size_t k = 0; k < folds; ++k) prepared.push_back(prepare(gram, fold, k, settings));
  std::vector<std::vector<double>> result(labellings.size(), std::vector<double>(gram.n));
  std::vector<Lanes> y(gram.n), out(gram.n);
  for (std::size_t first = 0; first < labellings.size(); first += kLanes) {
    const std::size_t count = std::min(kLanes, labellings.size() - first);
    for (std::size_t i = 0; i < gram.n; ++i) {
      for (std::size_t l = 0; l < kLanes; ++l) {
        y[i][l] = labellings[first + std::min(l, count - 1)][i];  // spare lanes repeat the last
      }
    }
    for (const Fold& f : prepared) predict(gram, f, y, settings, out);
    for (std::size_t l = 0; l < count; ++l) {
      for (std::size_t i = 0; i < gram.n; ++i) result[first + l][i] = out[i][l];
    }
  }
  return result;
}

}  // namespace bioptic
