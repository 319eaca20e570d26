// A claim's result as one plain sentence, and its numbers as text.
#pragma once

#include <string>

#include "bioptic/study/claim_result.h"

namespace bioptic {

// "+0.80 points", "-0.0123"; "90 % of seeds" for a share; "-" for NaN.
std::string effect_text(double effect, bool points, double null_value);
// "+0.80 points (0.31 to 1.29)"
std::string effect_with_interval(const ClaimResult& result);
// "supported", "no effect", ... for people
std::string verdict_words(Verdict verdict);
// What the explanation says; `shift` may be null.
std::string explain(const ClaimResult& result, const ShiftEvidence* shift);

}  // namespace bioptic
