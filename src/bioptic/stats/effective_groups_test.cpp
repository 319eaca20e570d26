// Effective numbers of groups, and the level of the tests that rest on them.
#include "bioptic/stats/effective_groups.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "bioptic/stats/few_groups_simulation.h"
#include "bioptic/stats/verdict.h"

namespace bioptic {
namespace {

using Sizes = std::vector<std::size_t>;

TEST(EffectiveGroups, AreTheGroupsWhereTheyAreAlike) {
  const EffectiveGroups g = effective_groups(Sizes(10, 6));
  EXPECT_DOUBLE_EQ(g.of_mean, 10);
  EXPECT_DOUBLE_EQ(g.of_variance, 10);
  EXPECT_FALSE(are_few(g));
  EXPECT_TRUE(are_few(effective_groups(Sizes(9, 6))));
}

TEST(EffectiveGroups, CountLargeOnesForMoreAndEmptyOnesForNone) {
  // 100 images; squares 860, fourth powers 320,060.
  Sizes sizes(62, 1);
  sizes[0] = sizes[40] = 20;
  sizes.push_back(0);
  const EffectiveGroups g = effective_groups(sizes);
  EXPECT_NEAR(g.of_mean, 10000.0 / 860, 1e-12);
  EXPECT_NEAR(g.of_variance, 860.0 * 860 / 320060, 1e-12);
  EXPECT_EQ(effective_groups(Sizes{}).of_mean, 0);
  EXPECT_TRUE(are_few(effective_groups(Sizes(3, 0))));
}

TEST(EffectiveGroups, BoundTheDegreesOfFreedom) {
  const Estimate e{0.1, 0.05, 30};
  EXPECT_DOUBLE_EQ(with_degrees_of({20, 12}, e).df, 11);
  EXPECT_DOUBLE_EQ(with_degrees_of({20, 80}, e).df, 30);
  EXPECT_DOUBLE_EQ(with_degrees_of({20, 1.2}, e).df, 4);
  EXPECT_DOUBLE_EQ(with_degrees_of({20, 1.2}, {0.1, 0.05, 3}).df, 3);
}

// Wherever a verdict is given the two arms of one law are told apart in at most 5 % + 3 standard
// errors of the studies; with the degrees of freedom of all groups they are not.
TEST(EffectiveGroups, KeepTheLevelWhereAVerdictIsGiven) {
  constexpr int kRepetitions = 600, kSeeds = 6;
  const double bound =
      (kAlpha + 3 * std::sqrt(kAlpha * (1 - kAlpha) / kRepetitions)) * kRepetitions;
  int given = 0, refused = 0, wrong_without = 0;
  for (const simulation::Layout& layout : simulation::few_group_layouts()) {
    for (const simulation::FewGroupsRule& rule :
         simulation::simulate_few_groups(layout, kSeeds, kRepetitions, 0.7, false, 7)) {
      (rule.allowed ? given : refused) += 1;
      if (rule.allowed) {
        EXPECT_LE(rule.mended, bound) << layout.name << ", " << rule.metric;
      }
      wrong_without += rule.plain > bound ? 1 : 0;
    }
  }
  EXPECT_GE(given, 10);
  EXPECT_GE(refused, 10);
  EXPECT_GE(wrong_without, 8) << "layouts that do not need the rule prove nothing";
}

}  // namespace
}  // namespace bioptic
