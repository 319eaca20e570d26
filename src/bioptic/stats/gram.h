// Inner products of images' features, and what tells the images apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bioptic {

// What an image holds, whatever its name and place: SHA-256 of its numbers, 64 hex digits.
std::string content_of(std::span<const double> numbers);

// Inner products of standardised rows: gram[i * n + j] = sum over features of z_i z_j / features,
// where z is the feature less its mean over its population standard deviation, both over all n
// rows; a constant feature counts as 0.
struct Gram {
  std::size_t n = 0;
  std::vector<double> products;      // n x n
  std::vector<std::string> content;  // n, of the features as they were given
  double operator()(std::size_t i, std::size_t j) const { return products[i * n + j]; }
};

// features: n x `columns` row-major, finite.  Another order of the rows gives the same products to
// the last bit.  Throws InputError for another shape or value.  Takes about n^2 columns / 2
// multiplications.
Gram standardised_gram(std::span<const double> features, std::size_t columns);

}  // namespace bioptic
