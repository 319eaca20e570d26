// The verdicts of a study's claims: a pure function of its summary.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "bioptic/study/claim_result.h"
#include "bioptic/study/summary.h"

namespace bioptic {

// One result per claim, in order.  Under E1 all claims are one Holm family.  Under E2 they are too:
// a claim that has no E2 stands in the family with its E1, so that the headline verdicts together
// keep their level.  `shift`: for claims whose reason is a shift (because_of_shift); null = it was
// not looked at.
std::vector<ClaimResult> judge_claims(const StudySummary& summary,
                                      std::span<const ClaimSpec> claims,
                                      const ShiftEvidence* shift = nullptr);

}  // namespace bioptic
