// What is said of two arms on one split by one metric.  Plain data.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "bioptic/stats/estimate.h"
#include "bioptic/stats/verdict.h"
#include "bioptic/study/inference.h"
#include "bioptic/study/reach.h"

namespace bioptic {

// One verdict and what it rests on, in the metric's units and sign (of a comparison: a - b).
// Numbers are NaN where there is none.
struct JudgedEvidence {
  Verdict verdict = Verdict::not_allowed;  // positive: a is better (a claim is supported)
  double p = 0, p_holm = 0;                // two-sided
  // At `confidence`, 1 less the level at which Holm's procedure decided this test: it excludes 0
  // exactly where p_holm <= 0.05.
  double low = 0, high = 0, confidence = 0;
  double df = 0;
  double equivalence_p = 0;  // against the margin, see equivalence.h
  double equivalence_p_holm = 0;
  // How many tests Holm's corrections ran over, of a difference and of equivalence: those pairs (or
  // claims) of the family that could be tested.
  std::size_t family = 0, equivalence_family = 0;
  // The limits of that test at its own level, which both lie within the margin exactly where
  // equivalence_p_holm <= 0.05; confidence: 1 less twice that level, as each end is one-sided.
  double equivalence_low = std::numeric_limits<double>::quiet_NaN();
  double equivalence_high = std::numeric_limits<double>::quiet_NaN();
  double equivalence_confidence = std::numeric_limits<double>::quiet_NaN();
  // The smallest margin that the patients at hand can show at that level; 0 without such a bound.
  double smallest_margin = 0;
  std::string reason;  // of not_allowed

  // What is shown beside the verdict: the limits that "no effect" rests on, else low and high.
  struct Shown {
    double low = 0, high = 0, confidence = 0;
  };
  // The p of the test that the verdict rests on, after Holm's correction.
  double shown_p() const {
    return verdict == Verdict::no_effect && equivalence_p_holm == equivalence_p_holm
               ? equivalence_p_holm
               : p_holm;
  }
  Shown shown() const {
    if (verdict == Verdict::no_effect && equivalence_low == equivalence_low) {  // not NaN
      return {equivalence_low, equivalence_high, equivalence_confidence};
    }
    return {low, high, confidence};
  }
};

struct Comparison {
  std::string a, b, split, metric;  // metric: "accuracy", "auroc", ...
  double mean_a = 0, mean_b = 0;    // over the shared seeds
  double difference = 0;            // a - b; NaN where there is none
  std::size_t seeds = 0, images = 0, groups = 0;
  bool less_is_better = false;
  JudgedEvidence e1, e2;
  double sign_flip_p = 0;             // beside E1; NaN where there is no test
  std::optional<Interval> bootstrap;  // beside E2: crossed bootstrap of accuracy, 10 seeds and more
  bool seeds_floored = false, groups_floored = false;
  double a_greater = 0;        // P(a better than b): share of the seeds, a tie counts one half;
                               // NaN below five seeds or where they are no repetitions
  Interval a_greater_between;  // Clopper and Pearson's
  bool meaningful = false;     // Bouthillier et al. 2021
  double margin = 0;           // 0: none in this metric's units
  double detect = 0;           // 0: none in this metric's units
  Inference inference = Inference::patients;
  double worth = 0;  // of E2: the groups weigh as much as so many of equal size (Kish); 0: no E2
  std::string bounded_by;  // ContrastResult::bounded_by
  // The number to plan with, in all, for a power of 0.8 at a true difference of `detect`, by E2
  // where it exists, else by E1, at level 0.05 / power_tests: of the headline's family, as Holm's
  // correction begins with it.  As few as the low number may be enough (needed.h).
  //
  // seeds_needed: with these cases; empty where none is known to suffice.  Then, with a low number,
  // it cannot be told yet whether any does; without one, none does (or nothing is known).
  //
  // cases_needed: groups, with cases_needed_seeds seeds: the present number, or a doubling of it.
  std::optional<int> seeds_needed, seeds_needed_low;
  std::optional<int> cases_needed, cases_needed_low, cases_needed_seeds;
  std::size_t power_tests = 1;
  int collapsed_a = 0, collapsed_b = 0;  // of the shared seeds
  // Only where some trials of an arm collapsed and some did not: over the seeds of which neither
  // did.
  struct WithoutCollapsed {
    std::size_t seeds = 0;
    double difference = 0, low = 0, high = 0;  // interval over seeds; NaN for one seed
  };
  std::optional<WithoutCollapsed> without_collapsed;
  std::string chosen;  // what this split chose in these arms, as a sentence; "" = nothing
  std::string repeated = "seeds";      // what changed from one training to the next
  std::string resampled;               // ContrastResult::resampled
  std::optional<SharedGroups> shared;  // of the split's groups, those that training has, too
  std::string explanation;             // one plain sentence or two

  // The evidence on what was asked.  Where E2 is asked for and not allowed, so is the verdict: none
  // is borrowed from E1, which stands beside it for what it is.
  bool headline_is_e2() const { return inference == Inference::patients; }
  const JudgedEvidence& headline() const { return headline_is_e2() ? e2 : e1; }
};

}  // namespace bioptic
