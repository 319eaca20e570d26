// The power of a comparison whose variance is known; planned_comparison.h plans with an estimated
// one.
//
// It is that of the two-sided crossed (or paired) t test at level alpha for the true difference
// that the user wants to detect, never for the one observed.
#pragma once

#include <limits>

#include "bioptic/stats/crossed.h"

namespace bioptic {

inline constexpr double kPowerWanted = 0.8;
inline constexpr int kMostSeeds = 10000;
inline constexpr int kMostGroups = 10000000;

// Of the test that is planned for: its level, and the effective number of groups (of_variance,
// effective_groups.h) that a group is worth, which bounds the degrees of freedom.
struct PowerRule {
  double alpha = 0.05;
  double worth = std::numeric_limits<double>::infinity();
};

// seeds, groups >= 2; detect > 0.  1 when the variance is 0, NaN when it is not a finite number (no
// number of seeds or groups is then given below).
double crossed_power(const VarianceParts& parts, double seeds, double groups, double detect,
                     PowerRule rule = {});
double paired_power(double sd_of_difference, int seeds, double detect, double alpha = 0.05);

// Of crossed_gap: with so many seeds and `times` the groups at hand in both splits; seeds >= 2.
double gap_power(const GapVariance& variance, double seeds, double times, double detect,
                 double alpha = 0.05);

}  // namespace bioptic
