// How many seeds and cases an effect needs to be found, as a plan and as a range.
#pragma once

#include <optional>

#include "bioptic/stats/planned_comparison.h"
#include "bioptic/stats/verdict.h"
#include "bioptic/study/metric_values.h"

namespace bioptic {

// In all, to find a true effect with a power of 0.8 by a two-sided test.  The numbers to plan with
// go by the upper limit of the variance, the low ones by its lower limit
// (stats/planned_comparison.h).
struct Needed {
  // With the cases at hand.  seeds empty, seeds_low not: whether any number suffices cannot be told
  // yet; both empty: none does (or nothing is known).
  std::optional<int> seeds, seeds_low;
  // With cases_seeds seeds: the present number, or the least doubling of it for which the number of
  // cases is finite and twice as many seeds would not save half of them.
  std::optional<int> cases, cases_low, cases_seeds;
};

// At level alpha, by E2 where the result has its parts and cases enough, else by E1.  detect <= 0:
// nothing.
Needed needed_for(const ContrastResult& result, double detect, double alpha = kAlpha);
// Of a gap between two splits, by E2: with so many seeds and groups, both splits together, at hand.
Needed needed_for_gap(const GapVariance& gap, int seeds, int groups, double detect, double alpha);
// By E1, the paired t; over_seeds: the mean over so many of them (at least 2).
Needed needed_over_seeds(const Estimate& over_seeds, int seeds, double detect, double alpha);

// Without the cases where they are for more seeds than the `seeds` at hand and not more than the
// `groups` at hand: read alone, they would say that what is there suffices.
Needed worth_saying(Needed needed, int seeds, int groups);

}  // namespace bioptic
