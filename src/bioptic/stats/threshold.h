// Thresholds for the rule `score > threshold`, chosen on validation scores.
#pragma once

#include <span>

namespace bioptic {

// Both return the midpoint between two neighbouring distinct scores (or a value half-way from the
// outermost score to 0 or 1), so that no score of the sample lies on it.  Throw InputError when one
// class is absent.

// Largest sensitivity + specificity - 1 (Youden 1950); of equals, the largest threshold.
double youden_threshold(std::span<const double> scores, std::span<const int> positive);

// The largest threshold whose sensitivity is at least `sensitivity` (in (0, 1]).
double sensitivity_threshold(std::span<const double> scores, std::span<const int> positive,
                             double sensitivity);

}  // namespace bioptic
