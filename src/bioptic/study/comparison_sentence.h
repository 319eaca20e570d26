// A comparison in words.
#pragma once

#include <cstddef>
#include <string>

#include "bioptic/study/comparison.h"

namespace bioptic {

// One or two plain sentences: the verdict, the numbers behind it, for whom it speaks, what would
// settle it, and collapsed trainings where there are some.
std::string sentence_of(const Comparison& comparison);

// A difference in the metric's units: "+1.2 points" for parts of 1, else "+0.012".
std::string difference_text(const Comparison& comparison, double value);
// "95 %", "98.3 %": of an interval, given as a share.
std::string confidence_text(double confidence);
// "0.03", "< 0.001", "-"
std::string p_text(double p);

}  // namespace bioptic
