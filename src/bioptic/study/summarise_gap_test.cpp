// What the gap section concludes from trials whose truth is known.
#include "bioptic/study/summarise_gap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "bioptic/base/random.h"
#include "bioptic/study/judge_claims.h"
#include "bioptic/study/shift_evidence.h"

namespace bioptic {
namespace {

// Groups of two images: 0..149 the source, 150..189 held out, 190..269 test; of the latter the last
// ten own an image of the source, too.
constexpr std::size_t kSource = 150, kHeld = 40, kTest = 80, kShared = 10, kViews = 2;

// large: images of the hold-out's first group.
StudySummary empty_study(std::size_t held = kHeld, std::size_t large = kViews) {
  StudySummary summary;
  summary.dataset.classes = {"a", "b"};
  const auto add = [&](std::size_t group, const std::string& split, const std::string& name,
                       std::size_t views = kViews) {
    for (std::size_t k = 0; k < views; ++k) {
      summary.images.add({std::to_string(summary.images.size()), split, name,
                          static_cast<std::int64_t>(group % 2)});
    }
  };
  for (std::size_t g = 0; g < kSource; ++g) add(g, "train", "g" + std::to_string(g));
  for (std::size_t g = 0; g < held; ++g) {
    add(g, "holdout", "h" + std::to_string(g), g == 0 ? large : kViews);
  }
  for (std::size_t g = 0; g < kTest; ++g) {
    const bool shared = g >= kTest - kShared;
    add(g, "test", shared ? "g" + std::to_string(g) : "t" + std::to_string(g));
  }
  summary.holdout_images = (held - 1) * kViews + large;
  summary.test_images = kTest * kViews;
  return summary;
}

// How often an arm is right, and how sure it is (the size of its logits).
struct Skill {
  double val = 0.9, holdout = 0.9, test = 0.9;
  double sure = 2, sure_test = 2;
};

ArmSummary make_arm(const StudySummary& summary, const std::string& name, const Skill& skill,
                    bool by_group, int seeds = 5) {
  ArmSummary arm;
  arm.name = name;
  arm.val_by_group = by_group;
  std::vector<double> accuracies;
  for (int seed = 0; seed < seeds; ++seed) {
    RandomStream random(static_cast<std::uint64_t>(seed), "gap test " + name);
    TrialSummary trial;
    trial.arm = name;
    trial.seed = seed;
    const auto predict = [&](const std::string& split, const std::vector<std::uint32_t>& rows,
                             double right, double sure) {
      SplitPredictions p{split, rows, {}};
      double hits = 0;
      for (const std::uint32_t row : rows) {
        const bool hit = random.uniform() < right;
        hits += hit ? 1 : 0;
        const bool positive = (summary.images[row].label == 1) == hit;
        // spread, so that a Kolmogorov-Smirnov test has more than two values to look at
        const double logit = (positive ? 1 : -1) * sure * (0.5 + random.uniform());
        p.logits.push_back(static_cast<float>(logit));
      }
      trial.result.predictions.push_back(std::move(p));
      return hits / static_cast<double>(rows.size());
    };
    std::vector<std::size_t> groups(kSource);
    for (std::size_t g = 0; g < kSource; ++g) groups[g] = g;
    random.shuffle(std::span(groups));
    std::vector<std::uint32_t> val, holdout, test;
    // by group: whole groups; by image: one image of each of twice as many
    for (std::size_t g = 0; g < (by_group ? 30U : 60U); ++g) {
      for (std::size_t k = 0; k < (by_group ? kViews : 1); ++k) {
        val.push_back(static_cast<std::uint32_t>(groups[g] * kViews + k));
      }
    }
    for (std::uint32_t row = 0; row < summary.images.size(); ++row) {
      if (summary.images[row].split == "holdout") holdout.push_back(row);
      if (summary.images[row].split == "test") test.push_back(row);
    }
    trial.result.val_accuracy = predict("val", val, skill.val, skill.sure);
    predict("test", test, skill.test, skill.sure_test);
    predict("holdout", holdout, skill.holdout, skill.sure);
    accuracies.push_back(trial.result.val_accuracy);
    arm.trials.push_back(std::move(trial));
  }
  double mean = 0;
  for (const double a : accuracies) mean += a / static_cast<double>(seeds);
  arm.metrics["val_accuracy"] = {mean, 0, 0, 0, seeds};
  return arm;
}

const Skill kShift{0.9, 0.9, 0.6, 2, 0.5}, kNone{}, kLeak{0.98, 0.85, 0.85};

ArmGap gap_of(StudySummary summary, std::size_t arm = 0) {
  summarise_gap(summary, nullptr);
  return summary.gap.value().arms.at(arm);
}

TEST(SummariseGap, PartsAddUpToTheGap) {
  StudySummary summary = empty_study();
  // Test has another share of the classes: a third of the images of class 0 is left out.
  StudyImages some;
  std::size_t dropped = 0;
  for (StudyImage image : summary.images) {
    if (image.split == "test" && image.label == 0 && ++dropped % 3 == 0) image.split = "unused";
    some.add(image);
  }
  summary.images = some;
  summary.arms.push_back(make_arm(summary, "a", kShift, true));
  const ArmGap gap = gap_of(summary);
  EXPECT_NEAR(gap.total.value,
              gap.selection_and_leakage.value + gap.prevalence.value + gap.rest.value, 1e-12);
  EXPECT_NEAR(gap.rest.value, gap.rest_sensitivity.value + gap.rest_specificity.value, 1e-12);
  EXPECT_NEAR(gap.holdout_minus_test.value, gap.prevalence.value + gap.rest.value, 1e-12);
  EXPECT_NEAR(gap.total.value, gap.accuracy.validation - gap.accuracy.test_alone, 1e-12);
  EXPECT_NEAR(gap.holdout_minus_test.value, gap.accuracy.holdout - gap.accuracy.test_alone, 1e-12);
  for (const GapPart* part : {&gap.total, &gap.selection_and_leakage, &gap.prevalence, &gap.rest,
                              &gap.holdout_minus_test}) {
    for (const GapEstimate* e : {&part->e1, &part->e2}) {
      EXPECT_LE(e->low, part->value);
      EXPECT_GE(e->high, part->value);
    }
  }
  EXPECT_LE(gap.rest.e2.low, gap.rest.e1.low) << "patients add to the uncertainty";
}

TEST(SummariseGap, EqualSharesOfTheClassesLeaveNoPrevalencePart) {
  // Some of these leave 1e-17 in one seed or another.
  for (const double skill : {0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95}) {
    StudySummary summary = empty_study();
    summary.arms.push_back(make_arm(summary, "a", {skill, skill, skill}, true));
    const ArmGap gap = gap_of(summary);
    EXPECT_EQ(gap.prevalence.value, 0) << skill;
    for (const GapEstimate* e : {&gap.prevalence.e1, &gap.prevalence.e2}) {
      EXPECT_EQ(e->low, 0) << skill;
      EXPECT_EQ(e->high, 0) << skill;
      EXPECT_EQ(e->p, 1) << skill;
    }
  }
}

TEST(SummariseGap, TestImagesOfSharedGroupsStandApart) {
  StudySummary summary = empty_study();
  summary.arms.push_back(make_arm(summary, "a", kNone, true));
  summarise_gap(summary, nullptr);
  EXPECT_EQ(summary.gap->holdout.groups, kHeld);
  EXPECT_EQ(summary.gap->test_alone.groups, kTest - kShared);
  EXPECT_EQ(summary.gap->test_shared.groups, kShared);
  EXPECT_EQ(summary.gap->test_shared.images, kShared * kViews);
  EXPECT_FALSE(summary.gap->duplicate_test) << "unknown without the images, not none";
  ASSERT_FALSE(summary.gap->notes.empty());
}

TEST(SummariseGap, AShiftTakesAllThreeKindsOfEvidence) {
  StudySummary summary = empty_study();
  summary.arms.push_back(make_arm(summary, "a", kShift, true));
  const ArmGap alone = gap_of(summary);
  EXPECT_TRUE(alone.shift_seen);
  EXPECT_TRUE(alone.part_seen);
  EXPECT_EQ(alone.control_answer, ControlAnswer::absent);
  EXPECT_EQ(alone.cause, GapCause::undecided) << "without a control never \"because of shift\"";
  EXPECT_NE(alone.sentence.find("without a control arm"), std::string::npos) << alone.sentence;

  summary.arms[0].control = "control";
  StudySummary vanishes = summary;
  vanishes.controls.push_back(make_arm(summary, "control", kNone, true));
  const ArmGap all = gap_of(vanishes);
  EXPECT_EQ(all.control_answer, ControlAnswer::vanishes);
  EXPECT_EQ(all.cause, GapCause::shift) << all.sentence;
  EXPECT_EQ(all.sentence.find("The gap is because of shift"), 0U);

  StudySummary persists = summary;
  persists.controls.push_back(make_arm(summary, "control", kShift, true));
  const ArmGap still = gap_of(persists);
  EXPECT_EQ(still.control_answer, ControlAnswer::persists);
  EXPECT_EQ(still.cause, GapCause::undecided) << still.sentence;

  // As sure on test as elsewhere, but of the wrong class: accuracy falls, and the distribution of
  // the scores is the same, so that no test sees a shift.
  StudySummary unseen = empty_study();
  unseen.arms.push_back(make_arm(unseen, "a", {0.9, 0.9, 0.1, 2, 2}, true));
  unseen.arms[0].control = "control";
  unseen.controls.push_back(make_arm(unseen, "control", kNone, true));
  const ArmGap blind = gap_of(unseen);
  ASSERT_FALSE(blind.shift_seen);
  EXPECT_TRUE(blind.part_seen);
  EXPECT_EQ(blind.cause, GapCause::undecided) << blind.sentence;
}

TEST(SummariseGap, NothingIsFoundWhereThereIsNothing) {
  StudySummary summary = empty_study();
  summary.arms.push_back(make_arm(summary, "a", kNone, true));
  summary.arms[0].control = "control";
  summary.controls.push_back(make_arm(summary, "control", kNone, true));
  // Not found is not absent: with the 40 patients held out, a gap of a few points could hide.
  const ArmGap open = gap_of(summary);
  EXPECT_FALSE(open.sign_seen);
  EXPECT_EQ(open.cause, GapCause::undecided) << open.sentence;
  EXPECT_EQ(open.sentence.find("Nothing found, but a gap of up to "), 0U) << open.sentence;
  EXPECT_GT(open.not_excluded, open.margin);

  summary.margin = 1.001 * open.not_excluded;
  const ArmGap gap = gap_of(summary);
  EXPECT_EQ(gap.cause, GapCause::none) << gap.sentence;
  EXPECT_EQ(gap.sentence.find("No shift found, and no gap as large as the margin"), 0U)
      << gap.sentence;
  summary.margin = 0.999 * open.not_excluded;
  EXPECT_EQ(gap_of(summary).cause, GapCause::undecided);
  // The claim of a gap agrees: the two one-sided tests of hold-out less test are its own.
  summary.margin = gap.margin;
  ClaimSpec claim;
  claim.kind = ClaimKind::gap;
  claim.arms = {"a"};
  const ClaimResult judged = judge_claims(summary, std::vector<ClaimSpec>{claim}).at(0);
  EXPECT_EQ(judged.e2.verdict, Verdict::no_effect) << judged.explanation;
  EXPECT_NEAR(judged.e2.equivalence_low, gap.holdout_minus_test.e2.equivalence_low, 1e-12);
  EXPECT_NEAR(judged.e2.equivalence_high, gap.holdout_minus_test.e2.equivalence_high, 1e-12);
  EXPECT_FALSE(gap.leakage);
  EXPECT_EQ(gap.validation_shared, 0);
}

TEST(SummariseGap, FewPatientsSpeakForNoOthers) {
  for (const std::size_t held : {2U, 9U}) {
    StudySummary summary = empty_study(held);
    summary.arms.push_back(make_arm(summary, "a", kNone, true));
    const ArmGap gap = gap_of(summary);
    for (const GapPart* part :
         {&gap.selection_and_leakage, &gap.prevalence, &gap.rest, &gap.holdout_minus_test}) {
      EXPECT_TRUE(std::isnan(part->e2.low)) << held;
      EXPECT_FALSE(std::isnan(part->e1.low)) << held;
      EXPECT_EQ(part->e2.reason.find("in the hold-out, the "), 0U) << part->e2.reason;
    }
    EXPECT_TRUE(std::isnan(gap.rest_sensitivity.e2.low)) << held;
    EXPECT_FALSE(std::isnan(gap.total.e2.low)) << "validation and test have enough";
    EXPECT_TRUE(std::isnan(gap.not_excluded)) << gap.not_excluded;
    EXPECT_EQ(gap.cause, GapCause::undecided);
    if (gap.sign_seen) continue;
    EXPECT_EQ(gap.sentence.find("Nothing found, and too few patients to exclude a gap."), 0U)
        << gap.sentence;
  }
  StudySummary summary = empty_study(2);
  summary.arms.push_back(make_arm(summary, "a", kNone, true));
  EXPECT_EQ(
      gap_of(summary).holdout_minus_test.e2.reason,
      "in the hold-out, the 4 images are of 2 groups that weigh as much as 2.0 of equal size: "
      "a verdict on other cases takes at least 10");
  EXPECT_FALSE(gap_of(summary).sign_seen) << "so that its sentence was looked at";
  StudySummary enough = empty_study(20);
  enough.arms.push_back(make_arm(enough, "a", kNone, true));
  EXPECT_FALSE(std::isnan(gap_of(enough).holdout_minus_test.e2.low));
}

TEST(SummariseGap, APatientWithManyImagesTakesDegreesOfFreedomAsInAClaim) {
  StudySummary summary = empty_study(20, 6);
  summary.margin = 0.05;
  summary.arms.push_back(make_arm(summary, "a", {0.7, 0.7, 0.7}, true));
  // All trainings but for one image each say the same, so that patients are what differs.
  std::vector<TrialSummary>& trials = summary.arms[0].trials;
  for (std::size_t s = 1; s < trials.size(); ++s) {
    for (std::size_t k : {1U, 2U}) {
      SplitPredictions& p = trials[s].result.predictions[k];
      p.logits = trials[0].result.predictions[k].logits;
      p.logits[10 + s] = -p.logits[10 + s];
    }
  }
  const ArmGap gap = gap_of(summary);
  ClaimSpec claim;
  claim.kind = ClaimKind::gap;
  claim.arms = {"a"};
  const ClaimResult judged = judge_claims(summary, std::vector<ClaimSpec>{claim}).at(0);
  EXPECT_LT(judged.e2.df, 7);
  EXPECT_NEAR(judged.e2.low, gap.holdout_minus_test.e2.low, 1e-12);
  EXPECT_NEAR(judged.e2.high, gap.holdout_minus_test.e2.high, 1e-12);
  EXPECT_NEAR(judged.e2.equivalence_high, gap.holdout_minus_test.e2.equivalence_high, 1e-12);
}

TEST(SummariseGap, NoIntervalIsWiderThanADifferenceCanBe) {
  StudySummary summary = empty_study(2);
  summary.arms.push_back(make_arm(summary, "a", {0.5, 0.5, 0.5}, true, 2));
  const ArmGap gap = gap_of(summary);
  EXPECT_EQ(gap.holdout_minus_test.e1.low, -1) << "of two seeds, t has long tails";
  EXPECT_EQ(gap.holdout_minus_test.e1.high, 1);
  EXPECT_GE(gap.holdout_minus_test.e1.equivalence_low, -1);
  EXPECT_LE(gap.holdout_minus_test.e1.equivalence_high, 1);
}

TEST(SummariseGap, LeakageIsCalledSo) {
  StudySummary summary = empty_study();
  summary.arms.push_back(make_arm(summary, "by image", kLeak, false));
  const ArmGap alone = gap_of(summary);
  EXPECT_EQ(alone.cause, GapCause::leakage) << alone.sentence;
  EXPECT_EQ(alone.leakage_against, "");
  EXPECT_GT(alone.validation_shared, 0.5);

  summary.arms.push_back(make_arm(summary, "by group", {0.85, 0.85, 0.85}, true));
  const ArmGap paired = gap_of(summary);
  EXPECT_EQ(paired.leakage_against, "by group");
  EXPECT_EQ(paired.cause, GapCause::leakage) << paired.sentence;
  double expected = 0;
  for (const double sign : {1.0, -1.0}) {
    const ArmGap one = gap_of(summary, sign > 0 ? 0 : 1);
    expected += sign * (one.accuracy.validation - one.accuracy.holdout);
  }
  EXPECT_NEAR(paired.leakage->value, expected, 1e-12);
  EXPECT_FALSE(gap_of(summary, 1).sign_seen);

  // Both at once.
  StudySummary both = empty_study();
  both.arms.push_back(make_arm(both, "by image", {0.98, 0.85, 0.6, 2, 0.5}, false));
  both.arms[0].control = "control";
  both.controls.push_back(make_arm(both, "control", {0.85, 0.85, 0.85}, true));
  EXPECT_EQ(gap_of(both).cause, GapCause::shift_and_leakage) << gap_of(both).sentence;
}

TEST(SummariseGap, EvidenceForAClaimIsThatOfTheWorstArm) {
  StudySummary summary = empty_study();
  summary.arms.push_back(make_arm(summary, "a", kShift, true));
  summary.arms.push_back(make_arm(summary, "b", kNone, true));
  summary.arms[0].control = summary.arms[1].control = "control";
  summary.controls.push_back(make_arm(summary, "control", kNone, true));
  summarise_gap(summary, nullptr);
  std::vector<ClaimSpec> claims(1);
  claims[0].kind = ClaimKind::gap;
  EXPECT_FALSE(shift_evidence(summary.gap, claims)) << "no claim asks for a reason";
  claims[0].because_of_shift = true;
  claims[0].arms = {"a"};
  const ShiftEvidence a = shift_evidence(summary.gap, claims).value();
  EXPECT_EQ(a.shift_found, Piece::holds);
  EXPECT_EQ(a.part_remains, Piece::holds);
  EXPECT_EQ(a.control_clears, Piece::holds);
  claims[0].arms = {"a", "b"};
  const ShiftEvidence both = shift_evidence(summary.gap, claims).value();
  EXPECT_EQ(both.shift_found, Piece::fails);
  EXPECT_EQ(both.part_remains, Piece::open);
  EXPECT_EQ(both.control_clears, Piece::open);
  summary.gap->arms[0].control_answer = ControlAnswer::absent;
  claims[0].arms = {"a"};
  EXPECT_EQ(shift_evidence(summary.gap, claims)->control_clears, Piece::missing);
  EXPECT_FALSE(shift_evidence(std::nullopt, claims));
}

TEST(SummariseGap, FewSeedsGiveNoVerdict) {
  StudySummary summary = empty_study();
  summary.arms.push_back(make_arm(summary, "a", kShift, true, 4));
  EXPECT_EQ(gap_of(summary).cause, GapCause::not_allowed);
  EXPECT_FALSE(std::isnan(gap_of(summary).total.e1.low));
  StudySummary one = empty_study();
  one.arms.push_back(make_arm(one, "a", kShift, true, 1));
  const ArmGap gap = gap_of(one);
  EXPECT_EQ(gap.cause, GapCause::not_allowed);
  EXPECT_TRUE(std::isnan(gap.total.e1.low));
  EXPECT_EQ(gap.total.e1.reason, "one seed has no spread");
  EXPECT_NE(gap.sentence.find("at least 5 seeds, these are 1"), std::string::npos);
}

TEST(SummariseGap, NoHoldoutNoSection) {
  StudySummary summary = empty_study();
  summary.holdout_images = 0;
  summary.arms.push_back(make_arm(summary, "a", kNone, true));
  summarise_gap(summary, nullptr);
  EXPECT_FALSE(summary.gap);
  // Every test patient in training, too: said, not computed from nothing.
  StudySummary all_shared = empty_study();
  StudyImages shared;
  for (StudyImage image : all_shared.images) {
    if (image.split == "test") image.group = "g1";
    shared.add(image);
  }
  all_shared.images = shared;
  all_shared.arms.push_back(make_arm(all_shared, "a", kNone, true));
  summarise_gap(all_shared, nullptr);
  ASSERT_TRUE(all_shared.gap);
  EXPECT_TRUE(all_shared.gap->arms.empty());
  EXPECT_NE(all_shared.gap->notes.at(0).find("Every group of the test split"), std::string::npos);
}

}  // namespace
}  // namespace bioptic
