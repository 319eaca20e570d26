// What the gap section says about claims whose reason is a shift.
#pragma once

#include <optional>
#include <span>

#include "bioptic/study/claim_result.h"
#include "bioptic/study/gap.h"

namespace bioptic {

// Of the arms that claims with because = "shift" name (none named: all arms), each piece as the arm
// says for which it is worst: fails, then missing, then open.  Empty where no claim asks.
std::optional<ShiftEvidence> shift_evidence(const std::optional<GapSummary>& gap,
                                            std::span<const ClaimSpec> claims);

}  // namespace bioptic
