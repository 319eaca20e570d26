// Whether what a store holds fits together, before anything is computed from it: a store is a file
// that may have been damaged.
#pragma once

#include <string>

#include "bioptic/study/summary.h"

namespace bioptic {

// Both throw Failure, which names the study or the trial and what does not fit.
// Classes, the positive one, and the labels of the images.
void check_stored_study(const StudySummary& summary);
// Rows of the dataset's images, and as many logits as they have.  outputs: of the arm's network.
void check_stored_trial(const std::string& trial_id, const TrialResult& result, std::size_t images,
                        int outputs);

}  // namespace bioptic
