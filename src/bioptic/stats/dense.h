// The little linear algebra that the shift tests need, with sums in a fixed order, so that the same
// numbers give the same bits on every machine.  Matrices are row-major.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace bioptic {

// Sum of products of the first n entries.
double dot(const double* a, const double* b, std::size_t n);

// Lower Cholesky factor in place of a symmetric positive definite matrix, n x n; what stands above
// the diagonal stays.
void cholesky(std::vector<double>& a, std::size_t n);

// Inverse, n x n, of the matrix with this Cholesky factor.
std::vector<double> inverse_of(const std::vector<double>& factor, std::size_t n);

// Solves factor factor' X = B in place of B, n x columns.
void solve(const std::vector<double>& factor, std::size_t n, std::vector<double>& b,
           std::size_t columns);

// One vector (n) for every labelling: matrix (n x n) times the labelling's n numbers 0 or 1.
std::vector<std::vector<double>> times_labellings(std::span<const double> matrix, std::size_t n,
                                                  std::span<const std::vector<int>> labellings);

}  // namespace bioptic
