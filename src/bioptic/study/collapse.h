// Trainings that came to nothing, told apart.
#pragma once

#include <cstddef>
#include <string>

#include "bioptic/model/spec.h"
#include "bioptic/study/claim_spec.h"
#include "bioptic/study/summary.h"

namespace bioptic {

// What one collapsed training did: "a loss that is not finite", "one predicted class", or "one
// predicted class in epoch 2 of 30, which val_auroc chose" where its other epochs need not.
std::string collapse_words(const TrialResult& result, const TrainSpec& train);

// What the collapsed trainings of an arm do on validation, in the epoch that counts: give scores or
// a loss that are not finite, the same score for every image, or predict one class although their
// scores differ, so that metrics without a threshold still mean something; of several kinds, how
// many.  Says what chose the epoch where that is not the last.  "" without collapsed ones.
std::string collapse_words(const ArmSummary& arm);

// How many of an arm's trainings have no curve whose steadiness could be compared: they collapsed,
// or the curve is the same in every epoch of the claim's window.
std::size_t flat_curves(const ArmSummary& arm, const ClaimSpec& claim);

}  // namespace bioptic
