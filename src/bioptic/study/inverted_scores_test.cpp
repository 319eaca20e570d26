// Scores that speak for the other class: when verdicts are withheld, and when not.
#include "bioptic/study/inverted_scores.h"

#include <gtest/gtest.h>

#include <cmath>

#include "bioptic/base/random.h"

namespace bioptic {
namespace {

// Two arms, `seeds` seeds, `images` images: scores of the positive class with the given distances
// between the classes' means, in standard deviations.
PredictionTable table_of(double a, double b, int seeds, std::size_t images = 80) {
  PredictionTable table;
  table.split = "test";
  table.classes = {"normal", "cancer"};
  std::vector<std::string> groups(images);
  for (std::size_t i = 0; i < images; ++i) {
    table.images.push_back({"i" + std::to_string(i), i % 2, 0});
  }
  RandomStream stream(0, "inverted scores");
  for (const double distance : {a, b}) {
    PredictedArm& arm = table.arms.emplace_back();
    arm.name = table.arms.size() == 1 ? "one" : "two";
    for (int seed = 0; seed < seeds; ++seed) {
      PredictedTrial& trial = arm.trials.emplace_back();
      trial.seed = seed;
      for (std::size_t i = 0; i < images; ++i) {
        trial.images.push_back(i);
        const double z = (i % 2 == 1 ? distance : 0) + stream.normal();
        add_binary(trial, 1, i % 2, 1 / (1 + std::exp(-z)), std::nullopt, 0.5);
      }
    }
  }
  put_in_order(table, groups);
  return table;
}

TEST(InvertedScores, WhereEveryArmLiesBelowChance) {
  const std::string why = why_inverted(table_of(-2, -1.5, 5));
  EXPECT_NE(why.find("scores look inverted"), std::string::npos) << why;
  EXPECT_NE(why.find("if they speak for 'normal', say --positive normal"), std::string::npos)
      << why;
  EXPECT_NE(why.find("one 0.0"), std::string::npos) << why;
  // One training each: the interval over patients.
  EXPECT_NE(why_inverted(table_of(-2, -1.5, 1)), "");
  PredictionTable columns = table_of(-2, -1.5, 5);
  columns.named_columns = true;
  EXPECT_NE(why_inverted(columns).find("which class each column of scores is of"),
            std::string::npos);
}

TEST(InvertedScores, NotWhereAnArmMayBeAtChanceOrAbove) {
  EXPECT_EQ(why_inverted(table_of(2, 1.5, 5)), "");
  EXPECT_EQ(why_inverted(table_of(-2, 0.5, 5)), "");
  EXPECT_EQ(why_inverted(table_of(0, 0, 5)), "");
  EXPECT_EQ(why_inverted(table_of(-0.1, -0.1, 3, 20)), "")
      << "below 0.5, but not with its interval";
  // Trainings that say nothing rank everything wrongly, and are not inverted.
  PredictionTable none = table_of(-2, -2, 3);
  for (PredictedArm& arm : none.arms) {
    for (PredictedTrial& trial : arm.trials) trial.not_finite = 1;
  }
  EXPECT_EQ(why_inverted(none), "");
  // Without one of the classes there is no area.
  PredictionTable one = table_of(-2, -2, 5);
  for (PredictedImage& image : one.images) image.label = 1;
  EXPECT_EQ(why_inverted(one), "");
}

}  // namespace
}  // namespace bioptic
