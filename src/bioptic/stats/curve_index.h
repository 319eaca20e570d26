// How steady a curve is: one number per trial and index, to be compared over seeds.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <span>

namespace bioptic {

// Which values of a curve count: [begin, end), positions from 0; `begin` is the burn-in.
struct CurveWindow {
  std::size_t begin = 0;
  std::size_t end = std::numeric_limits<std::size_t>::max();  // cut to the curve's length
};

// Larger means less steady, for each of them, in the units of the curve.  With y_1..y_T in the
// window and first differences d_t = y_t+1 - y_t:
struct CurveIndices {
  // Interquartile range of the d_t (Chan et al. 2020, "Measuring the Reliability of Reinforcement
  // Learning Algorithms"), quantiles by linear interpolation as numpy.quantile.  T >= 3.
  std::optional<double> step_spread;
  // 1.4826 MAD(second differences) / sqrt(6), MAD about the median: consistent for the standard
  // deviation of independent Gaussian noise on a linear trend.  Can be 0 on values in coarse steps.
  // T >= 4.
  std::optional<double> noise_level;
  // (sum of |d_t| - |y_T - y_1|) / (T - 1): 0 for a monotone curve.  T >= 2.
  std::optional<double> excess_travel;
  // Largest worsening from any value to a later one (Chan et al.); 0 if it never worsens.  T >= 2.
  std::optional<double> worst_drawdown;
  // Mean of the worst steps: those no better than the 5 % quantile of the d_t (Chan et al., CVaR on
  // differences), as a worsening, so negative if even the worst steps improve.  T >= 2.
  std::optional<double> worst_steps;
};

// larger_is_better: true for accuracy or AUROC, false for a loss; it turns drawdown and worst_steps
// only.  All indices are empty where the window holds a value that is not finite (a diverged loss).
CurveIndices curve_indices(std::span<const double> curve, CurveWindow window = {},
                           bool larger_is_better = true);

// numpy.quantile(values, q), method "linear", q in [0, 1].  Throws InputError for no values.
double linear_quantile(std::span<const double> values, double q);

}  // namespace bioptic
