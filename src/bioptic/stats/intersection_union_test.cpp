#include "bioptic/stats/intersection_union.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "bioptic/base/error.h"
#include "bioptic/stats/seed_tests.h"
#include "bioptic/stats/trend.h"

namespace bioptic {
namespace {

constexpr double kMargin = 0.01;

// value over its standard error, with the same degrees of freedom for all.
DirectedTest t_of(double value, double se, double margin = kMargin) {
  return t_test(Evidence{{value, se, 9}}, margin);
}

UnionTest together(const std::vector<DirectedTest>& tests) { return intersection_union(tests); }

TEST(DirectedTest, IsThePlainTestAndItsTwoSidesMakeTheEquivalence) {
  const Estimate e{0.004, 0.002, 9};
  const DirectedTest t = t_test(Evidence{e}, kMargin);
  EXPECT_DOUBLE_EQ(t.p, two_sided_p(e));
  EXPECT_DOUBLE_EQ(std::max(t.not_below, t.not_above), equivalence_p(e, {}, kMargin));
  EXPECT_DOUBLE_EQ(t.interval(kAlpha).low, interval_of(e).low);
  EXPECT_DOUBLE_EQ(t.equivalent(kAlpha).low, interval_of(e, 0.9).low);
  // Without a margin nothing is equivalent to nothing ...
  const DirectedTest none = t_test(Evidence{e}, 0);
  EXPECT_GE(std::max(none.not_below, none.not_above), 0.5);
  // ... but what is identical; what never varies is no test.
  EXPECT_EQ(t_test({{0, 0, 9}, "", true}, 0).not_above, 0);
  EXPECT_EQ(t_test({{0, 0, 9}, "", true}, 0).p, 1);
  EXPECT_EQ(t_test({{0, 0, 9}, "", false}, 0.01).not_above, 1);
  EXPECT_EQ(t_test(Evidence{{0.1, 0, 9}}, 0).reason, kNoVariance);
}

TEST(ShareTest, IsTheExactBinomialTestWithClopperAndPearsonsInterval) {
  const DirectedTest t = share_test(9, 10, 0);
  EXPECT_DOUBLE_EQ(t.p, binomial_p(9, 10));
  EXPECT_NEAR(t.p, 2 * 11.0 / 1024, 1e-15);
  EXPECT_NEAR(t.value, 0.4, 1e-15);
  // Clopper and Pearson for 4 of 8: 0.1570 and 0.8430.
  EXPECT_NEAR(share_test(4, 8, 0).interval(kAlpha).low, 0.15701 - 0.5, 1e-5);
  EXPECT_NEAR(share_test(4, 8, 0).interval(kAlpha).high, 0.84299 - 0.5, 1e-5);
  EXPECT_EQ(share_test(8, 8, 0).interval(kAlpha).high, 0.5);
  EXPECT_NEAR(share_test(0, 8, 0).interval(kAlpha).high, 1 - std::pow(0.025, 1.0 / 8) - 0.5, 1e-12);
  // 5 of 10 when the share is 0.9: sum over k <= 5 of C(10, k) 0.9^k 0.1^(10-k) = 0.0016349374.
  EXPECT_NEAR(share_test(5, 10, 0.4).not_above, 0.0016349374, 1e-10);
  EXPECT_NEAR(share_test(5, 10, 0.4).not_below, 0.0016349374, 1e-10);
}

TEST(ShareTest, SeedsNeededIsTheFirstWithEnoughPower) {
  // 12 seeds reject from 10 hits on (p = 2 * 79 / 4096); P(10 or more | 0.9) = 0.889.  11 reject
  // from 10 on, power 0.697; 10 from 9 on, 0.736; 9 from 8 on, 0.775; 8 from 8 on, 0.430.
  EXPECT_EQ(share_seeds_needed(0.4), 12);
  EXPECT_GT(share_seeds_needed(0.2), 40);
}

TEST(IntersectionUnion, HoldsByItsWorstTest) {
  const UnionTest u = together({t_of(0.05, 0.01), t_of(0.03, 0.01), t_of(0.09, 0.01)});
  EXPECT_EQ(u.deciding, 1U);
  EXPECT_DOUBLE_EQ(u.test.p, t_of(0.03, 0.01).p);
  EXPECT_GT(u.test.value, 0);
}

TEST(IntersectionUnion, IsRefutedByOneTestAfterHolm) {
  const UnionTest u = together({t_of(0.05, 0.01), t_of(-0.05, 0.01), t_of(-0.01, 0.01)});
  EXPECT_EQ(u.deciding, 1U);
  EXPECT_LT(u.test.value, 0);
  // Two tests share the smallest p, so Holm multiplies the first by 3 and the second cannot be
  // less.
  EXPECT_DOUBLE_EQ(u.test.p, 3 * t_of(0.05, 0.01).p);
  // Its interval is as wide as that correction asks.
  EXPECT_NEAR(u.test.interval(0.05).high, t_of(-0.05, 0.01).interval(0.05 / 3).high, 1e-15);
  // An effect the wrong way that may be chance leaves it open, however sure the others are.
  const UnionTest open = together({t_of(0.5, 0.01), t_of(-0.01, 0.02)});
  EXPECT_GT(open.test.p, kAlpha);
  EXPECT_GT(std::max(open.test.not_below, open.test.not_above), kAlpha);
}

TEST(IntersectionUnion, NoEffectTakesOneThatIsAbsentAndNoneThatIsHarmful) {
  const auto equivalence = [](const UnionTest& u) {
    return std::max(u.test.not_below, u.test.not_above);
  };
  const UnionTest u = together({t_of(0.05, 0.01), t_of(0.0001, 0.001)});
  EXPECT_LE(equivalence(u), kAlpha);
  EXPECT_EQ(u.equivalent, 1U);
  // Its limits: the lower end at the level itself, the upper one at half of it, for two tests.
  EXPECT_DOUBLE_EQ(u.test.equivalent(0.05).low, t_of(0.0001, 0.001).equivalent(0.05).low);
  EXPECT_DOUBLE_EQ(u.test.equivalent(0.05).high, t_of(0.0001, 0.001).equivalent(0.025).high);
  // Bonferroni: alone this one is just equivalent, as one of two it is not.
  const DirectedTest close = t_of(0.0001, 0.0048);
  EXPECT_LE(std::max(close.not_below, close.not_above), kAlpha);
  EXPECT_GT(equivalence(together({t_of(0.05, 0.001), close})), kAlpha);
  // Far behind one rival and equal to another is refuted, not "no effect".
  const UnionTest behind = together({t_of(-0.05, 0.005), t_of(0, 0.001)});
  EXPECT_GT(equivalence(behind), kAlpha);
  EXPECT_LE(behind.test.p, kAlpha);
}

TEST(IntersectionUnion, IsNotAllowedWhereOneTestIsNot) {
  EXPECT_FALSE(together({t_of(0.05, 0.01), t_test(Evidence{{0.1, 0, 9}}, 0)}).test.reason.empty());
}

TEST(Trend, WeightsGiveTheFittedChangeOverTheLogarithm) {
  // Equally spaced: the ends alone, whatever the middle is.
  const std::vector<double> w = trend_weights(std::vector<double>{10, 100, 1000});
  EXPECT_NEAR(w[0], -1, 1e-12);
  EXPECT_NEAR(w[1], 0, 1e-12);
  EXPECT_NEAR(w[2], 1, 1e-12);
  // numpy.polyfit(log([10, 50, 100]), [0.06, 0.09, 0.11], 1)[0] * log(10) = 0.0487530
  const std::vector<double> v = trend_weights(std::vector<double>{10, 50, 100});
  EXPECT_NEAR(v[0] + v[1] + v[2], 0, 1e-12);
  EXPECT_NEAR(v[0] * 0.06 + v[1] * 0.09 + v[2] * 0.11, 0.0487530183, 1e-9);
  EXPECT_THROW(trend_weights(std::vector<double>{10, 10}), InputError);
  EXPECT_THROW(trend_weights(std::vector<double>{0, 10}), InputError);
}

}  // namespace
}  // namespace bioptic
