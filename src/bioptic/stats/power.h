// How many seeds or patients a comparison needs.
//
// Power is that of the two-sided crossed (or paired) t test at level alpha for the true difference
// that the user wants to detect, never for the one observed.
#pragma once

#include <limits>
#include <optional>

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

// The smallest number of seeds (at least 5, from where a verdict is given) that reaches
// kPowerWanted with so many groups; nullopt when the groups' part of the variance is by itself too
// large.
std::optional<int> seeds_needed(const VarianceParts& parts, int groups, double detect,
                                PowerRule rule = {});
// The smallest number of groups with so many seeds; nullopt when the seeds' part prevents it.
std::optional<int> groups_needed(const VarianceParts& parts, int seeds, double detect,
                                 PowerRule rule = {});
// Of crossed_gap: with so many seeds and `times` the groups at hand in both splits; seeds >= 2.
double gap_power(const GapVariance& variance, double seeds, double times, double detect,
                 double alpha = 0.05);
std::optional<int> gap_seeds_needed(const GapVariance& variance, double detect,
                                    double alpha = 0.05);
// Groups of both splits together, in the shares at hand.
std::optional<int> gap_groups_needed(const GapVariance& variance, int seeds, double detect,
                                     double alpha = 0.05);
// E1: the paired t over seeds.
std::optional<int> paired_seeds_needed(double sd_of_difference, double detect, double alpha = 0.05);

}  // namespace bioptic
