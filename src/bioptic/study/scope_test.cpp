// For whom a verdict speaks: what was chosen on a split, what the seeds changed, whose images the
// cases are.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "bioptic/base/random.h"
#include "bioptic/study/collapse.h"
#include "bioptic/study/compare_arms.h"
#include "bioptic/study/judge_claims.h"
#include "bioptic/study/reach.h"
#include "bioptic/study/spec.h"
#include "bioptic/study/study_comparisons.h"
#include "bioptic/study/weights_said.h"

namespace bioptic {
namespace {

constexpr std::size_t kImages = 120;  // of each of train, val and test

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Arms a and b over six seeds, a right on more images of val and test.  Every image is its own
// group but where `group_of` says otherwise (row of the dataset -> name).
StudySummary made(const std::function<std::string(std::size_t)>& group_of = nullptr) {
  StudySummary summary;
  summary.dataset.classes = {"healthy", "sick"};
  const std::vector<std::string> splits = {"train", "val", "test"};
  for (std::size_t i = 0; i < 3 * kImages; ++i) {
    summary.images.add({"image" + std::to_string(i), splits[i / kImages],
                        group_of ? group_of(i) : "", static_cast<std::int64_t>(i % 2)});
  }
  for (const std::string name : {"a", "b"}) {
    ArmSummary& arm = summary.arms.emplace_back();
    arm.name = name;
    for (int seed = 0; seed < 6; ++seed) {
      RandomStream stream(static_cast<std::uint64_t>(seed), "scope " + name);
      TrialSummary& trial = arm.trials.emplace_back();
      trial.arm = name;
      trial.seed = seed;
      const auto s = static_cast<std::uint64_t>(seed);
      trial.seeds = {s, s, s};
      for (std::size_t split = 1; split < 3; ++split) {
        SplitPredictions p;
        p.split = splits[split];
        for (std::size_t i = split * kImages; i < (split + 1) * kImages; ++i) {
          const bool right = stream.uniform() < (name == "a" ? 0.95 : 0.6);
          p.rows.push_back(static_cast<std::uint32_t>(i));
          p.logits.push_back(
              static_cast<float>((right == (i % 2 == 1) ? 1 : -1) * (0.5 + stream.uniform())));
        }
        trial.result.predictions.push_back(std::move(p));
      }
    }
  }
  return summary;
}

ClaimResult claim(const StudySummary& summary, const std::string& keys) {
  const std::string text =
      "[train]\nepochs = 12\n[[arm]]\nname = 'a'\nbatch_size = 10\n[[arm]]\nname = 'b'\nbatch_size "
      "= 100\n[[claim]]\nid = 'x'\nsentence = 'It is so'\nkind = 'difference'\narms = ['a', "
      "'b']\n" +
      keys + "\n";
  return judge_claims(summary, parse_study_text(text, "s.toml").claims).at(0);
}

Comparison comparison(const StudySummary& summary, const std::string& split,
                      const std::string& metric) {
  const std::vector<Comparison> all = compare_study(summary);
  return *std::find_if(all.begin(), all.end(),
                       [&](const Comparison& c) { return c.split == split && c.metric == metric; });
}

// ---- what validation chose ----------------------------------------------------------------------

TEST(Scope, WhatASplitChoseIsNotJudgedOnItForOtherPatients) {
  StudySummary summary = made();
  ASSERT_EQ(claim(summary, "split = 'val'").e2.verdict, Verdict::positive) << "nothing chosen yet";
  summary.arms[0].chosen.in_training = {"the epoch"};
  const ClaimResult val = claim(summary, "split = 'val'");
  EXPECT_EQ(val.e2.verdict, Verdict::not_allowed);
  EXPECT_TRUE(has(val.e2.reason, "validation chose the epoch of 'a'")) << val.e2.reason;
  EXPECT_TRUE(has(val.e2.reason, "test split")) << val.e2.reason;
  EXPECT_EQ(val.e1.verdict, Verdict::positive);
  EXPECT_TRUE(has(val.explanation, "validation chose the epoch of 'a'")) << val.explanation;
  EXPECT_EQ(claim(summary, "split = 'test'").e2.verdict, Verdict::positive);
  EXPECT_FALSE(has(claim(summary, "split = 'test'").explanation, "chose the"));
  for (const char* metric : {"accuracy", "auroc", "brier"}) {
    const Comparison c = comparison(summary, "val", metric);
    EXPECT_EQ(c.e2.verdict, Verdict::not_allowed) << metric;
    EXPECT_TRUE(has(c.explanation, "validation chose the epoch of 'a'")) << c.explanation;
    EXPECT_NE(comparison(summary, "test", metric).e2.verdict, Verdict::not_allowed);
  }
}

TEST(Scope, AChosenThresholdBearsOnMetricsThatHaveOne) {
  StudySummary summary = made();
  summary.arms[1].chosen.threshold = true;
  for (const char* metric : {"accuracy", "balanced_accuracy", "sensitivity", "specificity"}) {
    const Comparison c = comparison(summary, "val", metric);
    EXPECT_EQ(c.e2.verdict, Verdict::not_allowed) << metric;
    EXPECT_TRUE(has(c.e2.reason, "the threshold of 'b'")) << c.e2.reason;
  }
  for (const char* metric : {"auroc", "brier", "log_loss"}) {
    EXPECT_EQ(comparison(summary, "val", metric).e2.verdict, Verdict::positive) << metric;
  }
}

TEST(Scope, WhereValidationIsDrawnAnewTheChoiceIsANote) {
  StudySummary summary = made();
  summary.arms[0].chosen.in_training = {"the end (early stopping)", "the learning rate (plateau)"};
  summary.arms[1].chosen.threshold = true;
  for (ArmSummary& arm : summary.arms) {
    arm.trials[2].result.predictions[0].rows.pop_back();
    arm.trials[2].result.predictions[0].logits.pop_back();
  }
  const Comparison c = comparison(summary, "val", "accuracy");
  EXPECT_TRUE(has(c.e2.reason, "differ between the seeds")) << c.e2.reason;
  EXPECT_TRUE(has(c.explanation,
                  "And validation chose the end (early stopping) and the learning rate (plateau) "
                  "of 'a', and the threshold of 'b'"))
      << c.explanation;
}

TEST(Scope, WhatAStudyFileLetsValidationChoose) {
  TrainSpec spec;
  EXPECT_FALSE(chosen_by_validation(spec).any());
  spec.select = ValidationMetric::auroc;
  spec.early_stopping = EarlyStopping{};
  spec.schedule.kind = ScheduleKind::plateau;
  EXPECT_EQ(chosen_by_validation(spec).in_training.size(), 3U);
  EXPECT_FALSE(chosen_by_validation(spec).threshold);
  spec.threshold.kind = ThresholdKind::youden;
  EXPECT_TRUE(chosen_by_validation(spec).threshold);
}

// ---- what the seeds changed, whose images the cases are
// -------------------------------------------

TEST(Scope, OnlyWhatVariedIsSpokenFor) {
  StudySummary summary = made();
  EXPECT_TRUE(has(claim(summary, "").explanation, "for other seeds and other images like these"))
      << claim(summary, "").explanation;
  for (ArmSummary& arm : summary.arms) {
    for (TrialSummary& trial : arm.trials) trial.seeds.split = trial.seeds.init = 0;
  }
  const std::string scope = "for other batch orders (split and initial weights stand still)";
  for (const char* keys : {"", "metric = 'auroc'", "split = 'val'"}) {
    EXPECT_TRUE(has(claim(summary, keys).explanation, scope)) << claim(summary, keys).explanation;
  }
  EXPECT_TRUE(has(comparison(summary, "test", "accuracy").explanation, scope + " and other cases"))
      << comparison(summary, "test", "accuracy").explanation;
  // E1, and a curve.
  for (ArmSummary& arm : summary.arms) {
    double level = arm.name == "a" ? 0.9 : 0.8;
    for (TrialSummary& trial : arm.trials) {
      trial.result.predictions.clear();
      for (int e = 0; e < 12; ++e) {
        EpochRecord record;
        record.val_accuracy = level += arm.name == "a" ? 0.001 * (1 + trial.seed) : 0;
        trial.result.history.push_back(record);
      }
    }
  }
  const ClaimResult curve = claim(summary, "value = 'mean'\nsplit = 'val'");
  EXPECT_TRUE(has(curve.explanation, scope + " on these images")) << curve.explanation;
}

TEST(Scope, WhatStandsStillInOneArmIsNamed) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(other_seeds({{"a", {}}, {"b", {}}}), "seeds");
  EXPECT_EQ(other_seeds({{"a", {}}, {"b", {"split"}}}),
            "initial weights and batch orders (split stands still in 'b')");
  EXPECT_EQ(other_seeds({{"a", {"initial weights"}}, {"b", {"initial weights"}}}),
            "splits and batch orders (initial weights stand still)");
  const Names all = {"split", "initial weights", "batch order"};
  EXPECT_EQ(other_seeds({{"a", all}, {"b", all}}),
            "seeds (split, initial weights and batch order stand still)");
}

TEST(Scope, PatientsThatAreAlsoTrainedOnAreNamed) {
  // Two images a patient on test; the last 15 of its 60 patients own the first images of training,
  // the 10 before them the first of validation.
  const auto group_of = [](std::size_t i) {
    if (i >= 2 * kImages) return "t" + std::to_string((i - 2 * kImages) / 2);
    if (i < 15) return "t" + std::to_string(45 + i);
    if (i >= kImages && i < kImages + 10) return "t" + std::to_string(35 + i - kImages);
    return "own" + std::to_string(i);
  };
  StudySummary summary = made(group_of);
  const std::string clause = "(25 of the 60 patients tested on also have images in training)";
  for (const char* keys : {"", "metric = 'auroc'"}) {
    const ClaimResult r = claim(summary, keys);
    ASSERT_TRUE(r.headline_is_e2());
    EXPECT_TRUE(has(r.explanation, "for other seeds and other patients like these " + clause))
        << r.explanation;
    EXPECT_TRUE(
        has(r.explanation, "on the 35 patients who have no images in another split it is +"))
        << r.explanation;
  }
  const Comparison c = comparison(summary, "test", "accuracy");
  EXPECT_TRUE(has(c.explanation, clause)) << c.explanation;
  EXPECT_EQ(c.shared.value().shared, 25U);
  EXPECT_EQ(c.shared.value().groups, 60U);
  // Validation that no seed draws anew is never trained on.
  for (ArmSummary& arm : summary.arms) {
    for (TrialSummary& trial : arm.trials) trial.seeds.split = 0;
  }
  EXPECT_EQ(shared_with_training(summary, "test").value().shared, 15U);
  EXPECT_EQ(shared_with_training(summary, "val").value().shared, 0U);
  // Nothing shared, nothing said.
  const auto apart = [](std::size_t i) { return "p" + std::to_string(i / 2); };
  EXPECT_FALSE(has(claim(made(apart), "").explanation, "also have images"));
}

// ---- trainings that came to nothing -------------------------------------------------------------

StudySummary with_curves(int flat) {
  StudySummary summary = made();
  for (ArmSummary& arm : summary.arms) {
    for (TrialSummary& trial : arm.trials) {
      const bool moves = arm.name == "b" || trial.seed >= flat;
      for (int e = 0; e < 12; ++e) {
        EpochRecord record;
        record.val_accuracy =
            0.8 + (moves ? (0.01 + 0.001 * trial.seed) * (e % 2) : 0) * (arm.name == "a" ? 0.5 : 1);
        trial.result.history.push_back(record);
      }
    }
  }
  return summary;
}

TEST(Scope, ACurveThatNeverMovesIsNotSteadier) {
  const std::string keys =
      "[[claim]]\nid = 'i'\nsentence = 'a is steadier'\nkind = 'index'\narms = ['a', "
      "'b']\ndirection = 'lower'";
  const auto index = [&](const StudySummary& summary) {
    const std::string text =
        "[train]\nepochs = 12\n[[arm]]\nname = 'a'\nbatch_size = 10\n[[arm]]\nname = "
        "'b'\nbatch_size = 100\n" +
        keys + "\n";
    return judge_claims(summary, parse_study_text(text, "s.toml").claims).at(0);
  };
  EXPECT_EQ(index(with_curves(0)).e1.verdict, Verdict::positive)
      << index(with_curves(0)).explanation;
  EXPECT_EQ(index(with_curves(3)).e1.verdict, Verdict::positive) << "half of them, not most";
  const ClaimResult most = index(with_curves(4));
  EXPECT_EQ(most.e1.verdict, Verdict::not_allowed);
  EXPECT_TRUE(has(most.e1.reason, "4 of 6 trainings of 'a'")) << most.e1.reason;
  StudySummary collapsed = with_curves(0);
  for (int seed = 0; seed < 4; ++seed) {
    collapsed.arms[1].trials[static_cast<std::size_t>(seed)].result.status = TrialStatus::collapsed;
  }
  EXPECT_EQ(index(collapsed).e1.verdict, Verdict::not_allowed);
}

TEST(Scope, OnePredictedClassIsToldFromConstantScores) {
  StudySummary summary = made();
  ArmSummary& arm = summary.arms[0];
  EXPECT_EQ(collapse_words(arm), "");
  arm.threshold = "0.5";
  for (std::size_t k = 0; k < 3; ++k) {
    arm.trials[k].result.status = TrialStatus::collapsed;
    for (float& z : arm.trials[k].result.predictions[0].logits) z = k == 0 ? -1.5F : z - 4;
  }
  EXPECT_EQ(collapse_words(arm),
            "1 with the same score for every validation image, 2 with one predicted "
            "class at the threshold (0.5) although the scores differ");
  EXPECT_TRUE(has(claim(summary, "").explanation,
                  "3 of 6 trainings of 'a' collapsed (1 with the same score"))
      << claim(summary, "").explanation;
}

// ---- classes that count differently -------------------------------------------------------------

TEST(Scope, CollapsesOfOneKindAreNotCountedTwice) {
  StudySummary summary = made();
  ArmSummary& arm = summary.arms[0];
  arm.trials[1].result.status = TrialStatus::collapsed;
  EXPECT_EQ(collapse_words(arm),
            "one predicted class at the threshold (0.5) although the scores differ");
  arm.trials[1].result.predictions[0].logits[3] = std::nanf("");
  EXPECT_EQ(collapse_words(arm), "scores that are not finite");
}

// An epoch that validation's AUROC chose may predict one class although no training went wrong.
TEST(Scope, ACollapseInAChosenEpochIsSaidToBeThat) {
  StudySummary summary = made();
  ArmSummary& arm = summary.arms[0];
  TrialResult& result = arm.trials[1].result;
  result.status = TrialStatus::collapsed;
  arm.selected_by = "val_auroc";
  EXPECT_EQ(collapse_words(arm),
            "one predicted class in the epoch that val_auroc chose at the threshold (0.5) although "
            "the scores differ");
  arm.outputs = 3;  // no threshold
  EXPECT_EQ(collapse_words(arm),
            "one predicted class in the epoch that val_auroc chose although the scores differ");
  result.history.resize(30);
  result.selected_epoch = 2;
  TrainSpec train;
  EXPECT_EQ(collapse_words(result, train), "one predicted class");
  train.select = ValidationMetric::auroc;
  EXPECT_EQ(collapse_words(result, train),
            "one predicted class in epoch 2 of 30, which val_auroc chose");
  result.history[7].val_loss = std::nan("");  // in another epoch than the chosen one
  EXPECT_EQ(collapse_words(result, train), "a loss that is not finite");
  EXPECT_EQ(collapse_words(arm), "a loss that is not finite");
}

TEST(Scope, ClassesThatCountDifferentlyShiftProbabilities) {
  StudySummary summary = made();
  const std::string words = "the classes counted differently";
  EXPECT_EQ(unequal_weights_note(summary), "");
  EXPECT_FALSE(has(claim(summary, "metric = 'brier'\ndirection = 'lower'").explanation, words));
  StudySummary sampled = summary;
  sampled.arms[1].settings = {{"sampler", "balanced"}};
  for (TrialSummary& trial : summary.arms[0].trials) trial.loss.class_weight = {0.6, 3.0};
  for (const StudySummary& s : {summary, sampled}) {
    EXPECT_TRUE(has(claim(s, "metric = 'brier'\ndirection = 'lower'").explanation, words));
    EXPECT_TRUE(has(claim(s, "metric = 'log_loss'\ndirection = 'lower'").explanation, words));
    EXPECT_FALSE(has(claim(s, "metric = 'auroc'").explanation, words));
  }
  EXPECT_TRUE(has(unequal_weights_note(summary), "differently in 'a' and not in 'b'"))
      << unequal_weights_note(summary);
  EXPECT_TRUE(has(unequal_weights_note(sampled), "differently in 'b' and not in 'a'"));
  for (TrialSummary& trial : summary.arms[1].trials) trial.loss.class_weight = {0.6, 3.0};
  EXPECT_EQ(unequal_weights_note(summary), "");
  // Balanced weights differ from seed to seed, and one arm lacks the first.
  for (ArmSummary& arm : summary.arms) {
    for (TrialSummary& trial : arm.trials) {
      trial.loss.class_weight = {0.6, 3.0 + 0.1 * static_cast<double>(trial.seed)};
    }
  }
  summary.arms[1].trials.erase(summary.arms[1].trials.begin());
  EXPECT_EQ(unequal_weights_note(summary), "");
}

}  // namespace
}  // namespace bioptic
