#include <cmath>
#include <nlohmann/json.hpp>

#include "bioptic/report/comparisons.h"

namespace bioptic {
namespace {

using nlohmann::json;

json number(double value) { return std::isfinite(value) ? json(value) : json(); }
json number(const std::optional<int>& value) { return value ? json(*value) : json(); }
json interval(const Interval& i) { return {{"low", number(i.low)}, {"high", number(i.high)}}; }

json evidence(const JudgedEvidence& e) {
  return {{"verdict", comparison_name(e.verdict)},
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
          {"reason", e.reason.empty() ? json() : json(e.reason)}};
}

// Null: not known.
json shared_json(const std::optional<SharedGroups>& shared) {
  if (!shared) return {};
  return {{"shared", shared->shared}, {"groups", shared->groups}};
}

json one(const Comparison& c) {
  json e1 = evidence(c.e1), e2 = evidence(c.e2);
  e1["sign_flip_p"] = number(c.sign_flip_p);
  e2["bootstrap"] = c.bootstrap ? interval(*c.bootstrap) : json();
  e2["seeds_floored"] = c.seeds_floored;
  e2["groups_floored"] = c.groups_floored;
  json without;
  if (c.without_collapsed) {
    const auto& w = *c.without_collapsed;
    without = {{"seeds", w.seeds},
               {"difference", number(w.difference)},
               {"low", number(w.low)},
               {"high", number(w.high)}};
  }
  return {{"a", c.a},
          {"b", c.b},
          {"split", c.split},
          {"metric", c.metric},
          {"less_is_better", c.less_is_better},
          {"mean_a", number(c.mean_a)},
          {"mean_b", number(c.mean_b)},
          {"difference", number(c.difference)},
          {"seeds", c.seeds},
          {"images", c.images},
          {"groups", c.groups},
          {"inference", c.inference == Inference::patients ? "patients" : "seeds"},
          {"headline", c.headline_is_e2() ? "E2" : "E1"},
          {"verdict", comparison_name(c.headline().verdict)},
          {"E1", e1},
          {"E2", e2},
          {"p_a_greater_b", number(c.a_greater)},
          {"p_a_greater_b_low", number(c.a_greater_between.low)},
          {"p_a_greater_b_high", number(c.a_greater_between.high)},
          {"p_a_greater_b_meaningful", c.meaningful},
          {"equivalence",
           {{"margin", c.margin > 0 ? json(c.margin) : json()},
            {"p", number(c.headline().equivalence_p)},
            {"p_holm", number(c.headline().equivalence_p_holm)},
            {"low", number(c.headline().equivalence_low)},
            {"high", number(c.headline().equivalence_high)},
            {"confidence", number(c.headline().equivalence_confidence)},
            {"patients_worth", c.worth > 0 ? json(c.worth) : json()}}},
          {"detect", c.detect > 0 ? json(c.detect) : json()},
          {"seeds_needed", number(c.seeds_needed)},
          {"seeds_needed_range", needed_range_json(c.seeds_needed_low, c.seeds_needed)},
          {"cases_needed", number(c.cases_needed)},
          {"cases_needed_range", needed_range_json(c.cases_needed_low, c.cases_needed)},
          {"cases_needed_seeds", number(c.cases_needed_seeds)},
          {"collapsed", {{"a", c.collapsed_a}, {"b", c.collapsed_b}}},
          {"without_collapsed", without},
          {"repeated", c.repeated},
          {"resampled", c.resampled.empty() ? json() : json(c.resampled)},
          {"shared_groups", shared_json(c.shared)},
          {"chosen", c.chosen.empty() ? json() : json(c.chosen)},
          {"explanation", c.explanation}};
}

}  // namespace

json needed_range_json(std::optional<int> low, std::optional<int> high) {
  if (!low && !high) return {};
  return json::array({number(low), number(high)});
}

json comparisons_json(std::span<const Comparison> comparisons) {
  json out = json::array();
  for (const Comparison& c : comparisons) out.push_back(one(c));
  return out;
}

}  // namespace bioptic
