// What a reader of a report's numbers has to be told beside them.  Plain sentences, "" where there
// is nothing to say.
#pragma once

#include <span>
#include <string>

#include "bioptic/study/claim_result.h"
#include "bioptic/study/comparison.h"
#include "bioptic/study/summary.h"

namespace bioptic {

// "predictions use the threshold 0.5", or every arm's own where they differ.
std::string thresholds_said(const StudySummary& summary);

// Several metrics of one pair are several chances of a verdict.
std::string several_metrics_caution(std::span<const Comparison> comparisons);

// Where a sentence proposes more seeds: not to look in between.
std::string more_seeds_caution(std::span<const Comparison> comparisons,
                               std::span<const ClaimResult> claims);

// What a split chose in arms that are compared on it: E1's verdicts there are no more than that.
std::string chosen_caution(std::span<const Comparison> comparisons);

// What accuracy the larger class alone would give on test.
std::string majority_said(const StudySummary& summary);

}  // namespace bioptic
