#include "bioptic/stats/resampled.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

namespace bioptic {
namespace {

using nlohmann::json;

TEST(Resampled, AgreesWithTheOracle) {
  std::ifstream file("tests/golden/resampled.json");
  const json cases = json::parse(file).at("resampled_t");
  ASSERT_FALSE(cases.empty());
  for (const json& c : cases) {
    const Estimate e = resampled_t(c.at("d").get<std::vector<double>>(), c.at("test_over_train"));
    // The same sums in another order: a few roundings.
    EXPECT_NEAR(e.value, c.at("value").get<double>(), 1e-16) << c;
    EXPECT_NEAR(e.se, c.at("se").get<double>(), 1e-12 * e.se) << c;
    EXPECT_EQ(e.df, c.at("df").get<double>()) << c;
    EXPECT_NEAR(two_sided_p(e), c.at("p").get<double>(), 1e-10) << c;
  }
}

TEST(Resampled, WithoutTestImagesItIsThePairedT) {
  const std::vector<double> d = {0.01, 0.03, -0.02, 0.0, 0.05};
  EXPECT_EQ(resampled_t(d, 0).se, mean_estimate(d).se);
  EXPECT_GT(resampled_t(d, 0.25).se, mean_estimate(d).se);
}

TEST(Resampled, NoVarianceIsNoVariance) {
  const Estimate e = resampled_t(std::vector<double>(6, 0.02), 0.25);
  EXPECT_EQ(e.se, 0);
  EXPECT_TRUE(std::isnan(two_sided_p(e)));
}

TEST(Resampled, FoldsTakeTheLargerVarianceWithItsDegreesOfFreedom) {
  const std::vector<double> per_fold = {0.1, 0, -0.1, 0.2, 0.1, 0, 0.1, 0, 0, 0.1};
  const Estimate resampled = resampled_t(per_fold, 1.0 / 4);
  const Estimate wide = repeated_folds_t({0.04, 2 * resampled.se, 3.5}, per_fold, 5);
  EXPECT_EQ(wide.se, 2 * resampled.se);
  EXPECT_EQ(wide.df, 3.5);
  const Estimate narrow = repeated_folds_t({0.04, resampled.se / 2, 3.5}, per_fold, 5);
  EXPECT_EQ(narrow.value, 0.04);  // of the images, not of the folds
  EXPECT_EQ(narrow.se, resampled.se);
  EXPECT_EQ(narrow.df, 9);
}

}  // namespace
}  // namespace bioptic
