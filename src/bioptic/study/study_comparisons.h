// The comparisons of a study's arms.
#pragma once

#include <vector>

#include "bioptic/study/comparison.h"
#include "bioptic/study/summary.h"

namespace bioptic {

// The planned pairs of arms by every metric on every split that was predicted, test first, then the
// hold-out, then validation.  Nothing for a study of one arm.
std::vector<Comparison> compare_study(const StudySummary& summary);

}  // namespace bioptic
