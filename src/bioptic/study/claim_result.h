// What the statistics say of a claim.  Plain data.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "bioptic/study/claim_spec.h"
#include "bioptic/study/comparison.h"

namespace bioptic {

// The evidence on whether a gap is there because the images differ, each piece by itself: a
// significant shift test alone never supports it.
enum class Piece {
  holds,
  fails,
  open,    // looked at, not decided
  missing  // not looked at
};
struct ShiftEvidence {
  Piece shift_found = Piece::missing;     // a shift test of test against the hold-out
  Piece part_remains = Piece::missing;    // hold-out less test is a part of the gap
  Piece control_clears = Piece::missing;  // the control arm, without the shift, has no such gap
  std::string words;                      // what was found, for the sentence; may be empty
};

// One test that a claim is made of: a pair of an order, a part of an all_of.
struct ClaimPart {
  std::string words;                     // "test accuracy of 'a' less that of 'b'"
  double effect = 0, low = 0, high = 0;  // E1's, 95 %, not corrected; NaN where there is none
  double p1 = 0, p2 = 0;                 // two-sided, not corrected, E1 and E2; NaN: no test
  double null_value = 0;                 // where there is no effect: 1/2 for a share of seeds
  bool points = true;                    // effect in parts of 1 that are shown as points
};

struct ClaimResult {
  ClaimSpec spec;
  // In units and sign of what is measured (first - second; largest - smallest setting; for a shape
  // the share of seeds), whatever the direction.  Of the headline; NaN where there is none.
  double effect = 0, low = 0, high = 0, confidence = 0;  // as shown beside the verdict
  double null_value = 0;
  bool points = true;
  std::size_t seeds = 0, images = 0, groups = 0;  // images, groups: of E2, else 0
  JudgedEvidence e1, e2;           // verdict positive: supported; low, high in the units of effect
  std::string repeated = "seeds";  // as in Comparison
  std::optional<SharedGroups> shared;  // likewise, of E2
  std::string resampled;               // likewise
  double effect1 = 0, effect2 = 0;
  std::string words;  // what the effect is: "test accuracy of 'a' less that of 'b'"
  double margin = 0;  // 0: none
  double detect = 0;  // 0: none
  // As in Comparison; of several tests the largest, empty where it is of one.
  std::optional<int> seeds_needed, seeds_needed_low;
  std::optional<int> cases_needed, cases_needed_low, cases_needed_seeds;
  struct WithoutCollapsed {
    std::size_t seeds = 0;
    double effect = 0;
  };
  std::optional<WithoutCollapsed> without_collapsed;
  // Sentences: collapsed trials, seeds that were left out.
  std::vector<std::string> asides;
  std::vector<ClaimPart> parts;  // of an order or an all_of
  // Claims that could be tested as the headline is, so that Holm's correction runs over them (at
  // least 1); seeds_needed and cases_needed are for a test at level 0.05 / family.
  std::size_t family = 1;
  std::string explanation;  // one plain sentence

  // As in Comparison; `seeds` also where the claim speaks of a curve or of training.
  Inference inference = Inference::patients;
  double worth = 0;        // likewise
  std::string bounded_by;  // likewise

  bool headline_is_e2() const { return inference == Inference::patients; }
  const JudgedEvidence& headline() const { return headline_is_e2() ? e2 : e1; }
};

}  // namespace bioptic
