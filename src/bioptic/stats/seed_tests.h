// Tests and descriptions over paired seeds that do not rest on Student's t.
#pragma once

#include <cstdint>
#include <span>

#include "bioptic/stats/estimate.h"

namespace bioptic {

// Sign-flip permutation test of paired differences (Fisher): two-sided p, exact over all 2^S sign
// patterns up to S = 20, above that by 100,000 draws from the stream "sign flip" of seed 0, the
// observed pattern counted (Phipson and Smyth 2010).  The smallest possible p is 2 / 2^S.
double sign_flip_p(std::span<const double> differences);

// Clopper and Pearson's exact interval of a share (1934); whole hits in [0, n].
Interval exact_interval(double hits, double n, double confidence = 0.95);

// P(A > B): the share of paired seeds where A is better, ties counting one half, with the exact 95
// % interval: five seeds of five are no certainty.  A half is no count, so where the ties leave one
// the interval reaches from the low end of the whole number below to the high end of that above.
struct ShareGreater {
  double share = 0;
  Interval interval;
  // Bouthillier et al. 2021: low end above 0.5 and high end above 0.75.
  bool meaningful = false;
};
ShareGreater share_greater(std::span<const double> differences);

// Exact two-sided binomial test of `hits` in n against 1/2.
double binomial_p(int hits, int n);

// McNemar's exact test on the images that exactly one of two trained models gets right.  It
// compares two models, never two settings.
double mcnemar_p(int only_a_right, int only_b_right);

}  // namespace bioptic
