#include "bioptic/stats/gap.h"

#include <gtest/gtest.h>

#include "bioptic/base/error.h"
#include "bioptic/stats/descriptive_golden.h"

namespace bioptic {
namespace {

using descriptive_golden::expect_near;

std::optional<double> rate(const nlohmann::json& v) {
  if (v.is_null()) return std::nullopt;
  return v.get<double>();
}

TEST(GapParts, AgreeWithNumpyAndAddUp) {
  std::vector<GapRates> seeds;
  const auto cases = descriptive_golden::part("gap");
  for (const auto& c : cases) {
    seeds.push_back({rate(c["validation"]), rate(c["holdout"][0]), rate(c["holdout"][1]),
                     rate(c["holdout"][2]), rate(c["test"][0]), rate(c["test"][1]),
                     rate(c["test"][2]), c["prevalence"]});
  }
  const std::vector<GapParts> parts = gap_parts(seeds);
  ASSERT_EQ(parts.size(), cases.size());
  for (std::size_t s = 0; s < parts.size(); ++s) {
    const std::string name = cases[s]["name"];
    const auto& want = cases[s]["want"];
    expect_near(parts[s].total, want["total"], name + " total");
    expect_near(parts[s].selection_and_leakage, want["selection"], name + " selection");
    expect_near(parts[s].prevalence, want["prevalence"], name + " prevalence");
    expect_near(parts[s].rest, want["rest"], name + " rest");
    expect_near(parts[s].rest_sensitivity, want["rest_sensitivity"], name + " sensitivity");
    expect_near(parts[s].rest_specificity, want["rest_specificity"], name + " specificity");
    if (!parts[s].total || !parts[s].rest) continue;
    EXPECT_NEAR(*parts[s].total,
                *parts[s].selection_and_leakage + *parts[s].prevalence + *parts[s].rest, 1e-15);
    if (!parts[s].rest_sensitivity || !parts[s].rest_specificity) continue;
    EXPECT_NEAR(*parts[s].rest, *parts[s].rest_sensitivity + *parts[s].rest_specificity, 1e-15);
  }
}

TEST(GapParts, PrevalenceAloneIsCalledPrevalence) {
  // The same sensitivity 0.9 and specificity 0.6 everywhere; class 1 is 75 % of the source and 25 %
  // of test.
  const double source = 0.75 * 0.9 + 0.25 * 0.6, test = 0.25 * 0.9 + 0.75 * 0.6;
  const GapRates rates{source, source, 0.9, 0.6, test, 0.9, 0.6, 0.25};
  const GapParts parts = gap_parts(std::vector<GapRates>{rates})[0];
  EXPECT_EQ(parts.selection_and_leakage, 0);
  EXPECT_NEAR(*parts.prevalence, source - test, 1e-15);
  EXPECT_NEAR(*parts.rest, 0, 1e-15);
}

TEST(GapParts, APrevalenceIsAShare) {
  GapRates rates;
  rates.test_prevalence = 62.5;
  EXPECT_THROW(gap_parts(std::vector<GapRates>{rates}), InputError);
}

}  // namespace
}  // namespace bioptic
