// The verdicts of a study's claims: a pure function of its summary.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "bioptic/study/claim_result.h"
#include "bioptic/study/summary.h"

namespace bioptic {

// One result per claim, in order.  The headlines are one Holm family: of a claim on predictions its
// E2, of one that speaks of a curve or of training (or where the study's inference is "seeds") its
// E1.  A claim whose E2 is not allowed has no verdict and is in no family.  E1 beside an E2 belongs
// to the family of all claims' E1.  `shift`: for claims whose reason is a shift (because_of_shift);
// null = it was not looked at.
std::vector<ClaimResult> judge_claims(const StudySummary& summary,
                                      std::span<const ClaimSpec> claims,
                                      const ShiftEvidence* shift = nullptr);

}  // namespace bioptic
