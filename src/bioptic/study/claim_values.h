// What a claim measures in one trial.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bioptic/study/claim_spec.h"
#include "bioptic/study/summary.h"

namespace bioptic {

// A metric by epoch, NaN where it was not taken or is undefined.  split: val (accuracy, loss,
// auroc), train (end of epoch) or train_running (accuracy, loss).
std::vector<double> metric_curve(const TrialSummary& trial, const std::string& split,
                                 const std::string& metric);

// The part of the curve that the claim is judged over.
std::vector<double> claim_curve(const TrialSummary& trial, const ClaimSpec& claim);

// An index of a curve (not CurveValue::end); empty where the curve is too short or holds a value
// that is not finite.
std::optional<double> curve_value(const std::vector<double>& curve, CurveValue value,
                                  bool larger_is_better);

// The claim's number: the value at the selected epoch or what its curve is condensed to; empty
// where it is undefined.
std::optional<double> claim_value(const TrialSummary& trial, const ClaimSpec& claim);

// Does the curve have the shape?  Thirds are of equal length, the middle one the longer when they
// cannot be; ties do not rise, and the first of several equal highest values is the peak.  Empty
// for fewer than three values or one that is not finite.
std::optional<bool> has_shape(const std::vector<double>& curve, CurveShape shape);

}  // namespace bioptic
