// Where the gap between validation and test accuracy comes from, per seed, through the hold-out:
// images of the source, of groups absent from test, that no trial was trained or selected on.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace bioptic {

// One seed's rates at one threshold, each in [0, 1]; empty where a split lacks the class.
struct GapRates {
  std::optional<double> validation_accuracy;
  std::optional<double> holdout_accuracy, holdout_sensitivity, holdout_specificity;
  std::optional<double> test_accuracy, test_sensitivity, test_specificity;
  double test_prevalence = 0;  // share of class 1 among the test images
};

// validation - test = selection_and_leakage + prevalence + rest, exactly up to rounding.  A part is
// empty where a rate it needs is.
struct GapParts {
  std::optional<double> total;                  // validation - test accuracy
  std::optional<double> selection_and_leakage;  // validation - hold-out accuracy
  // Hold-out accuracy less what it would be at test's prevalence with the hold-out's sensitivity
  // and specificity: the change of the classes' shares alone.
  std::optional<double> prevalence;
  // What remains, a change of sensitivity and specificity between hold-out and test ...
  std::optional<double> rest;
  // ... and its two halves, weighted by test's prevalence; rest is their sum.
  std::optional<double> rest_sensitivity, rest_specificity;
};

// One entry per seed, in the order given.  Throws InputError for a prevalence outside [0, 1].
std::vector<GapParts> gap_parts(std::span<const GapRates> seeds);

}  // namespace bioptic
