#include "bioptic/stats/equivalence.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bioptic/stats/verdict.h"

namespace bioptic {
namespace {

using nlohmann::json;
using Numbers = std::vector<double>;

TEST(Equivalence, AgreesWithScipy) {
  std::ifstream file("tests/golden/equivalence.json");
  const json cases = json::parse(file).at("cases");
  ASSERT_GT(cases.size(), 50U);
  for (const json& c : cases) {
    const Estimate e = {c.at("m"), c.at("se"), c.at("df")};
    const PatientBound bound = {c.at("k"), c.at("factor")};
    const auto number = [&](const char* name) { return c.at(name).get<double>(); };
    // Both libraries are right to some 1e-13 of the value; differences of 1 and a p near 1 to
    // 1e-15.
    const auto close = [&](double got, double want) {
      EXPECT_NEAR(got, want, 1e-9 * std::abs(want) + 1e-14) << c.dump();
    };
    const OneSided p = one_sided_p(e, bound, number("margin"));
    close(p.not_above, std::max(number("t_plus"), number("bound_plus")));
    close(p.not_below, std::max(number("t_minus"), number("bound_minus")));
    close(equivalence_p(e, bound, number("margin")), number("p"));
    const Interval limits = equivalence_limits(e, bound, number("alpha"));
    close(limits.low, number("lower"));
    close(limits.high, number("upper"));
    close(smallest_margin(bound, number("alpha")), number("smallest_margin"));
  }
}

TEST(Equivalence, WithoutABoundItIsTheTAlone) {
  const Estimate e = {0.004, 0.002, 9};
  const Interval ninety = interval_of(e, 0.9), limits = equivalence_limits(e, {}, 0.05);
  EXPECT_DOUBLE_EQ(limits.low, ninety.low);
  EXPECT_DOUBLE_EQ(limits.high, ninety.high);
  EXPECT_EQ(smallest_margin({}, 0.05), 0);
  EXPECT_EQ(equivalence_p(e, {}, 0), 1);
}

TEST(Equivalence, LimitsLieWithinTheMarginExactlyWhereThePSaysSo) {
  for (const double k : {12.0, 40.5, 233.0, 900.0}) {
    for (const double value : {-0.02, -0.003, 0.0, 0.004, 0.015}) {
      for (const double se : {0.0, 0.0005, 0.004, 0.01}) {
        if (se == 0 && value != 0) continue;
        for (const double margin : {0.005, 0.01, 0.02, 0.05}) {
          for (const double alpha : {0.05, 0.05 / 3}) {
            const Estimate e = {value, se, 17.5};
            const Interval limits = equivalence_limits(e, {k, 1}, alpha);
            EXPECT_EQ(limits.low >= -margin && limits.high <= margin,
                      equivalence_p(e, {k, 1}, margin) <= alpha)
                << k << ' ' << value << ' ' << se << ' ' << margin;
          }
        }
      }
    }
  }
}

// Twenty positives that both arms get right in every seed: other twenty may be got wrong by one.
TEST(Equivalence, NoSpreadIsNoEvidenceAboutOtherPatientsOrTrainings) {
  const Evidence rare = {{0, 0, 4}, "", false, {20, 1}};
  EXPECT_EQ(judge(std::vector{rare}, Numbers{0.02})[0].verdict, Verdict::undecided);
  EXPECT_TRUE(std::isnan(judge(std::vector{rare}, Numbers{0.02})[0].interval.low));
  const Evidence many = {{0, 0, 4}, "", false, {1000, 1}};
  EXPECT_EQ(judge(std::vector{many}, Numbers{0.02})[0].verdict, Verdict::no_effect);
  const Evidence seeds = {{0, 0, 4}, ""};  // E1: nothing bounds what other trainings would do
  EXPECT_EQ(judge(std::vector{seeds}, Numbers{0.02})[0].verdict, Verdict::undecided);
  const Evidence twice = {{0, 0, 4}, "", true, {20, 1}};  // one training under two names
  const Judgement same = judge(std::vector{twice}, Numbers{0.02})[0];
  EXPECT_EQ(same.verdict, Verdict::no_effect);
  EXPECT_EQ(same.equivalent.low, 0);
  EXPECT_EQ(same.equivalent.high, 0);
}

TEST(Holm, LevelsAreThoseOfTheStepThatDecided) {
  // Sorted: 0.01 at 0.05 / 3, then 0.03 stops at 0.05 / 2, which also decides 0.04.
  const Numbers p = {0.04, 0.01, std::nan(""), 0.03};
  const Numbers levels = holm_levels(p, 0.05);
  EXPECT_DOUBLE_EQ(levels[1], 0.05 / 3);
  EXPECT_DOUBLE_EQ(levels[3], 0.05 / 2);
  EXPECT_DOUBLE_EQ(levels[0], 0.05 / 2);
  EXPECT_TRUE(std::isnan(levels[2]));
  const Numbers corrected = holm(p);
  for (const std::size_t i : {0U, 1U, 3U}) EXPECT_EQ(p[i] <= levels[i], corrected[i] <= 0.05);
}

// No interval contradicts its verdict, whatever the family.
TEST(Judge, IntervalsMatchTheirVerdicts) {
  std::vector<Evidence> evidence;
  for (int k = 0; k < 7; ++k) {
    evidence.push_back({{0.004 * (k - 2), 0.0035, 12.0 + k}, "", false, {400, 1}});
  }
  const std::vector<Judgement> judged = judge(evidence, Numbers(7, 0.01));
  int decided = 0;
  for (const Judgement& j : judged) {
    const bool excludes = j.interval.low > 0 || j.interval.high < 0;
    const bool within = j.equivalent.low >= -0.01 && j.equivalent.high <= 0.01;
    EXPECT_EQ(excludes, j.p_holm <= kAlpha);
    EXPECT_EQ(within, j.equivalence_holm <= kAlpha);
    EXPECT_EQ(j.verdict == Verdict::no_effect, within);
    decided += excludes ? 1 : 0;
  }
  EXPECT_GT(decided, 0);
  EXPECT_LT(decided, 7);
}

}  // namespace
}  // namespace bioptic
