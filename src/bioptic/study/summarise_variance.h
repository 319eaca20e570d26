// Variance components of every arm whose seeds of split, initial weights and batch order are
// crossed.
#pragma once

#include "bioptic/study/summary.h"

namespace bioptic {

// Fills summary.variance; leaves it empty where the seeds are not crossed over all three.
void summarise_variance(StudySummary& summary);

}  // namespace bioptic
