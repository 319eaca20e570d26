// Whether a study's seeds are independent repetitions, which every test over seeds takes for
// granted.
#pragma once

#include <string>

#include "bioptic/study/summary.h"

namespace bioptic {

// Empty where every random stream is the same in all trials of an arm or another in each; otherwise
// the reason, for people, why no verdict may rest on them: in a crossed plan (4 splits x 4 initial
// weights) trials share some, and a t test over them would count the same luck several times.
std::string why_seeds_depend(const StudySummary& summary);

// For those who read the arms' intervals over such trials: a sentence, empty where seeds are
// independent.
std::string dependent_seeds_note(const StudySummary& summary);

}  // namespace bioptic
