#include "bioptic/study/judge_claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "bioptic/stats/intersection_union.h"
#include "bioptic/study/claim_leaf.h"
#include "bioptic/study/collapse.h"
#include "bioptic/study/compare_arms.h"
#include "bioptic/study/explain_claim.h"
#include "bioptic/study/needed.h"
#include "bioptic/study/weights_said.h"

namespace bioptic {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// All leaves of a claim, or of its parts, under one kind of evidence.
struct Deciding {
  DirectedTest test;           // positive: as claimed
  std::size_t leaf = 0;        // that p belongs to
  std::size_t equivalent = 0;  // that equivalence rests on
};

// A claim before the family's correction.
struct Tested {
  std::vector<ClaimLeaf> leaves;  // in the order of the file
  Deciding seeds;                 // E1 of all leaves
  Deciding headline;              // of each leaf what is asked of it: E2, or E1 of a curve
  Inference inference = Inference::seeds;
};

Evidence turned(Evidence evidence, bool higher) {
  if (!higher) evidence.estimate.value = -evidence.estimate.value;
  return evidence;
}

DirectedTest directed(const ClaimLeaf& leaf, const Evidence& evidence) {
  if (leaf.is_share() && evidence.reason.empty()) {
    return share_test(leaf.hits(), static_cast<int>(leaf.seeds.size()), leaf.margin);
  }
  return t_test(turned(evidence, leaf.claim->higher), leaf.margin);
}

const Evidence& asked_of(const ClaimLeaf& leaf) {
  return leaf.inference == Inference::patients ? leaf.e2 : leaf.e1;
}

Deciding all_hold(const std::vector<Deciding>& tests) {
  if (tests.size() == 1) return tests.front();
  std::vector<DirectedTest> plain;
  for (const Deciding& d : tests) plain.push_back(d.test);
  const UnionTest together = intersection_union(plain);
  return {together.test, tests[together.deciding].leaf, tests[together.equivalent].equivalent};
}

// The leaves from `from` on, which belong to one part.
Deciding over_leaves(const std::vector<ClaimLeaf>& leaves, std::size_t from, bool headline) {
  std::vector<Deciding> tests;
  for (std::size_t i = from; i < leaves.size(); ++i) {
    tests.push_back({directed(leaves[i], headline ? asked_of(leaves[i]) : leaves[i].e1), i, i});
  }
  return all_hold(tests);
}

Tested test_claim(LeafMaker& maker, const ClaimSpec& claim) {
  Tested out;
  std::vector<Deciding> seeds, headline;
  const auto add = [&](const ClaimSpec& part) {
    const std::size_t from = out.leaves.size();
    for (ClaimLeaf& leaf : maker.leaves(part)) out.leaves.push_back(std::move(leaf));
    seeds.push_back(over_leaves(out.leaves, from, false));
    headline.push_back(over_leaves(out.leaves, from, true));
  };
  if (claim.kind == ClaimKind::all_of) {
    for (const ClaimSpec& part : claim.parts) add(part);
  } else {
    add(claim);
  }
  out.seeds = all_hold(seeds);
  out.headline = all_hold(headline);
  for (const ClaimLeaf& leaf : out.leaves) {
    if (leaf.inference == Inference::patients) out.inference = Inference::patients;
  }
  return out;
}

// An interval of a leaf's test, in the units and the sign of what is measured.
Interval measured_interval(Interval i, const ClaimLeaf& leaf) {
  if (leaf.is_share()) return {i.low + 0.5, i.high + 0.5};
  if (!leaf.claim->higher) i = {-i.high, -i.low};
  return cut(i, leaf.bounds);
}

double raw_effect(const ClaimLeaf& leaf, const Evidence& evidence) {
  return leaf.is_share() || !evidence.reason.empty() ? leaf.effect : evidence.estimate.value;
}

JudgedEvidence judged_side(const Judgement& j, const std::vector<ClaimLeaf>& leaves,
                           const Deciding& deciding, bool headline) {
  const ClaimLeaf &leaf = leaves[deciding.leaf], &equal = leaves[deciding.equivalent];
  const bool margin = equal.margin > 0;
  JudgedEvidence out;
  out.verdict = j.verdict;
  out.p = j.p;
  out.p_holm = j.p_holm;
  out.equivalence_p = margin ? j.equivalence : kNan;
  out.equivalence_p_holm = margin ? j.equivalence_holm : kNan;
  out.family = j.family;
  out.equivalence_family = j.equivalence_family;
  out.reason = j.reason;
  out.low = out.high = out.confidence = out.df = kNan;
  if (!j.reason.empty()) return out;
  const Interval interval = measured_interval(deciding.test.interval(j.level), leaf);
  out.low = interval.low;
  out.high = interval.high;
  out.confidence = 1 - j.level;
  const Evidence& evidence = headline ? asked_of(leaf) : leaf.e1;
  if (!leaf.is_share()) out.df = evidence.estimate.df;
  if (!margin) return out;
  const Interval equivalent =
      measured_interval(deciding.test.equivalent(j.equivalence_level), equal);
  out.equivalence_low = equivalent.low;
  out.equivalence_high = equivalent.high;
  out.equivalence_confidence = 1 - 2 * j.equivalence_level;
  const PatientBound& bound = (headline ? asked_of(equal) : equal.e1).bound;
  out.smallest_margin =
      smallest_margin(bound, j.equivalence_level / static_cast<double>(leaves.size()));
  return out;
}

// Seeds and cases with which every leaf could be decided.
void plan(const Tested& tested, bool by_cases, ClaimResult& result) {
  const double alpha = kAlpha / static_cast<double>(result.family);
  bool known = true, low_known = true;
  for (const ClaimLeaf& leaf : tested.leaves) {
    const auto seeds = static_cast<int>(leaf.seeds.size());
    Needed needed;
    if (leaf.is_share()) {
      const int n = share_seeds_needed(leaf.detect, alpha);
      if (n > 0) needed.seeds = needed.seeds_low = n;
    } else if (leaf.gap && by_cases) {
      needed = needed_for_gap(*leaf.gap, seeds, static_cast<int>(leaf.groups), leaf.detect, alpha);
    } else if (leaf.contrast && by_cases) {
      needed = needed_for(*leaf.contrast, leaf.detect, alpha);
    } else {
      needed = needed_over_seeds(leaf.e1.estimate, seeds, leaf.detect, alpha);
    }
    known = known && needed.seeds.has_value();
    low_known = low_known && needed.seeds_low.has_value();
    if (needed.seeds)
      result.seeds_needed = std::max(result.seeds_needed.value_or(0), *needed.seeds);
    if (needed.seeds_low)
      result.seeds_needed_low = std::max(result.seeds_needed_low.value_or(0), *needed.seeds_low);
    if (needed.cases && *needed.cases > result.cases_needed.value_or(0)) {
      result.cases_needed = needed.cases;
      result.cases_needed_low = needed.cases_low;
      result.cases_needed_seeds = needed.cases_seeds;
    }
  }
  if (!known) result.seeds_needed.reset();
  if (!low_known) result.seeds_needed_low.reset();
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
    const Interval interval = measured_interval(one.interval(kAlpha), leaf);
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
    first.push_back(evidence_of(tested.back().seeds.test));
    second.push_back(evidence_of(tested.back().headline.test));
  }
  std::vector<double> margins;  // whether there is one: each test has used its own
  for (const Tested& t : tested) {
    double largest = 0;
    for (const ClaimLeaf& leaf : t.leaves) largest = std::max(largest, leaf.margin);
    margins.push_back(largest);
  }
  const std::vector<Judgement> one = judge(first, margins), two = judge(second, margins);

  std::vector<ClaimResult> out;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const Tested& t = tested[i];
    ClaimResult& r = out.emplace_back();
    r.spec = claims[i];
    r.inference = t.inference;
    const bool by_cases = r.headline_is_e2();
    JudgedEvidence headline = judged_side(two[i], t.leaves, t.headline, true);
    const bool equal = headline.verdict == Verdict::no_effect;
    const ClaimLeaf& deciding = t.leaves[equal ? t.headline.equivalent : t.headline.leaf];
    const ClaimLeaf& by_seeds = t.leaves[t.seeds.leaf];
    r.effect1 = raw_effect(by_cases ? by_seeds : deciding, (by_cases ? by_seeds : deciding).e1);
    r.effect2 = raw_effect(deciding, deciding.e2);
    if (by_cases) {
      r.e1 = judged_side(one[i], t.leaves, t.seeds, false);
      r.e2 = std::move(headline);
    } else {
      r.e1 = std::move(headline);
      r.e2.p = r.e2.p_holm = r.e2.low = r.e2.high = r.e2.confidence = r.e2.df = kNan;
      r.e2.equivalence_p = r.e2.equivalence_p_holm = kNan;
      r.e2.reason = deciding.e2.reason;
    }
    r.family = std::max<std::size_t>(1, two[i].family);
    // The statement of a gap is about validation and test, which only E1 speaks of.
    const bool of_gap = by_cases && claims[i].kind == ClaimKind::gap;
    const ClaimLeaf& shown = deciding;
    const JudgedEvidence::Shown range = of_gap ? JudgedEvidence::Shown{} : r.headline().shown();
    r.effect = of_gap || !by_cases ? r.effect1 : r.effect2;
    r.low = range.low;
    r.high = range.high;
    r.confidence = range.confidence;
    if (of_gap) {
      const DirectedTest gap = directed(shown, shown.e1);
      const Interval interval = gap.reason.empty() ? measured_interval(gap.interval(kAlpha), shown)
                                                   : Interval{kNan, kNan};
      r.low = interval.low;
      r.high = interval.high;
      r.confidence = 1 - kAlpha;
    }
    r.worth =
        by_cases && r.e2.reason.empty() && shown.e2.bound.exists() ? shown.e2.bound.patients : 0;
    r.null_value = shown.is_share() ? 0.5 : 0;
    r.points = shown.points;
    r.repeated = shown.repeated;
    r.shared = shown.shared;
    r.resampled = shown.resampled;
    r.bounded_by = shown.bounded_by;
    r.seeds = shown.seeds.size();
    r.images = shown.images;
    r.groups = shown.groups;
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
      // What the reason lacks is what a reader has to add; a hold-out is part of it.
      if (r.e2.verdict == Verdict::not_allowed && r.e1.verdict == Verdict::not_allowed) {
        r.e2.reason = r.e1.reason;
      }
      if (r.headline().verdict == Verdict::not_allowed) {
        r.seeds_needed.reset();
        r.seeds_needed_low.reset();
        r.cases_needed.reset();
        r.cases_needed_low.reset();
        r.cases_needed_seeds.reset();
      }
    }
    r.words = shown.words;
    r.explanation = explain(r, shift);
  }
  return out;
}

}  // namespace bioptic
