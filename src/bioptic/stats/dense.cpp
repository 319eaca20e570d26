#include "bioptic/stats/dense.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace bioptic {
namespace {

// Partial sums of a product, or columns that are worked on side by side.
constexpr std::size_t kLanes = 8;
using Lanes = std::array<double, kLanes>;

}  // namespace

double dot(const double* a, const double* b, std::size_t n) {
  // eight fixed partial sums: a compiler can vectorise them and must not reorder them
  Lanes sum{};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (std::size_t l = 0; l < kLanes; ++l) sum[l] += a[i + l] * b[i + l];
  }
  for (; i < n; ++i) sum[i % kLanes] += a[i] * b[i];
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

void cholesky(std::vector<double>& a, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      const double rest = a[i * n + j] - dot(&a[i * n], &a[j * n], j);
      a[i * n + j] = i == j ? std::sqrt(rest) : rest / a[j * n + j];
    }
  }
}

std::vector<double> inverse_of(const std::vector<double>& factor, std::size_t n) {
  // Row j of `columns` is column j of the factor's inverse, 0 before its entry j.
  std::vector<double> columns(n * n, 0);
  for (std::size_t j = 0; j < n; ++j) {
    double* column = &columns[j * n];
    column[j] = 1 / factor[j * n + j];
    for (std::size_t i = j + 1; i < n; ++i) {
      column[i] = -dot(&factor[i * n + j], column + j, i - j) / factor[i * n + i];
    }
  }
  std::vector<double> inverse(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      inverse[i * n + j] = inverse[j * n + i] =
          dot(&columns[i * n + i], &columns[j * n + i], n - i);
    }
  }
  return inverse;
}

void solve(const std::vector<double>& factor, std::size_t n, std::vector<double>& b,
           std::size_t columns) {
  std::vector<Lanes> x(n);
  for (std::size_t first = 0; first < columns; first += kLanes) {
    const std::size_t count = std::min(kLanes, columns - first);
    for (std::size_t i = 0; i < n; ++i) {
      Lanes sum{};
      for (std::size_t l = 0; l < count; ++l) sum[l] = b[i * columns + first + l];
      for (std::size_t j = 0; j < i; ++j) {
        const double entry = factor[i * n + j];
        for (std::size_t l = 0; l < kLanes; ++l) sum[l] -= entry * x[j][l];
      }
      for (std::size_t l = 0; l < kLanes; ++l) x[i][l] = sum[l] / factor[i * n + i];
    }
    for (std::size_t i = n; i-- > 0;) {
      for (std::size_t l = 0; l < kLanes; ++l) x[i][l] /= factor[i * n + i];
      const Lanes now = x[i];
      for (std::size_t j = 0; j < i; ++j) {
        const double entry = factor[i * n + j];
        for (std::size_t l = 0; l < kLanes; ++l) x[j][l] -= entry * now[l];
      }
    }
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t l = 0; l < count; ++l) b[i * columns + first + l] = x[i][l];
    }
  }
}

std::vector<std::vector<double>> times_labellings(std::span<const double> matrix, std::size_t n,
                                                  std::span<const std::vector<int>> labellings) {
  std::vector<std::vector<double>> products(labellings.size(), std::vector<double>(n));
  std::vector<Lanes> labels(n);
  for (std::size_t first = 0; first < labellings.size(); first += kLanes) {
    const std::size_t count = std::min(kLanes, labellings.size() - first);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t l = 0; l < kLanes; ++l) {
        labels[i][l] = labellings[first + std::min(l, count - 1)][i];  // spare lanes: the last
      }
    }
    for (std::size_t i = 0; i < n; i += 2) {  // two rows at a time read the labels once
      const std::size_t next = std::min(i + 1, n - 1);
      Lanes sum{}, sum_next{};
      for (std::size_t j = 0; j < n; ++j) {
        const double entry = matrix[i * n + j], entry_next = matrix[next * n + j];
        for (std::size_t l = 0; l < kLanes; ++l) {
          sum[l] += entry * labels[j][l];
          sum_next[l] += entry_next * labels[j][l];
        }
      }
      for (std::size_t l = 0; l < count; ++l) {
        products[first + l][i] = sum[l];
        products[first + l][next] = sum_next[l];
      }
    }
  }
  return products;
}

}  // namespace bioptic
