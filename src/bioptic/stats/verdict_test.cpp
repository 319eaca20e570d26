// The tests behind verdicts against tests/golden/verdicts.json, and what must hold for any data.
#include "bioptic/stats/verdict.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "bioptic/base/random.h"
#include "bioptic/stats/crossed.h"
#include "bioptic/stats/distributions.h"
#include "bioptic/stats/planned_comparison.h"
#include "bioptic/stats/power.h"
#include "bioptic/stats/reader_study.h"
#include "bioptic/stats/seed_tests.h"

namespace bioptic {
namespace {

using nlohmann::json;
using Numbers = std::vector<double>;

json golden(const char* part) {
  std::ifstream file("tests/golden/verdicts.json");
  return json::parse(file).at(part);
}

void expect_close(double got, const json& want, double relative = 1e-9) {
  EXPECT_NEAR(got, want.get<double>(), relative * std::abs(want.get<double>()) + 1e-14);
}

Numbers flat(const json& rows) {
  Numbers values;
  for (const json& row : rows) {
    for (const json& v : row) values.push_back(v.get<double>());
  }
  return values;
}

TEST(Estimate, PairedTestAndEquivalenceAgreeWithScipyAndStatsmodels) {
  for (const json& c : golden("paired")) {
    const Estimate e = mean_estimate(c.at("d").get<Numbers>());
    expect_close(two_sided_p(e), c.at("p"));
    expect_close(interval_of(e).low, c.at("low"));
    expect_close(interval_of(e).high, c.at("high"));
    expect_close(equivalence_p(e, {}, c.at("margin")), c.at("tost"));
  }
}

TEST(Estimate, HolmAgreesWithStatsmodelsAndPassesOverWhatIsNoTest) {
  const json c = golden("holm");
  Numbers p = c.at("p").get<Numbers>();
  const Numbers want = c.at("corrected").get<Numbers>();
  for (std::size_t i = 0; i < p.size(); ++i) expect_close(holm(p)[i], want[i]);
  p.insert(p.begin() + 2, std::numeric_limits<double>::quiet_NaN());
  const Numbers with_gap = holm(p);
  EXPECT_TRUE(std::isnan(with_gap[2]));
  expect_close(with_gap[3], want[2]);
}

TEST(SeedTests, SignFlipsAgreeWithEveryPattern) {
  for (const json& c : golden("sign_flip")) {
    expect_close(sign_flip_p(c.at("d").get<Numbers>()), c.at("p"));
  }
}

TEST(SeedTests, ManySeedsAreDrawnAndComeNearTheExactValue) {
  // 21 equal differences: exactly 2 / 2^21; drawn: at least 1 / 100,001.
  const Numbers equal(21, 1.0);
  EXPECT_LT(sign_flip_p(equal), 5e-5);
  EXPECT_GT(sign_flip_p(equal), 0);
  Numbers balanced(40);
  for (std::size_t i = 0; i < 40; ++i) balanced[i] = i % 2 == 0 ? 1 : -1;
  EXPECT_EQ(sign_flip_p(balanced), 1);
}

TEST(SeedTests, BinomialAndMcNemarAgreeWithOracles) {
  for (const json& c : golden("binomial")) {
    expect_close(binomial_p(c.at("hits"), c.at("n")), c.at("p"));
  }
  for (const json& c : golden("mcnemar")) expect_close(mcnemar_p(c.at("a"), c.at("b")), c.at("p"));
}

TEST(SeedTests, ShareGreaterCountsTiesOneHalf) {
  const ShareGreater s = share_greater(Numbers{1, 2, 0, -1});
  EXPECT_DOUBLE_EQ(s.share, 2.5 / 4);
  EXPECT_FALSE(s.meaningful);
  EXPECT_TRUE(share_greater(Numbers(10, 1.0)).meaningful);
}

// Five seeds of five are no certainty: 0.025^(1/5) (Clopper and Pearson).
TEST(SeedTests, ShareGreaterHasTheExactInterval) {
  const ShareGreater five = share_greater(Numbers(5, 1.0));
  EXPECT_NEAR(five.interval.low, std::pow(0.025, 0.2), 1e-12);
  EXPECT_EQ(five.interval.high, 1);
  EXPECT_FALSE(five.meaningful);
  // 3 of 10 is 0.0667 to 0.6525 in every table; a half win is between 3 and 4 of 10, and so its
  // interval holds both.
  const Interval three = exact_interval(3, 10), four = exact_interval(4, 10);
  EXPECT_NEAR(three.low, 0.0667, 5e-5);
  EXPECT_NEAR(three.high, 0.6525, 5e-5);
  const ShareGreater half = share_greater(Numbers{1, 1, 1, 0, -1, -1, -1, -1, -1, -1});
  EXPECT_DOUBLE_EQ(half.interval.low, three.low);
  EXPECT_DOUBLE_EQ(half.interval.high, four.high);
  EXPECT_EQ(exact_interval(0, 5).low, 0);
}

TEST(Crossed, AgreesWithNumpyAndLmerTest) {
  bool floored = false, free = false;
  for (const json& c : golden("crossed")) {
    const auto group = c.at("group").get<std::vector<std::size_t>>();
    const std::size_t seeds = c.at("differences").size(), groups = group.back() + 1;
    const CrossedTable table = group_values(flat(c.at("differences")), seeds, group, groups);
    const Numbers want = flat(c.at("table"));
    for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(table.d[i], want[i], 1e-12);
    const CrossedEstimate e = crossed_t(table);
    expect_close(e.estimate.value, c.at("value"));
    expect_close(e.estimate.se, c.at("se"));
    expect_close(e.estimate.df, c.at("df"));
    EXPECT_EQ(e.seeds_floored, c.at("mss") < c.at("mse"));
    floored = floored || e.seeds_floored || e.groups_floored;
    free = free || c.at("lmer").get<bool>();
  }
  EXPECT_TRUE(floored && free) << "the golden cases must hold both";
}

TEST(Crossed, GapAgreesWithNumpy) {
  for (const json& c : golden("gap")) {
    const CrossedTable a{c.at("first").size(), c.at("first")[0].size(), flat(c.at("first"))};
    const CrossedTable b{c.at("second").size(), c.at("second")[0].size(), flat(c.at("second"))};
    const Estimate e = crossed_gap(a, b);
    expect_close(e.value, c.at("value"));
    expect_close(e.se, c.at("se"));
    expect_close(e.df, c.at("df"));
  }
}

// Differences of correctness for tests: a true difference, seeds, groups of `size` images.
struct Drawn {
  Numbers d;
  std::vector<std::size_t> group;
};
Drawn draw(RandomStream& stream, std::size_t seeds, std::size_t groups, std::size_t size,
           double effect, double seed_sd, double group_sd) {
  Drawn out;
  Numbers of_group(groups);
  for (double& g : of_group) g = group_sd * stream.normal();
  for (std::size_t g = 0; g < groups; ++g) out.group.insert(out.group.end(), size, g);
  for (std::size_t s = 0; s < seeds; ++s) {
    const double of_seed = seed_sd * stream.normal();
    for (const std::size_t g : out.group) {
      out.d.push_back(effect + of_seed + of_group[g] + stream.normal());
    }
  }
  return out;
}

TEST(Crossed, EveryImageItsOwnGroupIsTheUngroupedResult) {
  RandomStream stream(3, "test");
  const Drawn x = draw(stream, 5, 20, 1, 0.1, 0.2, 0.3);
  const CrossedTable table = group_values(x.d, 5, x.group, 20);
  for (std::size_t i = 0; i < x.d.size(); ++i) EXPECT_NEAR(table.d[i], x.d[i], 1e-14);
}

TEST(Crossed, SwappingArmsFlipsTheSignAlone) {
  RandomStream stream(4, "test");
  Drawn x = draw(stream, 5, 20, 3, 0.1, 0.2, 0.3);
  const CrossedEstimate one = crossed_t(group_values(x.d, 5, x.group, 20));
  const Interval i = crossed_bootstrap(x.d, 5, x.group, std::vector<std::size_t>(20, 0));
  for (double& v : x.d) v = -v;
  const CrossedEstimate other = crossed_t(group_values(x.d, 5, x.group, 20));
  EXPECT_DOUBLE_EQ(one.estimate.value, -other.estimate.value);
  EXPECT_DOUBLE_EQ(one.estimate.se, other.estimate.se);
  EXPECT_DOUBLE_EQ(one.estimate.df, other.estimate.df);
  const Interval j = crossed_bootstrap(x.d, 5, x.group, std::vector<std::size_t>(20, 0));
  EXPECT_NEAR(i.low, -j.high, 1e-12);
}

// Under no difference, with two sources of chance and groups of 3, a 5 % test must be wrong in at
// most 5 % + 3 standard errors of the repetitions; with images taken for cases it is not.
TEST(Crossed, KeepsItsLevelWhereImagesAsCasesDoNot) {
  constexpr int kRepetitions = 2000;
  RandomStream stream(5, "level");
  int wrong = 0, wrong_by_image = 0;
  for (int k = 0; k < kRepetitions; ++k) {
    const Drawn x = draw(stream, 10, 40, 4, 0, 0.1, 0.7);
    const auto p = [&](const std::vector<std::size_t>& group, std::size_t groups) {
      return two_sided_p(crossed_t(group_values(x.d, 10, group, groups)).estimate);
    };
    wrong += p(x.group, 40) <= kAlpha ? 1 : 0;
    std::vector<std::size_t> own(x.group.size());
    for (std::size_t i = 0; i < own.size(); ++i) own[i] = i;
    wrong_by_image += p(own, own.size()) <= kAlpha ? 1 : 0;
  }
  const double bound = 0.05 + 3 * std::sqrt(0.05 * 0.95 / kRepetitions);
  EXPECT_LE(wrong, bound * kRepetitions);
  EXPECT_GE(wrong, 0.02 * kRepetitions) << "a rule that never rejects is no rule";
  EXPECT_GT(wrong_by_image, 2 * bound * kRepetitions);
}

TEST(ReaderStudy, DeLongAgreesWithPRoc) {
  for (const json& c : golden("delong")) {
    const Estimate e = delong_difference(c.at("a").get<Numbers>(), c.at("b").get<Numbers>(),
                                         c.at("y").get<std::vector<int>>());
    expect_close(e.value, c.at("difference"));
    expect_close(e.value / e.se, c.at("z"));
    expect_close(two_sided_p(e), c.at("p"));
  }
}

TEST(ReaderStudy, ObuchowskiRocketteAgreesWithNumpy) {
  for (const json& c : golden("readers")) {
    const auto y = c.at("y").get<std::vector<int>>();
    const auto group = c.at("group").get<std::vector<std::size_t>>();
    const std::size_t groups = group.back() + 1;
    std::vector<Numbers> values(2);
    std::vector<std::vector<Numbers>> without(2);
    for (std::size_t t = 0; t < 2; ++t) {
      for (std::size_t r = 0; r < c.at("a").size(); ++r) {
        const auto scores = c.at(t == 0 ? "a" : "b")[r].get<Numbers>();
        const JackknifedAuroc one = jackknifed_auroc(scores, y, group, groups);
        expect_close(one.value, c.at("values")[t][r]);
        for (std::size_t g = 0; g < groups; ++g) {
          expect_close(one.without[g], c.at("without")[t][r][g]);
        }
        values[t].push_back(one.value);
        without[t].push_back(one.without);
      }
    }
    const Estimate e = obuchowski_rockette(values, without);
    expect_close(e.value, c.at("difference"));
    expect_close(e.df, c.at("df"));
    expect_close(two_sided_p(e), c.at("p"));
  }
}

TEST(Power, AgreesWithStatsmodels) {
  for (const json& c : golden("power")) {
    expect_close(paired_power(c.at("sd"), c.at("n"), c.at("detect")), c.at("power"), 1e-6);
  }
}

TEST(Power, OfACorrectedLevelAndOfFewLargeGroupsIsLess) {
  const VarianceParts parts{1e-4, 0.02, 0.1};
  EXPECT_LT(crossed_power(parts, 10, 400, 0.03, {0.05 / 3}), crossed_power(parts, 10, 400, 0.03));
  const auto seeds = [&](PowerRule rule) {
    return PlannedComparison::crossed(parts, rule).seeds_needed(400, 0.03).safe;
  };
  EXPECT_GT(seeds({0.05 / 3}), seeds({}));
  const auto paired = [](double alpha) {
    return PlannedComparison::paired(0.05, 9, alpha).seeds_needed(2, 0.03).safe;
  };
  EXPECT_GT(paired(0.05 / 3), paired(0.05));
  EXPECT_LT(crossed_power(parts, 10, 400, 0.03, {0.05, 0.02}), crossed_power(parts, 10, 400, 0.03));
}

TEST(Power, NeedsAreTheSmallestThatSuffice) {
  const VarianceParts parts{1e-4, 0.02, 0.1};
  const auto planned = PlannedComparison::crossed(parts);
  const NeededRange range = planned.seeds_needed(400, 0.03);
  EXPECT_EQ(range.low, range.safe) << "known, not estimated";
  const int seeds = range.safe.value();
  EXPECT_GE(crossed_power(parts, seeds, 400, 0.03), kPowerWanted);
  EXPECT_LT(crossed_power(parts, seeds - 1, 400, 0.03), kPowerWanted);
  const int groups = planned.groups_needed(10, 0.03).safe.value();
  EXPECT_GE(crossed_power(parts, 10, groups, 0.03), kPowerWanted);
  EXPECT_LT(crossed_power(parts, 10, groups - 1, 0.03), kPowerWanted);
}

TEST(Power, OfAnUnknownVarianceIsUnknown) {
  for (const double unknown :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    EXPECT_TRUE(std::isnan(paired_power(unknown, 10, 0.02)));
    EXPECT_TRUE(std::isnan(crossed_power({unknown, 1, 1}, 10, 400, 0.02)));
    EXPECT_FALSE(PlannedComparison::paired(unknown, 9).seeds_needed(2, 0.02).low);
    EXPECT_FALSE(PlannedComparison::crossed({1, unknown, 1}).seeds_needed(400, 0.02).low);
    EXPECT_FALSE(PlannedComparison::crossed({1, 1, unknown}).groups_needed(10, 0.02).low);
  }
  EXPECT_TRUE(std::isnan(t_power(std::numeric_limits<double>::quiet_NaN(), 5)));
  EXPECT_TRUE(std::isnan(t_power(1, std::numeric_limits<double>::quiet_NaN())));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(PlannedComparison::paired(0.1, 9).seeds_needed(2, nan).low);
}

TEST(Power, OfAGapRestsOnTheVarianceOfItsTest) {
  // Two splits of 12 and 30 patients, 6 seeds: patients differ much, seeds little.
  RandomStream stream(3, "gap");
  const auto table = [&](std::size_t groups) {
    CrossedTable t{6, groups, std::vector<double>(6 * groups)};
    for (std::size_t g = 0; g < groups; ++g) {
      const double patient = stream.uniform();
      for (std::size_t s = 0; s < 6; ++s) t.d[s * groups + g] = patient + 0.1 * stream.uniform();
    }
    return t;
  };
  const CrossedTable first = table(12), second = table(30);
  const Estimate e = crossed_gap(first, second);
  const GapVariance v = gap_variance(first, second);
  double sum = v.seeds / 6;
  for (const GapVariance::Split& split : v.splits) {
    sum += split.groups / split.count + split.error / (6 * split.count);
  }
  EXPECT_NEAR(sum, e.se * e.se, 1e-12);
  EXPECT_NEAR(gap_power(v, 6, 1, 0.1), t_power(0.1 / e.se, e.df), 1e-9);
  // Few patients that hold most of the images: as many degrees of freedom as the test has.
  GapVariance uneven = v;
  uneven.of_variance = 8;
  EXPECT_NEAR(gap_power(uneven, 6, 1, 0.1), t_power(0.1 / e.se, 7), 1e-9);
  GapVariance one = v;
  one.of_variance = 0;
  EXPECT_NEAR(gap_power(uneven, 6, 0.1, 2), gap_power(one, 6, 0.1, 2), 1e-9) << "not fewer than 4";
  const auto planned = PlannedComparison::gap(v);
  EXPECT_NEAR(planned.variance(6, 42, Of::estimate), sum, 1e-12);
  EXPECT_NEAR(planned.power(6, 42, 0.1, Of::estimate), gap_power(v, 6, 1, 0.1), 1e-12);
  EXPECT_LT(planned.power(6, 42, 0.1, Of::high), planned.power(6, 42, 0.1, Of::estimate));
  EXPECT_GT(planned.power(6, 42, 0.1, Of::low), planned.power(6, 42, 0.1, Of::estimate));
  EXPECT_FALSE(planned.seeds_needed(42, 0.1).low) << "seeds bring no patients";
  GapVariance known = v;
  known.pilot_seeds = 0;
  const NeededRange groups = PlannedComparison::gap(known).groups_needed(6, 0.1);
  ASSERT_TRUE(groups.safe.has_value());
  EXPECT_EQ(groups.low, groups.safe);
  EXPECT_GT(*groups.safe, 42);
  EXPECT_GE(gap_power(v, 6, *groups.safe / 42.0, 0.1), kPowerWanted);
  EXPECT_LT(gap_power(v, 6, (*groups.safe - 1) / 42.0, 0.1), kPowerWanted);
  EXPECT_LT(planned.groups_needed(6, 0.1).low, groups.low);
  EXPECT_GT(planned.groups_needed(6, 0.1).safe, groups.safe);
  known.seeds = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(PlannedComparison::gap(known).groups_needed(6, 0.1).low);
}

TEST(Power, PatientsAloneCanMakeSeedsUseless) {
  // The groups' part: se of at least sqrt(0.1 / 100) = 0.03, three times what is to be detected.
  const VarianceParts parts{1e-4, 0.1, 0.1};
  const auto planned = PlannedComparison::crossed(parts);
  EXPECT_FALSE(planned.seeds_needed(100, 0.01).low);
  EXPECT_GT(planned.groups_needed(50, 0.01).safe.value(), 1000);
}

TEST(Verdict, FollowsTheTable) {
  const std::vector<Evidence> evidence = {
      {{0.05, 0.01, 9}, ""},          // clear
      {{-0.05, 0.01, 9}, ""},         // clear, the other way
      {{0.001, 0.001, 9}, ""},        // within the margin
      {{0.01, 0.01, 9}, ""},          // neither
      {{0.01, 0.01, 9}, "one seed"},  // not allowed
      {{0.01, 0, 9}, ""},             // no variance, a difference
      {{0, 0, 9}, "", true},          // identical
  };
  const std::vector<Judgement> j = judge(evidence, Numbers(7, 0.01));
  EXPECT_EQ(j[0].verdict, Verdict::positive);
  EXPECT_EQ(j[1].verdict, Verdict::negative);
  EXPECT_EQ(j[2].verdict, Verdict::no_effect);
  EXPECT_EQ(j[3].verdict, Verdict::undecided);
  EXPECT_EQ(j[4].verdict, Verdict::not_allowed);
  EXPECT_EQ(j[4].reason, "one seed");
  EXPECT_EQ(j[5].verdict, Verdict::not_allowed);
  EXPECT_FALSE(j[5].reason.empty());
  EXPECT_EQ(j[6].verdict, Verdict::no_effect);
  EXPECT_EQ(j[6].p, 1);
  EXPECT_STREQ(claim_name(j[0].verdict), "supported");
  EXPECT_STREQ(comparison_name(j[1].verdict), "b_better");
}

// "No effect" over several is corrected as a difference is: one of three near the margin is chance.
TEST(Verdict, EquivalenceIsCorrectedForItsFamily) {
  const Evidence near = {{0.005, 0.0025, 20}, ""};  // p against 0.01: 0.0296
  const Evidence open = {{0.02, 0.01, 20}, ""};
  EXPECT_EQ(judge(std::vector{near}, Numbers{0.01})[0].verdict, Verdict::no_effect);
  const std::vector<Judgement> three = judge(std::vector{near, open, open}, Numbers(3, 0.01));
  EXPECT_NE(three[0].verdict, Verdict::no_effect);
  EXPECT_NEAR(three[0].equivalence, 0.0296, 5e-5);
  EXPECT_NEAR(three[0].equivalence_holm, 3 * three[0].equivalence, 1e-12);
  // Without a margin, or not allowed, is no test; Holm's steps leave the last one as it is.
  const std::vector<Judgement> mixed = judge(
      std::vector<Evidence>{near, open, {{0.01, 0.01, 9}, "one seed"}}, Numbers{0.01, 0, 0.01});
  EXPECT_EQ(mixed[0].verdict, Verdict::no_effect);
  EXPECT_EQ(mixed[0].equivalence_family, 1U);
  EXPECT_EQ(mixed[0].family, 2U);
  EXPECT_TRUE(std::isnan(mixed[1].equivalence_holm));
}

TEST(Verdict, AMarginOfZeroNeverGivesNoEffectToADifference) {
  const std::vector<Evidence> evidence = {{{1e-9, 0.01, 9}, ""}};
  EXPECT_EQ(judge(evidence, Numbers{0})[0].verdict, Verdict::undecided);
}

}  // namespace
}  // namespace bioptic
