#include "bioptic/stats/curve_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "bioptic/base/error.h"
#include "bioptic/base/random.h"
#include "bioptic/stats/descriptive_golden.h"

namespace bioptic {
namespace {

using descriptive_golden::expect_near;
using descriptive_golden::numbers;

TEST(CurveIndices, AgreeWithNumpyAndScipy) {
  for (const auto& test : descriptive_golden::part("curves")) {
    const std::string name = test["name"];
    const auto& want = test["want"];
    CurveWindow window{test["begin"].get<std::size_t>()};
    if (!test["end"].is_null()) window.end = test["end"].get<std::size_t>();
    const CurveIndices got =
        curve_indices(numbers(test["curve"]), window, test["larger_is_better"].get<bool>());
    expect_near(got.step_spread, want["step_spread"], name + " step_spread");
    expect_near(got.noise_level, want["noise_level"], name + " noise_level");
    expect_near(got.excess_travel, want["excess_travel"], name + " excess_travel");
    expect_near(got.worst_drawdown, want["worst_drawdown"], name + " worst_drawdown");
    expect_near(got.worst_steps, want["worst_steps"], name + " worst_steps");
  }
}

TEST(CurveIndices, NoiseLevelFindsTheNoiseOnATrend) {
  RandomStream random(1, "curve test");
  std::vector<double> curve;
  for (int t = 0; t < 20000; ++t) curve.push_back(0.01 * t + 0.2 * random.normal());
  EXPECT_NEAR(*curve_indices(curve).noise_level, 0.2, 0.005);
}

TEST(CurveIndices, SignAndShiftOfTheCurve) {
  const std::vector<double> curve = {0.5, 0.75, 0.625, 0.875, 0.25};
  std::vector<double> turned, moved;
  for (const double v : curve) {
    turned.push_back(-v);
    moved.push_back(v + 4);
  }
  const CurveIndices a = curve_indices(curve), b = curve_indices(turned, {}, false),
                     c = curve_indices(moved);
  for (const CurveIndices& other : {b, c}) {
    EXPECT_EQ(a.step_spread, other.step_spread);
    EXPECT_EQ(a.noise_level, other.noise_level);
    EXPECT_EQ(a.excess_travel, other.excess_travel);
    EXPECT_EQ(a.worst_drawdown, other.worst_drawdown);
    EXPECT_EQ(a.worst_steps, other.worst_steps);
  }
  EXPECT_EQ(a.worst_drawdown, 0.625);
  EXPECT_EQ(curve_indices(curve, {}, false).worst_drawdown, 0.375);
}

TEST(CurveIndices, TooShortOrNotFiniteIsUndefined) {
  const std::vector<double> two = {1, 2}, three = {1, 2, 4}, four = {1, 2, 4, 8};
  EXPECT_FALSE(curve_indices(two).step_spread);
  EXPECT_EQ(curve_indices(two).excess_travel, 0);
  EXPECT_TRUE(curve_indices(three).step_spread);
  EXPECT_FALSE(curve_indices(three).noise_level);
  EXPECT_TRUE(curve_indices(four).noise_level);
  EXPECT_FALSE(curve_indices({}).excess_travel);
  EXPECT_FALSE(curve_indices(four, {3}).excess_travel);
  EXPECT_FALSE(curve_indices(four, {9}).worst_drawdown);
  const std::vector<double> diverged = {1, std::numeric_limits<double>::infinity(), 2, 3, 4, 5};
  EXPECT_FALSE(curve_indices(diverged).step_spread);
  EXPECT_TRUE(curve_indices(diverged, {2}).step_spread);  // outside the window it does not matter
  EXPECT_THROW(linear_quantile({}, 0.5), InputError);
}

}  // namespace
}  // namespace bioptic
