// An estimate with its standard error, and the tests that rest on Student's t.
#pragma once

#include <span>
#include <vector>

namespace bioptic {

// value, its standard error (>= 0) and the degrees of freedom of that error.
struct Estimate {
  double value = 0, se = 0, df = 0;
};

struct Interval {
  double low = 0, high = 0;
};

// A standard error below this share of the largest value is rounding (0.78 - 0.76 and 0.80 - 0.78
// differ in the last bits), so it counts as 0: there is then nothing to test with.
inline constexpr double kRounding = 1e-12;

// A difference below this share of the values that it is made of is rounding.
inline constexpr double kRoundingOfDifference = 1e-13;

// The estimate with its value and its standard error 0 where they are rounding; scale: the largest
// sum of the sizes of the values that a difference is made of.
Estimate rounded(Estimate estimate, double scale);

// Mean of independent values, at least 2: se = sd / sqrt(n), df = n - 1.  Over paired differences
// this is the paired t test.
Estimate mean_estimate(std::span<const double> values);

// Two-sided p of "the true value is 0".  se = 0: 1 for a value of 0, NaN (no test) otherwise.
double two_sided_p(const Estimate& estimate);

// t interval; se = 0 gives a single point.
Interval interval_of(const Estimate& estimate, double confidence = 0.95);

// Holm's step-down correction (Holm 1979): one corrected p per p, in the same order.  NaN stays NaN
// and does not count as a test.
std::vector<double> holm(std::span<const double> p);

// The level at which each of those tests was decided: alpha / (m - r + 1) at step r of m tests. The
// step at which the procedure stops decides all that are left.  So p <= its level exactly where the
// corrected p <= alpha, and the interval at that level says what the corrected test says.  NaN for
// NaN.
std::vector<double> holm_levels(std::span<const double> p, double alpha);

}  // namespace bioptic
