#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "bioptic/base/error.h"
#include "bioptic/stats/intervals.h"
#include "bioptic/stats/roc.h"
#include "bioptic/stats/threshold.h"

namespace bioptic {
namespace {

TEST(TInterval, AgreesWithScipy) {
  // scipy.stats.t.interval(0.95, 4, loc=mean, scale=sem) of these five values, SciPy 1.15
  const std::vector<double> values = {0.74, 0.73, 0.755, 0.7475, 0.7275};
  const MeanInterval i = t_interval(values);
  EXPECT_NEAR(i.mean, 0.74, 1e-15);
  EXPECT_NEAR(i.sd, 0.011592023119369, 1e-12);
  EXPECT_NEAR(i.high - i.mean, 2.7764451051977987 * i.sd / std::sqrt(5), 1e-12);
  EXPECT_EQ(i.n, 5);
}

TEST(TInterval, OneValueHasNoSpread) {
  const std::vector<double> one = {0.5};
  EXPECT_EQ(t_interval(one).mean, 0.5);
  EXPECT_TRUE(std::isnan(t_interval(one).sd));
  EXPECT_TRUE(std::isnan(t_interval({}).mean));
}

TEST(Wilson, KnownValuesAndEnds) {
  // statsmodels.stats.proportion.proportion_confint(81, 263, method="wilson")
  const Proportion p = wilson_interval(81, 263);
  EXPECT_NEAR(p.low, 0.2553, 1e-4);
  EXPECT_NEAR(p.high, 0.3662, 1e-4);
  EXPECT_EQ(wilson_interval(0, 10).low, 0);
  EXPECT_EQ(wilson_interval(10, 10).high, 1);
  EXPECT_GT(wilson_interval(0, 10).high, 0);
}

TEST(Auroc, TiesCountOneHalf) {
  const std::vector<double> scores = {0.1, 0.4, 0.35, 0.8, 0.4};
  const std::vector<int> positive = {0, 0, 1, 1, 1};
  // pairs: 0.35 > 0.1, 0.35 < 0.4; 0.8 beats both; 0.4 > 0.1, ties 0.4: 1 + 2 + 1.5 of 6
  EXPECT_DOUBLE_EQ(*auroc(scores, positive), 4.5 / 6);
}

TEST(Auroc, UndefinedWithoutBothClasses) {
  const std::vector<double> scores = {0.1, 0.2};
  EXPECT_FALSE(auroc(scores, std::vector<int>{1, 1}).has_value());
  EXPECT_TRUE(roc_curve(scores, std::vector<int>{0, 0}).empty());
}

TEST(RocCurve, CornersAndInterpolation) {
  const auto curve =
      roc_curve(std::vector<double>{0.9, 0.6, 0.6, 0.1}, std::vector<int>{1, 0, 1, 0});
  ASSERT_EQ(curve.size(), 4U);
  EXPECT_DOUBLE_EQ(curve[2].false_positive_rate, 0.5);
  EXPECT_DOUBLE_EQ(curve[2].true_positive_rate, 1);
  EXPECT_DOUBLE_EQ(true_positive_rate_at(curve, 0), 0.5);
  EXPECT_DOUBLE_EQ(true_positive_rate_at(curve, 0.25), 0.75);
  EXPECT_DOUBLE_EQ(true_positive_rate_at(curve, 1), 1);
}

double sensitivity_of(double threshold, const std::vector<double>& s, const std::vector<int>& p) {
  double hits = 0, all = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    all += p[i];
    hits += p[i] != 0 && s[i] > threshold ? 1 : 0;
  }
  return hits / all;
}

TEST(Threshold, YoudenSeparatesWhatCanBeSeparated) {
  const std::vector<double> scores = {0.1, 0.2, 0.3, 0.7, 0.8};
  const std::vector<int> positive = {0, 0, 0, 1, 1};
  EXPECT_DOUBLE_EQ(youden_threshold(scores, positive), 0.5);
}

TEST(Threshold, SensitivityIsReachedAndNoLowerThanNeeded) {
  const std::vector<double> scores = {0.1, 0.2, 0.3, 0.6, 0.8, 0.55, 0.9};
  const std::vector<int> positive = {0, 1, 0, 1, 1, 0, 1};
  const double three_of_four = sensitivity_threshold(scores, positive, 0.75);
  EXPECT_DOUBLE_EQ(sensitivity_of(three_of_four, scores, positive), 0.75);
  EXPECT_DOUBLE_EQ(three_of_four, (0.6 + 0.55) / 2);
  EXPECT_DOUBLE_EQ(sensitivity_of(sensitivity_threshold(scores, positive, 1), scores, positive), 1);
}

// Every corner of the curve can be the chosen one: the threshold must give that corner's rates.
TEST(Threshold, GivesTheCornerThatWasChosen) {
  const std::vector<double> scores = {0.6, 0.5, 0.4, 0.3};
  // the best corner is the first: one true positive, no false one
  const double first = youden_threshold(scores, std::vector<int>{1, 0, 0, 0});
  EXPECT_DOUBLE_EQ(first, 0.55);
  // nothing is better than chance: no image is called positive
  EXPECT_DOUBLE_EQ(youden_threshold(scores, std::vector<int>{0, 0, 0, 1}), 0.8);
  EXPECT_DOUBLE_EQ(sensitivity_threshold(scores, std::vector<int>{1, 1, 0, 0}, 0.5), 0.55);
  // all must be called positive, also a score of exactly 0
  EXPECT_DOUBLE_EQ(sensitivity_threshold(scores, std::vector<int>{0, 0, 0, 1}, 1), 0.15);
  const std::vector<double> saturated = {1, 1, 0, 0};
  EXPECT_LT(sensitivity_threshold(saturated, std::vector<int>{0, 1, 1, 0}, 1), 0);
  EXPECT_DOUBLE_EQ(youden_threshold(saturated, std::vector<int>{1, 1, 0, 0}), 0.5);
}

TEST(Threshold, OneClassIsAnError) {
  EXPECT_THROW(youden_threshold(std::vector<double>{0.5}, std::vector<int>{1}), InputError);
}

}  // namespace
}  // namespace bioptic
