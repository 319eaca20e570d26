// The gap section of a summary: shift tests, decomposition, control arm, leakage.
#pragma once

#include "bioptic/data/dataset.h"
#include "bioptic/study/summary.h"

namespace bioptic {

// The classifier and the mean discrepancy take the square of the number of images; of a larger
// split they see this many, whole groups drawn once.
inline constexpr std::size_t kMostShiftImages = 600;

// The hold-out and the two parts of the test split: images whose group is in no other split, and
// the rest.
GapRows gap_rows(const StudySummary& summary);

// Where the study has a hold-out and two classes, fills summary.gap.  `dataset`: for the tests on
// images and for duplicates; null leaves those out and says so.
void summarise_gap(StudySummary& summary, const Dataset* dataset);

}  // namespace bioptic
