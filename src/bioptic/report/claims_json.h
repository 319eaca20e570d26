// Parts of summary.json: verdicts of claims, steadiness of curves.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "bioptic/study/summary.h"

namespace bioptic {

// One object per claim: id, kind, sentence, effect, low, high, seeds, E1 and E2 (verdict, p,
// p_holm, low, high, df, reason), seeds_needed, cases_needed, explanation; and more.
nlohmann::json claims_json(const StudySummary& summary);

// One object per arm, curve, window and index, with every seed's value.
nlohmann::json indices_json(const StudySummary& summary);

}  // namespace bioptic
