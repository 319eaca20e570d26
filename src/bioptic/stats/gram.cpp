#include "bioptic/stats/gram.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>

#include "bioptic/base/error.h"
#include "bioptic/base/sha256.h"
#include "bioptic/stats/dense.h"

namespace bioptic {

std::string content_of(std::span<const double> numbers) {
  std::vector<double> canonical;
  canonical.reserve(numbers.size());
  for (const double v : numbers) canonical.push_back(v + 0.0);  // -0 is 0
  Sha256 hash;
  hash.update(canonical.data(), canonical.size() * sizeof(double));
  return hash.hex();
}

Gram standardised_gram(std::span<const double> features, std::size_t columns) {
  if (columns == 0 || features.size() % columns != 0) {
    throw InputError("a shift test got features that do not fill whole rows");
  }
  if (!std::all_of(features.begin(), features.end(), [](double v) { return std::isfinite(v); })) {
    throw InputError("a shift test got a feature that is not finite");
  }
  Gram gram;
  gram.n = features.size() / columns;
  for (std::size_t i = 0; i < gram.n; ++i) {
    gram.content.push_back(content_of(features.subspan(i * columns, columns)));
  }
  // Sums run in the order of the contents, so that their rounding depends on no order of rows.
  std::vector<std::size_t> order(gram.n);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return gram.content[a] < gram.content[b]; });
  const auto n = static_cast<double>(gram.n);
  std::vector<double> z(features.begin(), features.end());
  for (std::size_t c = 0; c < columns; ++c) {
    double mean = 0, squares = 0;
    bool constant = true;
    for (const std::size_t i : order) {
      mean += z[i * columns + c] / n;
      constant = constant && z[i * columns + c] == z[c];
    }
    for (const std::size_t i : order) {
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

}  // namespace bioptic
