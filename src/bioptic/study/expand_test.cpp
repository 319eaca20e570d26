#include <gtest/gtest.h>

#include <set>

#include "bioptic/base/error.h"
#include "bioptic/study/spec.h"

namespace bioptic {
namespace {

StudySpec parse(const std::string& text) { return parse_study_text(text, "s.toml"); }
const std::string kArms = "\n[[arm]]\nname = 'a'\n[[arm]]\nname = 'b'\nbatch_size = 10\n";
const StudyData kData{"hash", {"NORMAL", "PNEUMONIA"}, false};

std::vector<PlannedTrial> expanded(const std::string& text, const StudyData& data = kData) {
  return expand(parse(text), data, "fused", 1);
}

std::string message_of(const std::string& text, const StudyData& data) {
  try {
    expanded(text, data);
  } catch (const InputError& error) {
    return error.what();
  }
  return "(no error)";
}

TEST(Expand, SeedsArePairedAndComeInOrder) {
  const auto trials = expanded("[study]\nseeds = 3" + kArms);
  ASSERT_EQ(trials.size(), 6U);
  for (std::size_t i = 0; i < trials.size(); ++i) {
    EXPECT_EQ(trials[i].arm, i % 2);
    EXPECT_EQ(trials[i].seed, static_cast<int>(i / 2));
    const TrialSeeds& seeds = trials[i].spec.seeds;
    EXPECT_EQ(seeds.split, i / 2);
    EXPECT_EQ(seeds.init, i / 2);
    EXPECT_EQ(seeds.order, i / 2);
  }
  EXPECT_EQ(trials[1].spec.train.batch_size, 10);
  EXPECT_EQ(trials[0].spec.dataset_hash, "hash");
  EXPECT_EQ(trials[0].spec.engine, "fused");
}

TEST(Expand, BalancedWeightsStayARuleUntilTheSplitsAreDrawn) {
  const auto trials = expanded(
      "[train]\nloss = { kind = 'bce', class_weight = 'balanced' }\nsampler = "
      "'balanced'\n[[arm]]\nname = 'a'\n[[arm]]\nname = 'b'\nsampler = 'shuffle'\nloss = { "
      "class_weight = [1, 2] }\n");
  EXPECT_TRUE(trials[0].spec.train.loss.balanced);
  EXPECT_TRUE(trials[0].spec.train.loss.class_weight.empty());
  EXPECT_EQ(trials[0].spec.train.sampler, Sampler::balanced);
  EXPECT_FALSE(trials[1].spec.train.loss.balanced);  // an arm's own weights replace the rule
  EXPECT_EQ(trials[1].spec.train.loss.class_weight, (std::vector<double>{1, 2}));
  EXPECT_EQ(trials[1].spec.train.sampler, Sampler::shuffle);
  const auto back = expanded(
      "[train]\nloss = { class_weight = [1, 2] }\n[[arm]]\nname = 'a'\nloss = { class_weight = "
      "'balanced' }\n");
  EXPECT_TRUE(back[0].spec.train.loss.balanced);
  EXPECT_TRUE(back[0].spec.train.loss.class_weight.empty());
}

TEST(Expand, WhatVaryLeavesOutStaysAsInSeedZero) {
  const auto trials = expanded(
      "[study]\nseeds = 3\nvary = ['init']\n[[arm]]\nname = 'a'\n[[arm]]\nname = "
      "'b'\nvary = ['order']\n");
  EXPECT_EQ(trials[4].spec.seeds.init, 2U);
  EXPECT_EQ(trials[4].spec.seeds.split, 0U);
  EXPECT_EQ(trials[4].spec.seeds.order, 0U);
  EXPECT_EQ(trials[5].spec.seeds.init, 0U);
  EXPECT_EQ(trials[5].spec.seeds.order, 2U);
}

TEST(Expand, CrossedSeedsGiveEveryCombinationOnce) {
  const auto trials =
      expanded("[study]\nseeds = { split = 2, init = 3, order = 4 }\n[[arm]]\nname = 'a'\n");
  ASSERT_EQ(trials.size(), 24U);
  std::set<std::string> ids;
  for (const PlannedTrial& trial : trials) {
    const TrialSeeds& s = trial.spec.seeds;
    EXPECT_EQ(static_cast<std::uint64_t>(trial.seed), (s.split * 3 + s.init) * 4 + s.order);
    EXPECT_LT(s.split, 2U);
    EXPECT_LT(s.init, 3U);
    EXPECT_LT(s.order, 4U);
    ids.insert(trial.id);
  }
  EXPECT_EQ(ids.size(), 24U);
}

TEST(Expand, IdsDependOnTheSpecificationAlone) {
  const std::string text = "[study]\nseeds = 2" + kArms;
  const auto trials = expanded(text);
  std::set<std::string> ids;
  for (const PlannedTrial& trial : trials) {
    EXPECT_EQ(trial.id.size(), 64U);
    EXPECT_EQ(trial.id, trial_id(trial.spec));
    ids.insert(trial.id);
  }
  EXPECT_EQ(ids.size(), trials.size());
  // Names are not part of it, a default written out changes nothing, more seeds keep the old ids.
  const auto renamed = expanded(
      "[study]\nname = 'other'\nseeds = 3\n[train]\nepochs = 30\n[[arm]]\nname = "
      "'x'\n[[arm]]\nname = 'y'\nbatch_size = 10\n");
  for (std::size_t i = 0; i < trials.size(); ++i) EXPECT_EQ(renamed[i].id, trials[i].id);
  const auto spelled_out = expanded(
      "[study]\nseeds = 2\n[train]\nloss = { kind = 'bce_with_logits', "
      "pos_weight = 1, class_weight = [1, 1] }" +
      kArms);
  EXPECT_EQ(spelled_out[0].id, trials[0].id);
  StudyData other = kData;
  other.dataset_hash = "changed";
  EXPECT_NE(expanded(text, other)[0].id, trials[0].id);
  EXPECT_NE(expand(parse(text), kData, "reference", 1)[0].id, trials[0].id);
  EXPECT_NE(expand(parse(text), kData, "fused", 2)[0].id, trials[0].id);
}

// Computed before there was a [shift] section: a store from then keeps its trials.
TEST(Expand, IdsOfStudiesWithoutShiftAreThoseOfOld) {
  EXPECT_EQ(expanded("[study]\nseeds = 2" + kArms)[3].id,
            "cc4575d0c99cc6914800ecc2511de169cdac8dd568e8347bfd72000b5e9d2f50");
}

TEST(Expand, HoldoutAndControlArePartOfTheId) {
  const auto plain = expanded(kArms), shift = expanded("[shift]" + kArms),
             more = expanded("[shift]\nholdout_fraction = 0.2" + kArms);
  EXPECT_EQ(shift[0].spec.split.holdout_fraction, 0.1);
  EXPECT_NE(shift[0].id, plain[0].id);
  EXPECT_NE(shift[0].id, more[0].id);
  // One control for two ways of training each, not one for two ways of drawing validation.
  const std::string arms =
      "[[arm]]\nname = 'a'\n[[arm]]\nname = 'b'\nbatch_size = 10\n[[arm]]\nname = 'c'\n"
      "split_by = 'group'\n";
  const StudySpec study = parse("[study]\nseeds = 2\n[shift]\ncontrol = true\n" + arms);
  ASSERT_EQ(study.arms.size(), 5U);
  EXPECT_EQ(study.arms[3].name, "control of a");
  EXPECT_EQ(study.arms[4].name, "control of b");
  EXPECT_EQ(study.arms[0].control, "control of a");
  EXPECT_EQ(study.arms[1].control, "control of b");
  EXPECT_EQ(study.arms[2].control, "control of a");
  const auto trials = expand(study, kData, "fused", 1);
  ASSERT_EQ(trials.size(), 10U);
  EXPECT_TRUE(trials[8].spec.split.control);
  EXPECT_EQ(trials[8].spec.split.split_by, SplitBy::group);
  EXPECT_EQ(trials[8].spec.seeds.split, 1U);
  EXPECT_FALSE(trials[7].spec.split.control);
  EXPECT_EQ(trials[7].spec.split.split_by, SplitBy::group);
  EXPECT_EQ(trials[5].spec.split.split_by, SplitBy::image);
  EXPECT_NE(trials[7].id, trials[8].id);
  EXPECT_NE(trials[7].id, trials[5].id);
  EXPECT_EQ(parse("[shift]\ncontrol = true\n[[arm]]\nname = 'a'\n").arms[1].name, "control");
}

TEST(Expand, AnArmCannotDrawTheSourcesValidation) {
  StudyData fixed = kData;
  fixed.val_from_source = true;
  EXPECT_NE(message_of("[[arm]]\nname = 'x'\nsplit_by = 'group'", fixed)
                .find("s.toml:3: arm 'x' sets split_by"),
            std::string::npos);
}

TEST(Expand, SplitSpecificationReadsBack) {
  SplitSpec spec{0.25, 0.125, ValidationFrom::draw, SplitBy::group, 0.1, true};
  EXPECT_EQ(canonical_json(split_spec_from_json(canonical_json(spec))), canonical_json(spec));
  EXPECT_EQ(canonical_json(split_spec_from_json(canonical_json(SplitSpec{}))),
            canonical_json(SplitSpec{}));
}

TEST(Expand, PositiveClassAndClassWeightsFindTheirLabels) {
  EXPECT_EQ(expanded(kArms)[0].spec.positive, 1);
  EXPECT_EQ(expanded("[data]\npositive = 'NORMAL'" + kArms)[0].spec.positive, 0);
  StudyData unsorted = kData;
  unsorted.classes = {"z", "a"};
  EXPECT_EQ(expanded(kArms, unsorted)[0].spec.positive, 0);  // the last by name
  const auto weighted = expanded("[train]\nloss = { class_weight = { PNEUMONIA = 3 } }" + kArms);
  EXPECT_EQ(weighted[0].spec.train.loss.class_weight, (std::vector<double>{1, 3}));
}

TEST(Expand, SettingsThatDoNotFitTheDataAreNamed) {
  StudyData three = kData;
  three.classes = {"a", "b", "c"};
  EXPECT_NE(message_of(kArms, three).find("is for two classes, the data have 3"),
            std::string::npos);
  EXPECT_EQ(message_of("[train]\nloss = 'cross_entropy'" + kArms, three), "(no error)");
  EXPECT_EQ(message_of("[train]\nloss = 'bce'" + kArms, three).find("s.toml:2: "), 0U);
  EXPECT_NE(message_of("[train]\nloss = 'cross_entropy'\nthreshold = 'youden'" + kArms, three)
                .find("s.toml:3: arm 'a': a threshold is for two classes"),
            std::string::npos);
  EXPECT_NE(message_of("[data]\npositive = 'PNEUMONA'" + kArms, kData)
                .find("s.toml:2: [data] positive names the class 'PNEUMONA'"),
            std::string::npos);
  EXPECT_NE(message_of("[train]\nloss = { class_weight = [1, 2, 3] }" + kArms, kData)
                .find("has 3 values, the data have 2 classes"),
            std::string::npos);
  EXPECT_NE(message_of("[train]\nloss = { class_weight = { X = 2 } }" + kArms, kData).find("'X'"),
            std::string::npos);
}

TEST(Expand, TheSourcesValidationSplitIsNotVaried) {
  StudyData fixed = kData;
  fixed.val_from_source = true;
  const auto trials = expanded("[study]\nseeds = 2" + kArms, fixed);
  EXPECT_EQ(trials[2].spec.seeds.split, 0U);
  EXPECT_EQ(trials[2].spec.seeds.init, 1U);
  EXPECT_EQ(trials[2].spec.seeds.order, 1U);
  EXPECT_NE(message_of("[study]\n\nvary = ['split', 'init']" + kArms, fixed)
                .find("s.toml:3: [study] vary names \"split\""),
            std::string::npos);
  EXPECT_NE(message_of("[[arm]]\nname = 'x'\nvary = ['split']", fixed)
                .find("s.toml:3: [[arm]] 'x' vary names \"split\""),
            std::string::npos);
  EXPECT_NE(message_of("[study]\nseeds = { split = 2 }" + kArms, fixed)
                .find("s.toml:2: [study] seeds.split"),
            std::string::npos);
  EXPECT_EQ(message_of("[study]\nvary = ['init']" + kArms, fixed), "(no error)");
}

TEST(Expand, ShippedStudiesGiveUniqueTrials) {
  for (const char* name :
       {"loss", "batch_size", "scheduler", "gap", "variance", "augmentation", "normalisation"}) {
    const StudySpec study = parse_study(std::string("studies/") + name + ".toml");
    const auto trials = expand(study, kData, "fused", 1);
    EXPECT_EQ(trials.size(), study.arms.size() * static_cast<std::size_t>(study.seeds.count));
    std::set<std::string> ids;
    for (const PlannedTrial& trial : trials) ids.insert(trial.id);
    EXPECT_EQ(ids.size(), trials.size());
  }
}

TEST(Expand, ClaimsAreNoPartOfATrial) {
  const auto plain = expand(parse(kArms), kData, "fused", 1);
  const auto claimed =
      expand(parse(kArms + "[[claim]]\nid = 'x'\nsentence = 'y'\nkind = 'gap'\nmargin = 0.3\n"),
             kData, "fused", 1);
  ASSERT_EQ(plain.size(), claimed.size());
  for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_EQ(plain[i].id, claimed[i].id);
}

// --seeds changes the plan after the file was read.
TEST(Expand, ChecksVaryAgain) {
  StudySpec study = parse("[study]\nseeds = 1\nvary = []" + kArms);
  EXPECT_EQ(expand(study, kData, "fused", 1).size(), 2U);
  study.seeds.count = 2;
  EXPECT_THROW(expand(study, kData, "fused", 1), InputError);
}

}  // namespace
}  // namespace bioptic
