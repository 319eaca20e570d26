// Where the chance comes from: variance components of one number per trial when three sources of
// randomness (data split, initial weights, batch order) are crossed fully.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace bioptic {

// y[i][j][k] = mean + A_i + B_j + C_k + AB_ij + AC_ik + BC_jk + ABC_ijk, all independent with mean
// 0.  One trial per cell: ABC holds the three-way interaction and whatever else makes trials of
// equal seeds differ, which cannot be told apart.
enum class Component : std::size_t { kA, kB, kC, kAB, kAC, kBC, kABC };
inline constexpr std::size_t kComponents = 7;
std::string_view letters(Component component);  // "A", ..., "ABC"

struct VarianceComponent {
  double mean_square = 0, degrees_of_freedom = 0;
  // Solution of mean squares = expected mean squares; unbiased, may be negative.
  double estimate = 0;
  bool negative = false;
  double variance = 0;       // max(estimate, 0)
  double share = 0;          // of the sum of the seven truncated variances; NaN when that is 0
  double low = 0, high = 0;  // interval for the component, both cut at 0
};

struct VarianceComponents {
  double mean = 0;
  double total = 0;  // sum of the seven truncated variances: the variance of a trial, all seeds new
  std::array<VarianceComponent, kComponents> components{};
  const VarianceComponent& operator[](Component c) const {
    return components[static_cast<std::size_t>(c)];
  }
};

// values: one per cell, [a][b][c] row-major, `levels` of each factor at least 2.  Throws InputError
// for another shape or a value that is not finite.
//
// Estimates by the method of moments from the analysis of variance (Searle, Casella & McCulloch
// 1992, chapter 4), which for such a balanced table equals REML wherever no component is negative.
// Intervals by the modified large sample method (Ting, Burdick, Graybill, Jeyaratnam & Lu 1990;
// Burdick & Graybill 1992): in 600 simulated 4 x 4 x 4 tables
// of normal effects, for each of four sets of components, they covered 0.95-0.99, and
// Satterthwaite's 0.5-0.95, because a component is a difference of mean squares.  With 4 levels a
// main effect has 3 degrees of freedom, and its interval is wide.
VarianceComponents variance_components(std::span<const double> values,
                                       std::array<std::size_t, 3> levels, double confidence = 0.95);

}  // namespace bioptic
