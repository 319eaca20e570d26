#include "bioptic/study/needed.h"

#include <algorithm>
#include <cmath>

namespace bioptic {
namespace {

Needed needed_by(const PlannedComparison& planned, int seeds, int groups, double detect) {
  Needed out;
  const NeededRange range = planned.seeds_needed(groups, detect);
  out.seeds = range.safe;
  out.seeds_low = range.low;
  // With barely enough seeds the number of cases runs away: it is given for as many seeds that
  // twice as many would not save half of the cases.
  int s = std::max(seeds, kLeastSeedsForVerdict);
  NeededRange cases = planned.groups_needed(s, detect);
  for (; 2 * s <= kMostSeeds; s *= 2) {
    const NeededRange twice = planned.groups_needed(2 * s, detect);
    if (cases.safe && *cases.safe <= 2LL * twice.safe.value_or(kMostGroups)) break;
    cases = twice;
  }
  if (cases.safe) {
    out.cases = cases.safe;
    out.cases_low = cases.low;
    out.cases_seeds = s;
  }
  return worth_saying(out, seeds, groups);
}

}  // namespace

Needed needed_for(const ContrastResult& result, double detect, double alpha) {
  if (!(detect > 0) || result.seeds.size() < 2) return {};
  const auto seeds = static_cast<int>(result.seeds.size());
  // Where no verdict can be given on other patients, no number of seeds helps.
  if (!result.parts || !result.few_cases.empty()) return {};
  const auto groups = static_cast<int>(result.groups);
  const PowerRule rule = {alpha, result.effective.of_variance / groups};
  return needed_by(PlannedComparison::crossed(*result.parts, rule), seeds, groups, detect);
}

Needed needed_for_gap(const GapVariance& gap, int seeds, int groups, double detect, double alpha) {
  if (!(detect > 0)) return {};
  return needed_by(PlannedComparison::gap(gap, alpha), seeds, groups, detect);
}

Needed needed_over_seeds(const Estimate& over_seeds, int seeds, double detect, double alpha) {
  Needed out;
  if (!(detect > 0) || seeds < 2 || !std::isfinite(over_seeds.se)) return out;
  const double sd = over_seeds.se * std::sqrt(static_cast<double>(seeds));
  const NeededRange range = PlannedComparison::paired(sd, seeds - 1, alpha).seeds_needed(2, detect);
  out.seeds = range.safe;
  out.seeds_low = range.low;
  return out;
}

Needed worth_saying(Needed needed, int seeds, int groups) {
  if (needed.cases && needed.cases_seeds != seeds && *needed.cases <= groups) {
    needed.cases.reset();
    needed.cases_low.reset();
    needed.cases_seeds.reset();
  }
  return needed;
}

}  // namespace bioptic
