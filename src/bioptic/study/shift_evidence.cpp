#include "bioptic/study/shift_evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bioptic/study/gap_words.h"

namespace bioptic {
namespace {

Piece shift_found(const ArmGap& arm) {
  if (arm.shift_seen) return Piece::holds;
  const bool tested = !(std::isnan(arm.ks_p_holm) && std::isnan(arm.classifier_p_holm) &&
                        std::isnan(arm.mmd_p_holm));
  return tested ? Piece::fails : Piece::missing;
}

// Not shown to be above 0 is not shown to be 0: only an interval below 0 contradicts.
Piece part_remains(const ArmGap& arm) {
  if (arm.part_seen) return Piece::holds;
  if (std::isnan(arm.holdout_minus_test.e2.high)) return Piece::missing;
  return arm.holdout_minus_test.e2.high < 0 ? Piece::fails : Piece::open;
}

Piece control_clears(const ArmGap& arm) {
  switch (arm.control_answer) {
    case ControlAnswer::absent:
      return Piece::missing;
    case ControlAnswer::vanishes:
      return Piece::holds;
    case ControlAnswer::persists:
      return Piece::fails;
    case ControlAnswer::shrinks:
    case ControlAnswer::undecided:
      return Piece::open;
  }
  return Piece::missing;
}

Piece worse(Piece a, Piece b) {
  for (const Piece piece : {Piece::fails, Piece::missing, Piece::open}) {
    if (a == piece || b == piece) return piece;
  }
  return Piece::holds;
}

std::string words(const ArmGap& arm) {
  return fmt::format(
      "on its reason, {}: {} shift test tells hold-out and test apart; hold-out less test is {}; "
      "the "
      "control arm {}",
      arm.arm, arm.shift_seen ? "a" : "no",
      points_text(arm.holdout_minus_test.value, arm.holdout_minus_test.e2),
      arm.control_answer == ControlAnswer::absent
          ? "is missing"
          : fmt::format("has a gap of {}",
                        points_text(arm.control_total.value, arm.control_total.e2)));
}

}  // namespace

std::optional<ShiftEvidence> shift_evidence(const std::optional<GapSummary>& gap,
                                            std::span<const ClaimSpec> claims) {
  std::optional<ShiftEvidence> evidence;
  if (!gap) return evidence;
  for (const ClaimSpec& claim : claims) {
    if (!claim.because_of_shift) continue;
    for (const ArmGap& arm : gap->arms) {
      const bool named = claim.arms.empty() || std::find(claim.arms.begin(), claim.arms.end(),
                                                         arm.arm) != claim.arms.end();
      if (!named) continue;
      if (!evidence) {
        evidence = {Piece::holds, Piece::holds, Piece::holds, ""};
      }
      evidence->shift_found = worse(evidence->shift_found, shift_found(arm));
      evidence->part_remains = worse(evidence->part_remains, part_remains(arm));
      evidence->control_clears = worse(evidence->control_clears, control_clears(arm));
      evidence->words += (evidence->words.empty() ? "" : "; ") + words(arm);
    }
  }
  return evidence;
}

}  // namespace bioptic
