// Equivalence within a margin: the two one-sided t tests, and beside them what so many patients can
// show at all.
//
// The t alone takes errors that merely did not vary for errors that are not there: where two arms
// get the same twenty positives right, its variance is 0 whatever other patients would show.  So
// many patients without a discordant one exclude only what would have shown itself among them.
#pragma once

#include <limits>

#include "bioptic/stats/estimate.h"

namespace bioptic {

// What the patients at hand can show, whatever the spread of the values.
struct PatientBound {
  // Kish's effective number of the patients that the metric reads (effective_groups.h); infinite
  // where there is no such bound: for other seeds on these images (E1), for losses.
  double patients = std::numeric_limits<double>::infinity();
  // By which an effect becomes a share of patients: 1 for a difference of two accuracies, 2 for one
  // of two balanced accuracies, which can come from one class of two alone.
  double scale = 1;

  bool exists() const { return patients < std::numeric_limits<double>::infinity(); }
};

// p of "the true effect is at or below -margin" (not_below) and of "it is at or above margin"
// (not_above).
struct OneSided {
  double not_below = 1, not_above = 1;
};

// margin > 0.  Each the larger of the p of Student's t and of the binomial probability of so few
// discordant patients if the true share of them were the margin: with x = patients * max(scale *
// value, 0), I_{1-M}(patients - x, x + 1), M = scale * margin, the regularised incomplete beta
// function, which continues the binomial distribution between whole counts.  No spread (se = 0) and
// no bound: 1, as nothing then tells how much other trainings would differ.
OneSided one_sided_p(const Estimate& estimate, const PatientBound& bound, double margin);

// The larger of the two: p of "the true effect is not within the margin"; 1 for a margin of 0.
double equivalence_p(const Estimate& estimate, const PatientBound& bound, double margin);

// The limits that belong to it: each one-sided at level alpha, so that both lie within +-margin
// exactly where equivalence_p <= alpha.  Upper: the larger of value + t se and of the limit of the
// share of discordant patients, Beta^-1(1 - alpha; x + 1, patients - x) / scale (Clopper and
// Pearson 1934); lower mirrored.  NaN where there is neither spread nor bound.
Interval equivalence_limits(const Estimate& estimate, const PatientBound& bound, double alpha);

// The smallest margin that so many patients can show at level alpha, not one of them being
// discordant: (1 - alpha^(1 / patients)) / scale; 0 without a bound.
double smallest_margin(const PatientBound& bound, double alpha);

}  // namespace bioptic
