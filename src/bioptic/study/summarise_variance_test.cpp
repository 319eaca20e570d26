#include "bioptic/study/summarise_variance.h"

#include <gtest/gtest.h>

#include <functional>

namespace bioptic {
namespace {

using Value = std::function<double(int split, int init, int order)>;

StudySummary crossed(const Value& value, int levels = 3) {
  StudySummary summary;
  ArmSummary& arm = summary.arms.emplace_back();
  arm.name = "a";
  arm.metrics["test_accuracy"] = {};
  for (int s = 0; s < levels; ++s) {
    for (int i = 0; i < levels; ++i) {
      for (int o = 0; o < levels; ++o) {
        TrialSummary trial;
        trial.seeds = {static_cast<std::uint64_t>(s), static_cast<std::uint64_t>(i),
                       static_cast<std::uint64_t>(o)};
        trial.metrics["test_accuracy"] = value(s, i, o);
        arm.trials.push_back(trial);
      }
    }
  }
  return summary;
}

TEST(SummariseVariance, NamesTheSourceThatMatters) {
  const char* names[] = {"the split", "the initial weights", "the batch order"};
  for (int source = 0; source < 3; ++source) {
    StudySummary summary = crossed([=](int s, int i, int o) {
      const int all[] = {s, i, o};
      return 0.8 + 0.01 * all[source] + 1e-5 * ((7 * s + 5 * i + 3 * o + s * i * o) % 4);
    });
    summarise_variance(summary);
    ASSERT_EQ(summary.variance.size(), 1U);
    const ArmVariance& variance = summary.variance[0];
    ASSERT_EQ(variance.metrics.size(), 1U);
    const auto part = static_cast<std::size_t>(source);
    EXPECT_GT(variance.metrics[0].parts.components[part].share, 0.99);
    EXPECT_NEAR(variance.metrics[0].parts.components[part].variance, 1e-4, 1e-6);
    EXPECT_NE(variance.sentence.find(std::string("repeat ") + names[source] + " first"),
              std::string::npos)
        << variance.sentence;
  }
}

TEST(SummariseVariance, AShareIsNamedMostOnlyWhereItIsShown) {
  // The initial weights have more than half, but with three of them (two degrees of freedom) beside
  // a strong interplay with the split that does not show that they do anything.
  StudySummary shaky = crossed([](int s, int i, int) {
    return 0.8 + 0.01 * s + 0.008 * ((s + 2 * i) % 3) * (i == 0 ? -1 : 1);
  });
  summarise_variance(shaky);
  const VarianceComponents& parts = shaky.variance.at(0).metrics.at(0).parts;
  std::size_t first = 0;
  double alone = 0;
  for (std::size_t f = 0; f < 3; ++f) {
    alone += parts.components[f].share;
    if (parts.components[f].share > parts.components[first].share) first = f;
  }
  ASSERT_GE(alone, 0.5);
  ASSERT_EQ(parts.components[first].low, 0);
  EXPECT_EQ(shaky.variance[0].sentence.find("Most of it"), std::string::npos)
      << shaky.variance[0].sentence;
  EXPECT_NE(shaky.variance[0].sentence.find("not shown to be more than nothing"), std::string::npos)
      << shaky.variance[0].sentence;

  // Three sources side by side: none is most of it.
  StudySummary three = crossed([](int s, int i, int o) {
    return 0.8 + 0.01 * s + 0.009 * i + 0.008 * o + 1e-5 * ((s + i * o) % 2);
  });
  summarise_variance(three);
  EXPECT_NE(three.variance.at(0).sentence.find("less than half"), std::string::npos)
      << three.variance[0].sentence;
}

TEST(SummariseVariance, InterplayMeansRepeatingAllThree) {
  StudySummary summary =
      crossed([](int s, int i, int o) { return 0.8 + 0.01 * ((s + i + o) % 3 == 0 ? 1 : 0); });
  summarise_variance(summary);
  EXPECT_NE(summary.variance.at(0).sentence.find("repeat all three together"), std::string::npos)
      << summary.variance.at(0).sentence;
}

TEST(SummariseVariance, EqualTrialsHaveNoChance) {
  StudySummary summary = crossed([](int, int, int) { return 0.8; });
  summarise_variance(summary);
  EXPECT_EQ(summary.variance.at(0).metrics.at(0).parts.total, 0);
  EXPECT_NE(summary.variance.at(0).sentence.find("the same test accuracy"), std::string::npos);
}

TEST(SummariseVariance, OnlyWhereSeedsAreCrossedAndComplete) {
  StudySummary missing = crossed([](int s, int, int) { return 0.8 + 0.01 * s; });
  missing.arms[0].trials.pop_back();
  summarise_variance(missing);
  ASSERT_EQ(missing.variance.size(), 1U);
  EXPECT_TRUE(missing.variance[0].metrics.empty());
  EXPECT_NE(missing.variance[0].reason.find("3 x 3 x 3 combinations of seeds, and 26 are done"),
            std::string::npos)
      << missing.variance[0].reason;

  StudySummary together = crossed([](int, int, int) { return 0.8; });
  std::erase_if(together.arms[0].trials, [](const TrialSummary& t) {
    return t.seeds.split != t.seeds.init || t.seeds.init != t.seeds.order;
  });
  summarise_variance(together);
  EXPECT_TRUE(together.variance.empty());
}

}  // namespace
}  // namespace bioptic
