#include "bioptic/study/judge_claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "bioptic/stats/intersection_union.h"
#include "bioptic/stats/power.h"
#include "bioptic/study/claim_leaf.h"
#include "bioptic/study/collapse.h"
#include "bioptic/study/compare_arms.h"
#include "bioptic/study/explain_claim.h"
#include "bioptic/study/weights_said.h"

namespace bioptic {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// A claim before the family's correction.
struct Tested {
  std::vector<ClaimLeaf> leaves;             // in the order of the file
  DirectedTest e1, e2;                       // positive: as claimed
  std::size_t deciding1 = 0, deciding2 = 0;  // leaves
};

Estimate turned(Estimate estimate, bool higher) {
  if (!higher) estimate.value = -estimate.value;
  return estimate;
}

DirectedTest directed(const ClaimLeaf& leaf, const Evidence& evidence) {
  DirectedTest test;
  test.reason = evidence.reason;
  if (!test.reason.empty()) return test;
  if (leaf.is_share()) {
    return share_test(leaf.hits(), static_cast<int>(leaf.seeds.size()), leaf.margin);
  }
  return t_test(turned(evidence.estimate, leaf.claim->higher), leaf.margin);
}

struct Deciding {
  DirectedTest test;
  std::size_t leaf = 0;
};

Deciding all_hold(const std::vector<Deciding>& tests) {
  if (tests.size() == 1) return tests.front();
  std::vector<DirectedTest> plain;
  for (const Deciding& d : tests) plain.push_back(d.test);
  const UnionTest together = intersection_union(plain);
  return {together.test, tests[together.deciding].leaf};
}

Deciding over_leaves(const std::vector<ClaimLeaf>& leaves, std::size_t from, std::size_t to,
                     Evidence ClaimLeaf::*evidence) {
  std::vector<Deciding> tests;
  for (std::size_t i = from; i < to; ++i) {
    tests.push_back({directed(leaves[i], leaves[i].*evidence), i});
  }
  return all_hold(tests);
}

Tested test_claim(LeafMaker& maker, const ClaimSpec& claim) {
  Tested out;
  std::vector<Deciding> parts1, parts2;
  const auto add = [&](const ClaimSpec& part) {
    const std::size_t from = out.leaves.size();
    for (ClaimLeaf& leaf : maker.leaves(part)) out.leaves.push_back(std::move(leaf));
    parts1.push_back(over_leaves(out.leaves, from, out.leaves.size(), &ClaimLeaf::e1));
    parts2.push_back(over_leaves(out.leaves, from, out.leaves.size(), &ClaimLeaf::e2));
  };
  if (claim.kind == ClaimKind::all_of) {
    for (const ClaimSpec& part : claim.parts) add(part);
  } else {
    add(claim);
  }
  const Deciding one = all_hold(parts1), two = all_hold(parts2);
  out.e1 = one.test;
  out.deciding1 = one.leaf;
  out.e2 = two.test;
  out.deciding2 = two.leaf;
  return out;
}

Interval raw_interval(const ClaimLeaf& leaf, const Evidence& evidence) {
  if (leaf.is_share()) {
    const Interval i = share_test(leaf.hits(), static_cast<int>(leaf.seeds.size()), 0).interval;
    return {i.low + 0.5, i.high + 0.5};
  }
  return cut(interval_of(evidence.estimate), leaf.bounds);
}

double raw_effect(const ClaimLeaf& leaf, const Evidence& evidence) {
  return leaf.is_share() || !evidence.reason.empty() ? leaf.effect : evidence.estimate.value;
}

JudgedEvidence judged_side(const Judgement& j, const ClaimLeaf& leaf, const Evidence& evidence) {
  JudgedEvidence out;
  out.verdict = j.verdict;
  out.p = j.p;
  out.p_holm = j.p_holm;
  out.equivalence_p = leaf.margin > 0 ? j.equivalence : kNan;
  out.equivalence_p_holm = leaf.margin > 0 ? j.equivalence_holm : kNan;
  out.family = j.family;
  out.equivalence_family = j.equivalence_family;
  out.reason = j.reason;
  out.low = out.high = out.df = kNan;
  if (!j.reason.empty()) return out;
  const Interval interval = raw_interval(leaf, evidence);
  out.low = interval.low;
  out.high = interval.high;
  if (leaf.is_share()) return out;
  out.df = evidence.estimate.df;
  if (leaf.margin > 0) {
    const Interval within =
        cut(interval_of(evidence.estimate, kEquivalenceConfidence), leaf.bounds);
    out.equivalence_low = within.low;
    out.equivalence_high = within.high;
  }
  return out;
}

// By the variance that E2 rests on, of which more seeds leave what the patients cause.
Needed needed_for_gap(const ClaimLeaf& leaf, double alpha) {
  Needed out;
  if (!(leaf.detect > 0)) return out;
  const auto seeds = static_cast<int>(leaf.seeds.size());
  out.seeds = gap_seeds_needed(*leaf.gap, leaf.detect, alpha);
  for (int s = std::max(seeds, kLeastSeedsForVerdict); s <= kMostSeeds && !out.cases; s *= 2) {
    out.cases = gap_groups_needed(*leaf.gap, s, leaf.detect, alpha);
    if (out.cases) out.cases_seeds = s;
  }
  return worth_saying(out, seeds, static_cast<int>(leaf.groups));
}

// Seeds and cases with which every leaf could be decided.
void plan(const Tested& tested, bool by_cases, ClaimResult& result) {
  const double alpha = kAlpha / static_cast<double>(result.family);
  bool known = true;
  for (const ClaimLeaf& leaf : tested.leaves) {
    Needed needed;
    if (leaf.is_share()) {
      const int n = share_seeds_needed(leaf.detect, alpha);
      if (n > 0) needed.seeds = n;
    } else if (leaf.gap && by_cases) {
      needed = needed_for_gap(leaf, alpha);
    } else if (leaf.contrast && by_cases) {
      needed = needed_for(*leaf.contrast, leaf.detect, alpha);
    } else if (leaf.detect > 0 && leaf.seeds.size() >= 2 && std::isfinite(leaf.e1.estimate.se)) {
      needed.seeds = paired_seeds_needed(
          leaf.e1.estimate.se * std::sqrt(static_cast<double>(leaf.seeds.size())), leaf.detect,
          alpha);
    }
    known = known && needed.seeds.has_value();
    if (needed.seeds)
      result.seeds_needed = std::max(result.seeds_needed.value_or(0), *needed.seeds);
    if (needed.cases && *needed.cases > result.cases_needed.value_or(0)) {
      result.cases_needed = needed.cases;
      result.cases_needed_seeds = needed.cases_seeds;
    }
  }
  if (!known) result.seeds_needed.reset();
}

// " (3, 4)": seeds that another arm has finished and this one has not.
std::string seeds_lacking(const StudySummary& summary, const ArmSummary& arm) {
  std::set<int> seeds;
  for (const ArmSummary& other : summary.arms) {
    for (const TrialSummary& trial : other.trials) seeds.insert(trial.seed);
  }
  for (const TrialSummary& trial : arm.trials) seeds.erase(trial.seed);
  return seeds.empty() ? "" : fmt::format(" ({})", fmt::join(seeds, ", "));
}

// Collapsed trials of the deciding test's arms, and seeds that some arm lacks.
void add_asides(const StudySummary& summary, const Tested& tested, const ClaimLeaf& deciding,
                ClaimResult& result) {
  std::vector<std::size_t> arms;
  for (const ClaimLeaf& leaf : tested.leaves) {
    for (const std::size_t a : leaf.arms) {
      if (std::find(arms.begin(), arms.end(), a) == arms.end()) arms.push_back(a);
    }
  }
  std::vector<bool> sound(deciding.seeds.size(), true);
  bool some = false;
  std::string collapses;
  for (const std::size_t a : arms) {
    const ArmSummary& arm = summary.arms[a];
    std::size_t collapsed = 0;
    const bool decides =
        std::find(deciding.arms.begin(), deciding.arms.end(), a) != deciding.arms.end();
    for (const TrialSummary& trial : arm.trials) {
      if (trial.result.status != TrialStatus::collapsed) continue;
      ++collapsed;
      for (std::size_t k = 0; decides && k < deciding.seeds.size(); ++k) {
        if (deciding.seeds[k] == trial.seed) sound[k] = false;
      }
    }
    if (collapsed > 0) {
      collapses +=
          fmt::format("{}{} of {} trainings of '{}' collapsed ({})", collapses.empty() ? "" : ", ",
                      collapsed, arm.trials.size(), arm.name, collapse_words(arm));
    }
    some = some || (decides && collapsed > 0 && collapsed < arm.trials.size());
    if (arm.missing + arm.failed > 0) {
      result.asides.push_back(
          fmt::format("'{}' has not finished {} of its seeds{}, so only shared seeds count",
                      arm.name, arm.missing + arm.failed, seeds_lacking(summary, arm)));
    }
  }
  if (!collapses.empty()) {
    result.asides.push_back(collapses + ", which count all the same");
  }
  if (deciding.claim->metric == "log_loss" || deciding.claim->metric == "brier") {
    const bool alike = std::all_of(deciding.arms.begin(), deciding.arms.end(), [&](std::size_t a) {
      return weighted_alike(summary.arms[a], summary.arms[deciding.arms.front()]);
    });
    if (!alike) {
      result.asides.emplace_back(
          "the classes counted differently when these arms were trained, which alone shifts every "
          "probability and this metric with it");
    }
  }
  if (result.headline_is_e2() && !deciding.apart.empty()) result.asides.push_back(deciding.apart);
  if (!deciding.chosen.empty()) result.asides.push_back(deciding.chosen);
  if (!some) return;
  double sum = 0, n = 0;
  for (std::size_t k = 0; k < sound.size(); ++k) {
    if (!sound[k]) continue;
    sum += deciding.per_seed[k];
    n += 1;
  }
  if (n > 0) result.without_collapsed = {static_cast<std::size_t>(n), sum / n};
}

ClaimPart part_of(const ClaimLeaf& leaf) {
  ClaimPart part;
  part.words = leaf.words;
  part.effect = leaf.effect;
  part.low = part.high = part.p1 = part.p2 = kNan;
  part.points = leaf.points;
  part.null_value = leaf.is_share() ? 0.5 : 0;
  const DirectedTest one = directed(leaf, leaf.e1), two = directed(leaf, leaf.e2);
  if (one.reason.empty()) {
    const Interval interval = raw_interval(leaf, leaf.e1);
    part.low = interval.low;
    part.high = interval.high;
    part.p1 = one.p;
  }
  if (two.reason.empty()) part.p2 = two.p;
  return part;
}

// A claim that also names the reason holds only where every piece of evidence does.
void judge_reason(const ShiftEvidence* shift, JudgedEvidence& side) {
  // Where there is no gap, or one the other way, no reason for it is asked for.
  if (side.verdict != Verdict::positive && side.verdict != Verdict::undecided) return;
  const ShiftEvidence none;
  const ShiftEvidence& e = shift != nullptr ? *shift : none;
  const auto any = [&](Piece piece) {
    return e.shift_found == piece || e.part_remains == piece || e.control_clears == piece;
  };
  if (any(Piece::missing)) {
    side.verdict = Verdict::not_allowed;
    const bool holdout = e.shift_found != Piece::missing && e.part_remains != Piece::missing;
    const bool control = e.control_clears != Piece::missing;
    side.reason = fmt::format(
        "the reason of a gap takes a hold-out and a control arm, and this study has {} "
        "([shift] {}{}{})",
        holdout   ? "no control arm"
        : control ? "no hold-out that was tested"
                  : "neither",
        holdout ? "" : "holdout_fraction = 0.2", holdout || control ? "" : ", ",
        control ? "" : "control = true");
  } else if (side.verdict != Verdict::positive) {
    return;
  } else if (e.part_remains == Piece::fails || e.control_clears == Piece::fails) {
    side.verdict = Verdict::negative;
  } else if (any(Piece::fails) || any(Piece::open)) {
    // A shift that no test finds is not shown to be absent.
    side.verdict = Verdict::undecided;
  }
}

}  // namespace

std::vector<ClaimResult> judge_claims(const StudySummary& summary,
                                      std::span<const ClaimSpec> claims,
                                      const ShiftEvidence* shift) {
  LeafMaker maker(summary);
  std::vector<Tested> tested;
  std::vector<Evidence> first, second;
  for (const ClaimSpec& claim : claims) {
    tested.push_back(test_claim(maker, claim));
    first.push_back(evidence_of(tested.back().e1));
    const bool cases = tested.back().e2.reason.empty();
    second.push_back(cases ? evidence_of(tested.back().e2) : first.back());
  }
  std::vector<double> margins;  // whether there is one: each test has used its own
  for (const Tested& t : tested) {
    double largest = 0;
    for (const ClaimLeaf& leaf : t.leaves) largest = std::max(largest, leaf.margin);
    margins.push_back(largest);
  }
  const std::vector<Judgement> one = judge(first, margins);
  std::vector<Judgement> two = judge(second, margins);

  std::vector<ClaimResult> out;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const Tested& t = tested[i];
    if (!t.e2.reason.empty()) {
      two[i] = {};
      two[i].p = two[i].p_holm = two[i].equivalence = two[i].equivalence_holm = kNan;
      two[i].reason = t.e2.reason;
    }
    const ClaimLeaf& leaf1 = t.leaves[t.deciding1];
    const ClaimLeaf& leaf2 = t.leaves[t.deciding2];
    ClaimResult& r = out.emplace_back();
    r.spec = claims[i];
    r.e1 = judged_side(one[i], leaf1, leaf1.e1);
    r.e2 = judged_side(two[i], leaf2, leaf2.e2);
    r.effect1 = raw_effect(leaf1, leaf1.e1);
    r.effect2 = raw_effect(leaf2, leaf2.e2);
    // The statement of a gap is about validation and test, which only E1 speaks of.
    const bool by_cases = r.headline_is_e2();
    r.family = std::max<std::size_t>(1, one[i].family);
    if (by_cases) r.family = std::max<std::size_t>(1, two[i].family);
    const bool shown2 = by_cases && claims[i].kind != ClaimKind::gap;
    const ClaimLeaf& shown = shown2 ? leaf2 : leaf1;
    r.effect = shown2 ? r.effect2 : r.effect1;
    r.low = shown2 ? r.e2.low : r.e1.low;
    r.high = shown2 ? r.e2.high : r.e1.high;
    r.null_value = shown.is_share() ? 0.5 : 0;
    r.points = shown.points;
    r.repeated = shown.repeated;
    r.shared = shown.shared;
    r.seeds = shown.seeds.size();
    r.images = leaf2.images;
    r.groups = leaf2.groups;
    r.margin = shown.margin;
    r.detect = shown.detect;
    plan(t, by_cases, r);
    add_asides(summary, t, shown, r);
    if (t.leaves.size() > 1) {
      for (const ClaimLeaf& leaf : t.leaves) r.parts.push_back(part_of(leaf));
    }
    if (claims[i].because_of_shift) {
      judge_reason(shift, r.e1);
      judge_reason(shift, r.e2);
      if (r.headline().verdict == Verdict::not_allowed) {
        r.seeds_needed.reset();
        r.cases_needed.reset();
        r.cases_needed_seeds.reset();
      }
    }
    r.words = shown.words;
    r.explanation = explain(r, shift);
  }
  return out;
}

}  // namespace bioptic
