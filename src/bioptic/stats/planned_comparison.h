// How many seeds and cases a planned comparison needs, as well as a pilot can tell.
//
// A pilot of few seeds knows the variance V of a comparison only roughly: with 5 seeds the estimate
// is too low by half in one study of four.  A plan by the estimate itself keeps its promised power
// in one of two.  So a plan is made for the upper 80 % limit of V at the planned numbers of seeds
// and cases (variance_limits.h), and the lower one says how few could be enough.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "bioptic/stats/crossed.h"
#include "bioptic/stats/power.h"
#include "bioptic/stats/variance_limits.h"

namespace bioptic {

// Of each limit by itself, so that between the two lie 60 %.
inline constexpr double kPlanConfidence = 0.8;

// Which V: the estimate with its floors, or one of its limits, which lie around it.
enum class Of { low, estimate, high };

struct NeededRange {
  std::optional<int> low;   // by the lower limit of V: as few may be enough
  std::optional<int> safe;  // by the upper one: the number to plan with; never below `low`
  // low empty: none suffices.  safe empty, low not: the pilot cannot tell whether any does.
};

class PlannedComparison {
 public:
  // E2.  Parts without a pilot are taken for known: all three V are one.
  static PlannedComparison crossed(const VarianceParts& parts, PowerRule rule = {});
  // Of crossed_gap; groups below are those of both splits together, in the shares at hand.
  static PlannedComparison gap(const GapVariance& variance, double alpha = 0.05);
  // E1, the paired t over seeds: sd of the difference between them, with its degrees of freedom.
  // Groups below are of no account.
  static PlannedComparison paired(double sd_of_difference, double df, double alpha = 0.05);

  // seeds, groups >= 2.  NaN where V is not a finite number; no number is then given below.
  double variance(double seeds, double groups, Of of) const;
  double power(double seeds, double groups, double detect, Of of) const;

  // The smallest number of seeds, from 5 on, that reaches kPowerWanted with so many groups; of
  // groups with so many seeds.  At most kMostSeeds, kMostGroups.
  NeededRange seeds_needed(double groups, double detect) const;
  NeededRange groups_needed(double seeds, double detect) const;

 private:
  // A mean square's coefficient in V: per_seeds / S + per_groups / G + per_both / (S G).
  struct Term {
    double per_seeds = 0, per_groups = 0, per_both = 0;
  };
  using OfDesign = std::function<double(double seeds, double groups)>;
  using Power = std::function<double(double seeds, double groups, double detect, double variance)>;

  PlannedComparison(OfDesign estimate, Power power, int least_groups)
      : estimate_(std::move(estimate)), power_(std::move(power)), least_groups_(least_groups) {}
  void learn(std::vector<MeanSquare> mean_squares, std::vector<Term> terms);

  OfDesign estimate_;
  Power power_;  // for a V, by parts that are turned so that they give it
  int least_groups_ = 2;
  std::vector<Term> terms_;
  std::optional<VarianceLimits> limits_;
};

}  // namespace bioptic
