// Tests that a claim is made of, and claims that hold only when all of several tests do.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "bioptic/stats/estimate.h"
#include "bioptic/stats/verdict.h"

namespace bioptic {

// One directed effect: positive = as claimed.
struct DirectedTest {
  double value = 0;
  double p = 1;  // two-sided
  // One-sided p of "the effect is not below -margin" and of "it is not above margin": evidence
  // against a relevant effect to the one and to the other side.
  double not_below = 1, not_above = 1;
  std::string reason;  // why there is no test; empty = there is one
  // The interval that excludes 0 exactly where p <= level; NaN where there is no spread.
  std::function<Interval(double level)> interval;
  // The limits that lie within the margin where max(not_below, not_above) <= level (equivalence.h).
  std::function<Interval(double level)> equivalent;
};

// Student's t, with what the patients can show (bound).  No spread and a value of 0: no effect
// whatever the margin where the arms are identical; no spread and another value: not allowed.
// margin >= 0; 0 = none.
DirectedTest t_test(const Evidence& evidence, double margin);

// Exact binomial test of `hits` among n seeds against 1/2; value and interval (Clopper and Pearson
// 1934) are of the share less 1/2.  margin in [0, 0.5).
DirectedTest share_test(int hits, int n, double margin);

// The smallest number of seeds (at least 5) at which share_test has kPowerWanted of power when the
// true share is 1/2 + detect, at level alpha; detect in (0, 0.5).  0 when none below 10,000 has.
int share_seeds_needed(double detect, double alpha = kAlpha);

// "All of them hold" (intersection-union, Berger 1982).  Where all values are above 0: the largest
// p.  Where some are not: that any of those is refuted, by Holm's correction over all the tests;
// the smallest such p.  Equivalence: no test is below -margin, and at least one is not above its
// margin (Bonferroni over the tests), so that the conjunction claims an effect that is not there.
struct UnionTest {
  // With the value of the deciding one, its interval, at the level that its p was corrected by, and
  // the equivalence limits of `equivalent`, likewise.
  DirectedTest test;
  std::size_t deciding = 0;    // the one that p belongs to
  std::size_t equivalent = 0;  // the one that equivalence rests on
};
UnionTest intersection_union(std::span<const DirectedTest> tests);

// For judge(): the test as evidence.
Evidence evidence_of(const DirectedTest& test);

}  // namespace bioptic
