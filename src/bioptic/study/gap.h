// Where the gap between validation and test comes from: pure data, see summarise_gap.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "bioptic/stats/shift.h"

namespace bioptic {

// An estimate with its 95 % interval; NaN where there is none, then `reason` says why.
struct GapEstimate {
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
  double p = std::numeric_limits<double>::quiet_NaN();  // two-sided, of "it is 0"
  std::string reason;
  // The limits of the test of equivalence, each one-sided at 0.05 (stats/equivalence.h), which are
  // compared with a margin.
  double equivalence_low = std::numeric_limits<double>::quiet_NaN();
  double equivalence_high = std::numeric_limits<double>::quiet_NaN();
};

// A difference of accuracies, mean over seeds.  e1: other seeds, these images; e2: other patients
// too.
struct GapPart {
  double value = std::numeric_limits<double>::quiet_NaN();
  GapEstimate e1, e2;
};

// What one arm's accuracy is on each part of the images, mean over seeds; NaN where there is none.
struct GapAccuracies {
  double validation = std::numeric_limits<double>::quiet_NaN();
  double holdout = std::numeric_limits<double>::quiet_NaN();
  double test_alone = std::numeric_limits<double>::quiet_NaN();   // groups in no other split
  double test_shared = std::numeric_limits<double>::quiet_NaN();  // the other test images
};

// The control arm's answer: what is left of the gap where all splits come from one pool and share
// no group.  vanishes: hold-out - test is above its gap, which is not above 0.  shrinks: ... which
// is above 0.  persists: its gap is above 0, and hold-out - test not above it.
enum class ControlAnswer { absent, vanishes, shrinks, persists, undecided };
const char* name_of(ControlAnswer);

// What the evidence supports as the gap's cause.  none: no sign of a gap, of a shift's part in it,
// nor of leakage, and the gap and hold-out - test are within the margin on other patients, too (two
// one-sided tests); leakage: of that alone; undecided: a sign, but not all that a cause takes, or
// none and a gap that could not be excluded.
enum class GapCause { none, shift, leakage, shift_and_leakage, undecided, not_allowed };
const char* name_of(GapCause);

struct ArmGap {
  std::string arm;
  std::size_t seeds = 0;
  bool val_by_group = false;
  GapAccuracies accuracy;
  // total = selection_and_leakage + prevalence + rest; all on the test images that stand alone.
  GapPart total, selection_and_leakage, prevalence, rest, rest_sensitivity, rest_specificity;
  GapPart holdout_minus_test;    // prevalence + rest
  GapPart shared_minus_alone;    // of the test images
  double validation_shared = 0;  // share of validation images whose group is in training, too
  // Leakage: selection_and_leakage less that of the arm with the same training whose validation is
  // drawn by group, seed by seed, so that the hold-out's own luck cancels; without such an arm,
  // selection_and_leakage itself.  Empty where validation is drawn by group.
  std::optional<GapPart> leakage;
  std::string leakage_against;  // the other arm's name, "" = the hold-out alone

  // Hold-out against the test images that stand alone.
  ShiftTest ks;  // of the scores, averaged over seeds
  // After Holm's correction over the three tests: this one, the classifier's balanced accuracy and
  // the mean discrepancy; NaN where there is no test.
  double ks_p_holm = std::numeric_limits<double>::quiet_NaN();
  double classifier_p_holm = std::numeric_limits<double>::quiet_NaN();
  double mmd_p_holm = std::numeric_limits<double>::quiet_NaN();

  std::string control;  // the control arm's name, "" = none
  GapAccuracies control_accuracy;
  GapPart control_total, control_gap;  // its validation - test and hold-out - test
  GapPart beyond_control;              // hold-out - test less control_total
  ControlAnswer control_answer = ControlAnswer::absent;

  double margin = 0;  // of the study; a gap within it counts as none
  // A gap of up to this size could not be excluded: the far end of the two 90 % intervals;
  // NaN where one of them is missing.
  double not_excluded = std::numeric_limits<double>::quiet_NaN();
  bool sign_seen = false;     // of a gap, of a shift, or of its part in the gap
  bool shift_seen = false;    // by the tests
  bool part_seen = false;     // hold-out - test is above 0 on other patients too
  bool leakage_seen = false;  // leakage is above 0: over seeds against an arm, else on patients too
  GapCause cause = GapCause::not_allowed;
  std::string sentence;
};

struct SplitCount {
  std::size_t images = 0, groups = 0;
  double prevalence = 0;  // share of the positive class
};

struct GapSummary {
  SplitCount holdout, test_alone, test_shared;
  // On the 32 x 32 area means of at most kMostShiftImages images of each split; empty without the
  // images.
  ClassifierShiftTest classifier;
  ShiftTest mmd;
  std::size_t holdout_used = 0, test_used = 0;  // images that those two tests saw
  // Images with the very same pixels as one in another split (train and val count as one).
  std::optional<std::size_t> duplicate_test, duplicate_holdout;
  std::optional<std::size_t> duplicate_source;  // images in train and val that are another's copy
  std::vector<ArmGap> arms;
  std::vector<std::string> notes;
};

// Rows of the dataset in the splits that the section speaks of, for its figures.
struct GapRows {
  std::vector<std::uint32_t> holdout, test_alone, test_shared;
};

}  // namespace bioptic
