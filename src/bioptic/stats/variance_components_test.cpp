#include "bioptic/stats/variance_components.h"

#include <gtest/gtest.h>

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

TEST(VarianceComponents, AgreeWithStatsmodelsNumpyAndLme4) {
  for (const auto& test : descriptive_golden::part("variance")) {
    const std::string name = test["name"];
    const std::array<std::size_t, 3> levels = test["levels"];
    const VarianceComponents got = variance_components(numbers(test["values"]), levels);
    expect_near(got.mean, test["mean"], name + " mean");
    for (std::size_t c = 0; c < kComponents; ++c) {
      const std::string what = name + " " + std::string(letters(static_cast<Component>(c)));
      const auto& want = test["want"][c];
      const VarianceComponent& component = got.components[c];
      expect_near(component.mean_square, want["mean_square"], what + " mean square");
      expect_near(component.degrees_of_freedom, want["df"], what + " df");
      expect_near(component.estimate, want["estimate"], what + " estimate");
      expect_near(component.low, want["low"], what + " low", 1e-8);
      expect_near(component.high, want["high"], what + " high", 1e-8);
      EXPECT_EQ(component.negative, want["estimate"].get<double>() < 0);
      EXPECT_EQ(component.variance, std::max(0.0, component.estimate));
      // REML is found by an optimiser that stops at about 1e-5 of a standard deviation
      if (!test["lme4"].is_null()) {
        EXPECT_NEAR(component.variance, test["lme4"][c], 1e-3 * got.total) << what;
      }
    }
  }
}

TEST(VarianceComponents, OneSourceOnly) {
  std::vector<double> values;
  for (int i = 0; i < 3; ++i) {
    for (int jk = 0; jk < 8; ++jk) values.push_back(0.125 * i * i);
  }
  const VarianceComponents v = variance_components(values, {3, 2, 4});
  EXPECT_NEAR(v[Component::kA].share, 1, 1e-12);
  EXPECT_NEAR(v[Component::kA].estimate, 0.0677083333333333, 1e-12);  // variance of 0, 1/8, 1/2
}

TEST(VarianceComponents, EqualTrialsHaveNoVariance) {
  const VarianceComponents v = variance_components(std::vector<double>(8, 0.1), {2, 2, 2});
  EXPECT_EQ(v.total, 0);
  EXPECT_TRUE(std::isnan(v[Component::kA].share));
  EXPECT_EQ(v[Component::kABC].high, 0);
  EXPECT_EQ(v.mean, 0.1);
}

TEST(VarianceComponents, SwappingFactorsSwapsComponents) {
  RandomStream random(1, "variance test");
  std::vector<double> values, swapped;
  for (int cell = 0; cell < 2 * 3 * 4; ++cell) values.push_back(random.normal());
  for (std::size_t k = 0; k < 4; ++k) {
    for (std::size_t j = 0; j < 3; ++j) {
      for (std::size_t i = 0; i < 2; ++i) swapped.push_back(values[(i * 3 + j) * 4 + k]);
    }
  }
  const VarianceComponents a = variance_components(values, {2, 3, 4});
  const VarianceComponents b = variance_components(swapped, {4, 3, 2});
  EXPECT_NEAR(a[Component::kA].estimate, b[Component::kC].estimate, 1e-13);
  EXPECT_NEAR(a[Component::kAB].estimate, b[Component::kBC].estimate, 1e-13);
  EXPECT_NEAR(a[Component::kAC].high, b[Component::kAC].high, 1e-12);
}

TEST(VarianceComponents, IntervalsCover) {
  // Components 1 (mains), 0.5 (pairs), 1 (rest); 400 tables, so 3 standard errors are 0.033.
  RandomStream random(2, "variance test");
  int covered_main = 0, covered_pair = 0;
  const int tables = 400;
  for (int table = 0; table < tables; ++table) {
    double a[4], b[4], c[4], ab[4][4], ac[4][4], bc[4][4];
    for (int i = 0; i < 4; ++i) {
      a[i] = random.normal();
      b[i] = random.normal();
      c[i] = random.normal();
      for (int j = 0; j < 4; ++j) {
        ab[i][j] = std::sqrt(0.5) * random.normal();
        ac[i][j] = std::sqrt(0.5) * random.normal();
        bc[i][j] = std::sqrt(0.5) * random.normal();
      }
    }
    std::vector<double> values;
    for (int cell = 0; cell < 64; ++cell) {
      const int i = cell / 16, j = cell / 4 % 4, k = cell % 4;
      values.push_back(a[i] + b[j] + c[k] + ab[i][j] + ac[i][k] + bc[j][k] + random.normal());
    }
    const VarianceComponents v = variance_components(values, {4, 4, 4});
    covered_main += v[Component::kB].low <= 1 && 1 <= v[Component::kB].high ? 1 : 0;
    covered_pair += v[Component::kAC].low <= 0.5 && 0.5 <= v[Component::kAC].high ? 1 : 0;
  }
  EXPECT_GT(covered_main, (0.95 - 0.033) * tables);
  EXPECT_GT(covered_pair, (0.95 - 0.033) * tables);
  EXPECT_LT(covered_main, 0.99 * tables);
  EXPECT_LT(covered_pair, 0.99 * tables);
}

TEST(VarianceComponents, WrongShapesAreErrors) {
  const std::vector<double> values(8, 1.0);
  EXPECT_THROW(variance_components(values, {4, 2, 1}), InputError);
  EXPECT_THROW(variance_components(values, {2, 2, 3}), InputError);
  std::vector<double> hole = values;
  hole[3] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(variance_components(hole, {2, 2, 2}), InputError);
}

}  // namespace
}  // namespace bioptic
