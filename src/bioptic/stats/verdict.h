// The one table that decides every verdict.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bioptic/stats/equivalence.h"
#include "bioptic/stats/estimate.h"

namespace bioptic {

inline constexpr double kAlpha = 0.05;
inline constexpr int kLeastSeedsForVerdict = 5;

// The reason for "not allowed" where an effect that is not 0 has no spread.
inline constexpr const char* kNoVariance =
    "the difference is the same in every seed and case: with a variance of zero there is nothing "
    "to "
    "test it against";

// For a claim (or a comparison a against b): positive = supported (a is better).
enum class Verdict { positive, negative, no_effect, undecided, not_allowed };
// "supported", "refuted", "no_effect", "undecided", "not_allowed"
const char* claim_name(Verdict);
// "a_better", "b_better", ...
const char* comparison_name(Verdict);

// One kind of evidence (E1 or E2) on one effect, before correction.
struct Evidence {
  Estimate estimate;        // in the direction in which positive means better
  std::string reason = {};  // why it is not allowed; empty = allowed
  // The arms gave every image the same scores in every seed: one training twice.  Only then does an
  // effect of 0 without spread need no further evidence.
  bool identical = false;
  PatientBound bound = {};  // of E2; none for E1 and for losses
  // Where the test is not the t of `estimate` (exact binomial, intersection-union): its two-sided p
  // and its p against the margin.  estimate.value then only has to have the sign.
  struct Test {
    double p = 1, equivalence = 1;
  };
  std::optional<Test> test = std::nullopt;
};

struct Judgement {
  Verdict verdict = Verdict::not_allowed;
  double p = 0, p_holm = 0;  // two-sided; NaN where there is no test
  double equivalence = 0;    // p against the margin; NaN where there is no test
  double equivalence_holm = 0;
  // How many tests Holm's corrections ran over: of a difference, of equivalence.
  std::size_t family = 0, equivalence_family = 0;
  // The level at which Holm's procedure decided each (holm_levels()); NaN where there is no test.
  double level = 0, equivalence_level = 0;
  // At those levels, so that no interval contradicts the verdict: `interval` excludes 0 exactly
  // where the corrected test does; `equivalent` (each end one-sided) lies within the margin exactly
  // where the corrected test of equivalence says so.  NaN where there is no test or no spread, and
  // for evidence with a test of its own, whose maker knows them.
  Interval interval, equivalent;
  std::string reason;  // of not_allowed
};

// In this order: not allowed (a reason, or a variance of zero with a difference that is not zero);
// equivalent within the margin (p after Holm <= 0.05), or identical: no effect; p after Holm <=
// 0.05: by the sign; else undecided.  One family of each: Holm's corrections run over all of
// `evidence` that is allowed, that of equivalence over those with a margin. margins: one per
// evidence, >= 0; 0 = no margin, never "no effect" but for identical results. Evidence with a test
// of its own has used its margin; here it says whether there was one.
std::vector<Judgement> judge(std::span<const Evidence> evidence, std::span<const double> margins);

// The interval of `estimate` at confidence 1 - level; NaN where it has no spread, unless the arms
// are identical: then 0 to 0.
Interval interval_at(const Evidence& evidence, double level);

}  // namespace bioptic
