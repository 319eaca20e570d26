// A comparison in words.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "bioptic/study/comparison.h"

namespace bioptic {

// One or two plain sentences: the verdict, the numbers behind it, for whom it speaks, what would
// settle it, and collapsed trainings where there are some.
std::string sentence_of(const Comparison& comparison);

// A difference in the metric's units: "+1.2 points" for parts of 1, else "+0.012".
std::string difference_text(const Comparison& comparison, double value);
// "95 %", "98.3 %": of an interval, given as a share.
std::string confidence_text(double confidence);
// "judging from these 10 seeds, it takes 6 to 14": how well a number to plan with is known; ""
// where both are one.
std::string judging_from(std::size_t seen, std::string_view what, std::optional<int> low, int high);
// "0.03", "< 0.001", "-"
std::string p_text(double p);

}  // namespace bioptic
