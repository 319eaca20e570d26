// Trainings that came to nothing, told apart.
#pragma once

#include <cstddef>
#include <string>

#include "bioptic/study/claim_spec.h"
#include "bioptic/study/summary.h"

namespace bioptic {

// What the collapsed trainings of an arm do on validation: give scores that are not finite, the
// same score for every image, or predict one class at their threshold although their scores differ,
// so that metrics without a threshold still mean something; of both kinds, how many.  "" without
// collapsed ones.
std::string collapse_words(const ArmSummary& arm);

// How many of an arm's trainings have no curve whose steadiness could be compared: they collapsed,
// or the curve is the same in every epoch of the claim's window.
std::size_t flat_curves(const ArmSummary& arm, const ClaimSpec& claim);

}  // namespace bioptic
