#include "bioptic/study/resampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "bioptic/base/random.h"
#include "bioptic/study/resampled_contrast.h"

namespace bioptic {
namespace {

using nlohmann::json;
using Sets = std::vector<std::vector<std::size_t>>;  // what each seed tests

// Two arms tested on these images; group_of: "" = its own.
PredictionTable table_of(std::size_t images, const Sets& sets,
                         const std::function<std::string(std::size_t)>& group_of = {}) {
  PredictionTable table;
  table.split = "test";
  table.classes = {"healthy", "sick"};
  std::vector<std::string> groups;
  for (std::size_t i = 0; i < images; ++i) {
    table.images.push_back({"image" + std::to_string(1000 + i), i % 2, 0});
    groups.push_back(group_of ? group_of(i) : "");
  }
  for (const char* name : {"a", "b"}) {
    PredictedArm& arm = table.arms.emplace_back();
    arm.name = name;
    RandomStream noise(name[0], "resampling test");
    for (std::size_t s = 0; s < sets.size(); ++s) {
      PredictedTrial& trial = arm.trials.emplace_back();
      trial.seed = static_cast<std::int64_t>(s);
      for (const std::size_t i : sets[s]) {
        trial.images.push_back(i);
        const double z = (i % 2 == 1 ? 1 : -1) + noise.uniform(-2, 2);
        add_binary(trial, 1, i % 2, 1 / (1 + std::exp(-z)), z, 0.5);
      }
    }
  }
  put_in_order(table, groups);
  return table;
}

std::vector<std::int64_t> seeds_of(const Sets& sets) {
  std::vector<std::int64_t> seeds(sets.size());
  std::iota(seeds.begin(), seeds.end(), 0);
  return seeds;
}

Resampling resampling(std::size_t images, const Sets& sets,
                      const std::function<std::string(std::size_t)>& group_of = {}) {
  return resampling_of(table_of(images, sets, group_of), 0, seeds_of(sets));
}

std::vector<std::size_t> shuffled(std::size_t n, RandomStream& stream) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[stream.below(i)]);
  return order;
}

// k folds of units (images, or groups of `unit` images), drawn anew for each repetition.
Sets folds_of(std::size_t images, std::size_t k, std::size_t repetitions, std::size_t unit = 1) {
  RandomStream stream(3, "folds");
  Sets sets;
  for (std::size_t r = 0; r < repetitions; ++r) {
    const std::vector<std::size_t> order = shuffled(images / unit, stream);
    Sets folds(k);
    for (std::size_t i = 0; i < order.size(); ++i) {
      for (std::size_t u = 0; u < unit; ++u) folds[i % k].push_back(order[i] * unit + u);
    }
    for (auto& fold : folds) {
      std::sort(fold.begin(), fold.end());
      sets.push_back(fold);
    }
  }
  return sets;
}

Sets splits_of(std::size_t images, std::size_t tested, std::size_t count, std::size_t unit = 1) {
  RandomStream stream(4, "splits");
  Sets sets;
  for (std::size_t s = 0; s < count; ++s) {
    const std::vector<std::size_t> order = shuffled(images / unit, stream);
    std::vector<std::size_t>& set = sets.emplace_back();
    for (std::size_t i = 0; i < tested / unit; ++i) {
      for (std::size_t u = 0; u < unit; ++u) set.push_back(order[i] * unit + u);
    }
    std::sort(set.begin(), set.end());
  }
  return sets;
}

TEST(Resampling, TheSameImagesAreTheSame) {
  const Resampling r = resampling(6, Sets(4, {0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(r.kind, TestSets::same);
  EXPECT_EQ(r.why_not, "");
  EXPECT_EQ(r.test_sets.size(), 1U);
}

TEST(Resampling, OneCrossValidationIsNamedAndNotAllowed) {
  const Resampling r = resampling(40, folds_of(40, 5, 1));
  EXPECT_EQ(r.kind, TestSets::folds);
  EXPECT_EQ(r.folds, 5U);
  EXPECT_EQ(r.repetitions, (Sets{{0, 1, 2, 3, 4}}));
  EXPECT_EQ(r.name, "5-fold cross-validation, once");
  EXPECT_EQ(r.why_not.find("5-fold cross-validation, once: its folds share"), 0U) << r.why_not;
}

TEST(Resampling, FiveRepetitionsAreEnough) {
  const Resampling r = resampling(60, folds_of(60, 10, 5)),
                   few = resampling(60, folds_of(60, 10, 4));
  EXPECT_EQ(r.name, "10-fold cross-validation, repeated 5 times");
  EXPECT_EQ(r.why_not, "");
  EXPECT_EQ(r.repetitions.size(), 5U);
  EXPECT_EQ(r.repetitions[2], (std::vector<std::size_t>{20, 21, 22, 23, 24, 25, 26, 27, 28, 29}));
  EXPECT_EQ(few.why_not,
            "10-fold cross-validation, repeated 4 times: verdicts are given from 5 repetitions on");
}

// Seeds may number the folds first, or be in no order at all.
TEST(Resampling, FoldsAreFoundWhateverTheOrderOfTheSeeds) {
  const std::size_t k = 5, repetitions = 6;
  const Sets sets = folds_of(60, k, repetitions);
  RandomStream stream(9, "order");
  for (int trial = 0; trial < 3; ++trial) {
    std::vector<std::size_t> order(sets.size());
    for (std::size_t s = 0; s < order.size(); ++s) {
      order[s] = s % repetitions * k + s / repetitions;  // fold by fold
    }
    if (trial > 0) order = shuffled(sets.size(), stream);
    Sets moved;
    for (const std::size_t s : order) moved.push_back(sets[s]);
    const Resampling r = resampling(60, moved);
    ASSERT_EQ(r.kind, TestSets::folds);
    EXPECT_EQ(r.folds, k);
    ASSERT_EQ(r.repetitions.size(), repetitions);
    for (const auto& repetition : r.repetitions) {
      for (const std::size_t s : repetition) {
        EXPECT_EQ(order[s] / k, order[repetition.front()] / k);  // all of one repetition
      }
    }
  }
}

// Seeds 0, 1 and 2 are of three repetitions, and together they test every image once: the others
// then do not fit, and the search must take them apart again.
TEST(Resampling, FoldsThatFitByChanceAreTakenApartAgain) {
  const Sets sets = {{0, 1}, {2, 4}, {3, 5}, {2, 3}, {4, 5}, {0, 3}, {1, 5}, {0, 2}, {1, 4}};
  EXPECT_EQ(resampling(6, sets).repetitions, (Sets{{0, 3, 4}, {1, 5, 6}, {2, 7, 8}}));
}

TEST(Resampling, TheSameFoldsAgainAreNoOtherFolds) {
  Sets sets = folds_of(40, 4, 1);
  const Sets once = sets;
  for (int again = 0; again < 5; ++again) sets.insert(sets.end(), once.begin(), once.end());
  const Resampling r = resampling(40, sets);
  EXPECT_EQ(r.name, "4-fold cross-validation, repeated 6 times");
  EXPECT_NE(r.why_not.find("two of the repetitions have the same folds"), std::string::npos);
}

TEST(Resampling, FoldsThatDividePatientsAreNotAllowed) {
  const auto pairs = [](std::size_t i) { return "p" + std::to_string(i / 2); };
  const Resampling apart = resampling(60, folds_of(60, 5, 5), pairs);
  EXPECT_NE(apart.why_not.find("its folds divide patients"), std::string::npos) << apart.why_not;
  EXPECT_EQ(resampling(60, folds_of(60, 5, 5, 2), pairs).why_not, "");
}

TEST(Resampling, RandomSplitsAreNamed) {
  const Resampling r = resampling(100, splits_of(100, 20, 12));
  EXPECT_EQ(r.kind, TestSets::resplits);
  EXPECT_EQ(r.name, "12 random splits");
  EXPECT_EQ(r.why_not, "");
  EXPECT_NE(r.assumed, "");
  EXPECT_NEAR(r.test_over_train, 20.0 / (static_cast<double>(r.images) - 20), 1e-15);
  EXPECT_NE(resampling(100, splits_of(100, 20, 4)).why_not, "");
  const auto pairs = [](std::size_t i) { return "p" + std::to_string(i / 2); };
  EXPECT_NE(resampling(100, splits_of(100, 20, 12), pairs).why_not.find("divide patients"),
            std::string::npos);
  EXPECT_EQ(resampling(100, splits_of(100, 20, 12, 2), pairs).why_not, "");
}

// Seeds that test the same images are one split, however many they are.
TEST(Resampling, SeedsOfOneSplitCountOnce) {
  Sets sets = splits_of(100, 20, 4);
  for (int k = 0; k < 4; ++k) sets.push_back(sets[0]);
  const Resampling r = resampling(100, sets);
  EXPECT_EQ(r.test_sets, (Sets{{0, 4, 5, 6, 7}, {1}, {2}, {3}}));
  EXPECT_EQ(r.why_not, "4 random splits: verdicts are given from 5 splits on");
}

TEST(Resampling, WhatIsNeitherIsRefused) {
  Sets missing_rows(6, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  missing_rows[3].erase(missing_rows[3].begin() + 4);
  const Resampling rows = resampling(10, missing_rows);
  EXPECT_EQ(rows.kind, TestSets::other);
  EXPECT_NE(rows.why_not.find("9 to 10 of 10"), std::string::npos) << rows.why_not;
  EXPECT_NE(rows.why_not.find("are rows missing?"), std::string::npos);
  Sets missing_fold = folds_of(100, 5, 6);
  missing_fold.erase(missing_fold.begin() + 7);
  const Resampling fold = resampling(100, missing_fold);
  EXPECT_EQ(fold.kind, TestSets::other);
  EXPECT_NE(fold.why_not.find("images are tested 5 to 6 times"), std::string::npos) << fold.why_not;
}

TEST(Resampling, ValidationKnowsWhatWasTrainedOn) {
  const Sets sets = splits_of(100, 20, 6);
  const PredictionTable table = table_of(100, sets);
  const Resampling r = validation_resampling(table, 0, seeds_of(sets), 160, false);
  EXPECT_EQ(r.kind, TestSets::resplits);
  EXPECT_DOUBLE_EQ(r.test_over_train, 20.0 / 160);
  EXPECT_EQ(r.assumed, "");
  EXPECT_EQ(r.why_not, "");
  EXPECT_NE(validation_resampling(table, 0, seeds_of(sets), 160, true).why_not, "");
  EXPECT_EQ(validation_resampling(table, 0, std::vector<std::int64_t>{2}, 160, true).kind,
            TestSets::same);
}

// ---- contrasts ----------------------------------------------------------------------------------

PredictionTable table_of(const json& study) {
  PredictionTable table;
  table.split = "test";
  table.classes = {"healthy", "sick"};
  std::vector<std::string> groups;
  const auto labels = study.at("labels").get<std::vector<std::size_t>>();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    table.images.push_back({std::to_string(10000 + i), labels[i], 0});
    groups.push_back("g" + std::to_string(study.at("groups")[i].get<int>()));
  }
  for (std::size_t a = 0; a < study.at("scores").size(); ++a) {
    PredictedArm& arm = table.arms.emplace_back();
    arm.name = std::string(1, static_cast<char>('a' + a));
    for (const json& row : study.at("scores")[a]) {
      PredictedTrial& trial = arm.trials.emplace_back();
      const std::size_t seed = arm.trials.size() - 1;
      trial.seed = static_cast<std::int64_t>(seed);
      trial.images = study.at("tested")[seed].get<std::vector<std::size_t>>();
      for (std::size_t i = 0; i < row.size(); ++i) {
        add_binary(trial, 1, labels[trial.images[i]], row[i].get<double>(), std::nullopt, 0.5);
      }
    }
  }
  put_in_order(table, groups);
  return table;
}

TEST(ResampledContrast, AgreesWithTheOracle) {
  std::ifstream file("tests/golden/resampled.json");
  const json studies = json::parse(file).at("studies");
  std::size_t crossed = 0, resampled = 0;
  for (const json& study : studies) {
    const PredictionTable table = table_of(study);
    const std::vector<std::size_t> arms = {0, 1};
    const std::vector<std::int64_t> seeds = shared_seeds(table, arms);
    const Resampling resampling = resampling_of(table, 0, seeds);
    EXPECT_EQ(resampling.kind, study.at("kind") == "folds" ? TestSets::folds : TestSets::resplits);
    EXPECT_EQ(resampling.folds, study.at("folds"));
    EXPECT_EQ(resampling.why_not, "");
    for (const auto& [name, expected] : study.at("results").items()) {
      const MetricValues values = metric_values(table, *metric_named(name));
      const ResampledContrast got =
          resampled_contrast(table, values, std::vector<double>{1, -1}, seeds, resampling);
      EXPECT_EQ(got.evidence.reason, "") << name;
      const Estimate& e = got.evidence.estimate;
      // Sums of some hundred numbers near 1, squared and inverted.
      EXPECT_NEAR(e.value, expected.at("value").get<double>(), 1e-13) << name;
      EXPECT_NEAR(e.se, expected.at("se").get<double>(), 1e-10 * e.se) << name;
      EXPECT_NEAR(e.df, expected.at("df").get<double>(), 1e-9 * e.df) << name;
      EXPECT_NEAR(two_sided_p(e), expected.at("p").get<double>(), 1e-9) << name;
      const double sum = std::accumulate(got.per_unit.begin(), got.per_unit.end(), 0.0);
      EXPECT_NEAR(sum / static_cast<double>(got.per_unit.size()), e.value, 1e-13) << name;
      const std::string larger = expected.value("larger", "");
      crossed += larger == "crossed" ? 1 : 0;
      resampled += larger == "resampled" ? 1 : 0;
    }
  }
  EXPECT_GT(crossed, 0U);
  EXPECT_GT(resampled, 0U);
}

TEST(ResampledContrast, SaysWhyNot) {
  const Sets once = folds_of(60, 5, 1);
  const PredictionTable table = table_of(60, once);
  const auto contrast = [](const PredictionTable& of, const Sets& sets, Metric metric) {
    const std::vector<std::int64_t> seeds = seeds_of(sets);
    return resampled_contrast(of, metric_values(of, metric), std::vector<double>{1, -1}, seeds,
                              resampling_of(of, 0, seeds));
  };
  EXPECT_EQ(contrast(table, once, Metric::accuracy).evidence.reason.find("5-fold"), 0U);
  // Folds without an image of a class have no AUROC.
  Sets sets = folds_of(20, 10, 5);
  const ResampledContrast undefined = contrast(table_of(20, sets), sets, Metric::auroc);
  EXPECT_NE(undefined.evidence.reason.find("AUROC is undefined with seed"), std::string::npos);
  EXPECT_TRUE(std::isnan(undefined.effect()));
  EXPECT_EQ(contrast(table_of(20, sets), sets, Metric::accuracy).evidence.reason, "");
  sets = folds_of(9, 3, 5);
  EXPECT_EQ(contrast(table_of(9, sets), sets, Metric::accuracy).evidence.reason,
            "the 9 images are too few: a verdict on other cases takes at least 10");
}

// Seeds of one split are averaged before anything is tested.
TEST(ResampledContrast, SeedsOfOneSplitAreAveraged) {
  Sets sets = splits_of(100, 20, 6);
  sets.push_back(sets[1]);
  const PredictionTable table = table_of(100, sets);
  const std::vector<std::int64_t> seeds = seeds_of(sets);
  const MetricValues values = metric_values(table, Metric::accuracy);
  const ResampledContrast got = resampled_contrast(table, values, std::vector<double>{1, -1}, seeds,
                                                   resampling_of(table, 0, seeds));
  ASSERT_EQ(got.per_unit.size(), 6U);
  const auto difference = [&](std::size_t s) {
    return values.arms[0][s].value - values.arms[1][s].value;
  };
  EXPECT_NEAR(got.per_unit[1], (difference(1) + difference(6)) / 2, 1e-15);
  EXPECT_EQ(got.evidence.estimate.df, 5);
}

}  // namespace
}  // namespace bioptic
