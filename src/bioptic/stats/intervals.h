// Intervals for means and proportions.
#pragma once

#include <cstddef>
#include <span>

namespace bioptic {

struct MeanInterval {
  double mean = 0, sd = 0, low = 0, high = 0;  // sd, low, high are NaN for n < 2; all NaN for n = 0
  int n = 0;
};

// Student's t interval for the mean of independent values; sd with n - 1.
MeanInterval t_interval(std::span<const double> values, double confidence = 0.95);

struct Proportion {
  double value = 0, low = 0, high = 0;  // all NaN for n = 0
};

// Wilson's score interval (Wilson 1927) for `hits` of `n`.
Proportion wilson_interval(std::size_t hits, std::size_t n, double confidence = 0.95);

// The same for a proportion of images that are not independent: value in [0, 1], and the number of
// independent ones that they are worth, above 0 (compare Korn & Graubard 1998).
Proportion wilson_interval_of(double value, double effective, double confidence = 0.95);

}  // namespace bioptic
