// The headline rules keep their level, coverage and power on studies whose truth is known, with the
// group sizes of a real test split; and what breaks a rule on purpose is seen to be broken.
#include "bioptic/stats/verdict_simulation.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bioptic::simulation {
namespace {

constexpr int kRepetitions = 2000;

class HeadlineRule : public ::testing::TestWithParam<int> {};

TEST_P(HeadlineRule, KeepsItsLevelAndCoverageWithGroups) {
  const Outcome out = simulate(Law(), GetParam(), kRepetitions, true, 100);
  for (const char* rule : {"crossed t", "reader study"}) {
    EXPECT_EQ(level_complaint(out[rule], kRepetitions), "");
    EXPECT_EQ(coverage_complaint(out[rule], kRepetitions), "");
  }
  // The verdict itself, which looks at equivalence first, is called no more often than the test.
  EXPECT_LE(out.different, out["crossed t"].rejected);
}

TEST_P(HeadlineRule, KeepsItsLevelWithBothArmsTwoPeaked) {
  Law law;
  law.low_peak_share = 0.3;
  const Outcome out = simulate(law, GetParam(), kRepetitions, false, 101);
  EXPECT_EQ(level_complaint(out["crossed t"], kRepetitions), "");
  EXPECT_EQ(coverage_complaint(out["crossed t"], kRepetitions), "");
}

TEST_P(HeadlineRule, HasThePowerThatTheTrueVarianceAllows) {
  Law law;
  law.difference = 0.04;
  const bool with_auroc = GetParam() <= 10;  // 30 take long
  const Outcome out = simulate(law, GetParam(), kRepetitions, with_auroc, 102);
  EXPECT_EQ(power_complaint(out["crossed t"], kRepetitions), "");
  EXPECT_EQ(coverage_complaint(out["crossed t"], kRepetitions), "");
  if (with_auroc) {
    EXPECT_EQ(power_complaint(out["reader study"], kRepetitions), "");
    // At five seeds Hillis' degrees of freedom are a little too many: coverage 0.933 in these
    // studies, 0.945 in the 3,000 of docs/statistics.md.  Reported there, not bounded.
    if (GetParam() >= 10) {
      EXPECT_EQ(coverage_complaint(out["reader study"], kRepetitions), "");
    }
  }
  EXPECT_GT(out["crossed t"].rejected, kRepetitions / 4);
}

INSTANTIATE_TEST_SUITE_P(Seeds, HeadlineRule, ::testing::Values(5, 10, 30));

TEST(BrokenRule, LeavingOutTheFloorIsSeen) {
  // Images favour no arm, so that every component is near the error's and a floor matters.
  Law law;
  law.interaction = 0;
  law.seed_sd = 0;
  const Outcome out = simulate(law, 5, kRepetitions, false, 103);
  EXPECT_EQ(level_complaint(out["crossed t"], kRepetitions), "");
  EXPECT_EQ(out["crossed t"].useless, 0);
  EXPECT_GT(out["crossed t without floors"].useless, kRepetitions / 100);
  EXPECT_NE(coverage_complaint(out["crossed t without floors"], kRepetitions), "");
}

TEST(BrokenRule, IgnoringGroupsAndNaiveRulesAreSeen) {
  const Outcome out = simulate(Law(), 30, kRepetitions, false, 104);
  EXPECT_EQ(level_complaint(out["crossed t"], kRepetitions), "");
  for (const char* rule : {"images as cases", "paired t over seeds", "McNemar pooled over seeds",
                           "one run each, 2 points"}) {
    EXPECT_NE(level_complaint(out[rule], kRepetitions), "") << rule;
  }
}

TEST(BrokenRule, ARuleThatNeverRejectsIsSeen) {
  Law law;
  law.difference = 0.04;
  Rule never = simulate(law, 10, 200, false, 106)["crossed t"];
  never.rejected = 0;
  never.covered = 200;
  EXPECT_NE(power_complaint(never, 200), "");
  EXPECT_NE(coverage_complaint(never, 200), "");
}

TEST(Simulation, TheTruthIsWhatTheLawSays) {
  // Means over many studies come back to the law within 4 standard errors of about 0.03 / sqrt(n).
  Law law;
  law.difference = 0.04;
  for (const double share : {0.0, 0.3}) {
    law.low_peak_share = share;
    const Outcome out = simulate(law, 5, 1000, false, 107);
    EXPECT_NEAR(out.mean_difference, 0.04, 4 * 0.03 / std::sqrt(1000.0)) << share;
  }
  law.low_peak_share = 0;
  law.difference = 0;
  law.collapse_share_a = 0.2;
  EXPECT_NEAR(simulate(law, 5, 1000, false, 108).mean_difference, 0, 4 * 0.06 / std::sqrt(1000.0));
}

}  // namespace
}  // namespace bioptic::simulation
