// How many trials to train at once.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "bioptic/study/executor.h"

namespace bioptic {

// One way to divide the processors, and what it was measured to take.
struct Division {
  int jobs = 1, threads = 1;  // trials at once, threads of each
  double seconds = 0;         // for all trials that are missing
};

// The divisions of `processors` into jobs x threads, the fastest first: every one was run for a few
// steps of `trial`, all its jobs at once.  `missing`: trials to train, at least 1.  Divisions whose
// weights and moments would not fit half of the free memory are left out; those with more jobs than
// missing trials too.  What is trained does not depend on the choice.
std::vector<Division> measure_divisions(const PlannedStudy& study, const PlannedTrial& trial,
                                        std::size_t missing, int processors,
                                        const std::string& isa);

}  // namespace bioptic
