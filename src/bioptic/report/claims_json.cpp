#include "bioptic/report/claims_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "bioptic/report/comparisons.h"
#include "bioptic/study/steadiness.h"

namespace bioptic {
namespace {

using nlohmann::json;

// JSON has no NaN.
json number(double value) { return std::isfinite(value) ? json(value) : json(); }
json number(const std::optional<int>& value) { return value ? json(*value) : json(); }

json side(const JudgedEvidence& e, double effect) {
  return {{"verdict", claim_name(e.verdict)},
          {"effect", number(effect)},
          {"p", number(e.p)},
          {"p_holm", number(e.p_holm)},
          {"low", number(e.low)},
          {"high", number(e.high)},
          {"confidence", number(e.confidence)},
          {"df", number(e.df)},
          {"equivalence_p", number(e.equivalence_p)},
          {"equivalence_p_holm", number(e.equivalence_p_holm)},
          {"equivalence_low", number(e.equivalence_low)},
          {"equivalence_high", number(e.equivalence_high)},
          {"equivalence_confidence", number(e.equivalence_confidence)},
          {"smallest_margin", number(e.smallest_margin)},
          {"reason", e.reason}};
}

json part_json(const ClaimPart& part) {
  return {{"effect_of", part.words},   {"effect", number(part.effect)}, {"low", number(part.low)},
          {"high", number(part.high)}, {"null_value", part.null_value}, {"p_e1", number(part.p1)},
          {"p_e2", number(part.p2)}};
}

json claim_json(const ClaimResult& r) {
  json parts = json::array();
  for (const ClaimPart& part : r.parts) parts.push_back(part_json(part));
  json without;
  if (r.without_collapsed) {
    without = {{"seeds", r.without_collapsed->seeds},
               {"effect", number(r.without_collapsed->effect)}};
  }
  return {{"id", r.spec.id},
          {"kind", name_of(r.spec.kind)},
          {"sentence", r.spec.sentence},
          {"verdict", claim_name(r.headline().verdict)},
          {"inference", r.inference == Inference::patients ? "patients" : "seeds"},
          {"headline", r.headline_is_e2() ? "E2" : "E1"},
          {"effect_of", r.words},
          {"effect", number(r.effect)},
          {"low", number(r.low)},
          {"high", number(r.high)},
          {"confidence", number(r.confidence)},
          {"null_value", r.null_value},
          {"direction", r.spec.higher ? "higher" : "lower"},
          {"margin", r.margin},
          {"detect", r.detect},
          {"family", r.family},
          {"repeated", r.repeated},
          {"resampled", r.resampled.empty() ? json() : json(r.resampled)},
          {"shared_groups",
           r.shared ? json({{"shared", r.shared->shared}, {"groups", r.shared->groups}}) : json()},
          {"seeds", r.seeds},
          {"images", r.images},
          {"cases", r.groups},
          {"patients_worth", r.worth > 0 ? json(r.worth) : json()},
          {"E1", side(r.e1, r.effect1)},
          {"E2", side(r.e2, r.effect2)},
          {"seeds_needed", number(r.seeds_needed)},
          {"seeds_needed_range", needed_range_json(r.seeds_needed_low, r.seeds_needed)},
          {"cases_needed", number(r.cases_needed)},
          {"cases_needed_range", needed_range_json(r.cases_needed_low, r.cases_needed)},
          {"cases_needed_seeds", number(r.cases_needed_seeds)},
          {"without_collapsed", without},
          {"parts", parts},
          {"explanation", r.explanation}};
}

}  // namespace

json claims_json(const StudySummary& summary) {
  json out = json::array();
  for (const ClaimResult& claim : summary.claims) out.push_back(claim_json(claim));
  return out;
}

json indices_json(const StudySummary& summary) {
  json out = json::array();
  for (const Steadiness& row : steadiness(summary)) {
    json seeds = json::array();
    for (const Steadiness::Seed& s : row.seeds) {
      seeds.push_back({{"seed", s.seed}, {"value", number(s.value)}});
    }
    out.push_back({{"arm", row.arm},
                   {"split", row.split},
                   {"metric", row.metric},
                   {"index", name_of(row.index)},
                   {"first_epoch", row.window.first},
                   {"last_epoch", row.window.last > 0 ? json(row.window.last) : json()},
                   {"mean", number(row.over_seeds.mean)},
                   {"sd", number(row.over_seeds.sd)},
                   {"low", number(row.over_seeds.low)},
                   {"high", number(row.over_seeds.high)},
                   {"seeds", row.over_seeds.seeds},
                   {"undefined", row.undefined},
                   {"by_seed", seeds}});
  }
  return out;
}

}  // namespace bioptic
