// The gap section in words.
#pragma once

#include <string>

#include "bioptic/study/gap.h"

namespace bioptic {

// What the evidence says about one arm's gap, the conclusion first.
std::string gap_sentence(const ArmGap& gap);

// "+1.3": a difference of accuracies in percentage points; one that rounds to 0 has no sign.
std::string signed_points(double value);

// "+1.3 points (95 % interval -0.2 to +2.8)", without the interval where there is none.
std::string points_text(double value, const GapEstimate& interval);

}  // namespace bioptic
