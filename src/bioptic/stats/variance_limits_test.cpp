// The limits of sums of mean squares against tests/golden/variance_limits.json, and the degrees of
// freedom that a table shows.
#include "bioptic/stats/variance_limits.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bioptic/base/random.h"
#include "bioptic/stats/crossed.h"
#include "bioptic/stats/planned_comparison.h"
#include "bioptic/stats/reader_study.h"

namespace bioptic {
namespace {

using nlohmann::json;
using Numbers = std::vector<double>;

TEST(VarianceLimits, AgreeWithSciPy) {
  std::ifstream file("tests/golden/variance_limits.json");
  const json cases = json::parse(file).at("cases");
  EXPECT_EQ(cases.size(), 10U);
  for (const json& c : cases) {
    const Numbers values = c.at("mean_squares"), df = c.at("df");
    std::vector<MeanSquare> mean_squares;
    for (std::size_t k = 0; k < values.size(); ++k) mean_squares.push_back({values[k], df[k]});
    const Interval got =
        VarianceLimits(mean_squares, c.at("confidence")).of(c.at("coefficients").get<Numbers>());
    // The distance to a limit is the root of a sum whose parts cancel to about 1e-3 of them, of
    // quantiles that both libraries give to some 1e-12.
    const double scale = std::abs(c.at("high").get<double>());
    EXPECT_NEAR(got.low, c.at("low"), 1e-8 * scale);
    EXPECT_NEAR(got.high, c.at("high"), 1e-8 * scale);
  }
}

CrossedTable normal_table(std::size_t seeds, std::size_t groups, RandomStream& stream) {
  CrossedTable table{seeds, groups, Numbers(seeds * groups)};
  Numbers of_group(groups);
  for (double& g : of_group) g = stream.normal();
  for (std::size_t k = 0; k < table.d.size(); ++k) {
    table.d[k] = of_group[k % groups] + stream.normal();
  }
  return table;
}

TEST(DegreesOfTable, AreThoseOfNormalValuesAtMostAndNotFarFromThem) {
  RandomStream stream(5, "degrees");
  double groups = 0, error = 0;
  for (int k = 0; k < 200; ++k) {
    const CrossedTable table = normal_table(6, 100, stream);
    const TableDegrees df = degrees_of_table(table.d, 6, 100);
    EXPECT_LE(df.groups, 99);
    EXPECT_LE(df.error, 495);
    groups += df.groups / 200;
    error += df.error / 200;
  }
  EXPECT_GT(groups, 80);
  EXPECT_GT(error, 420);
}

// The mean square itself scatters over studies as much as its degrees of freedom say: 2 mean^2 /
// variance.  One patient of ten is ever wrong.
TEST(DegreesOfTable, SeeThatFewPatientsMakeUpTheVariance) {
  RandomStream stream(6, "degrees");
  constexpr int kStudies = 2000, kSeeds = 5, kGroups = 200;
  double sums[2] = {}, squares[2] = {}, shown[2] = {};
  for (int k = 0; k < kStudies; ++k) {
    CrossedTable table{kSeeds, kGroups, Numbers(kSeeds * kGroups, 0)};
    for (std::size_t g = 0; g < kGroups; ++g) {
      if (stream.uniform() >= 0.1) continue;
      const double lean = 2 * stream.uniform() - 1;
      for (std::size_t s = 0; s < kSeeds; ++s) {
        table.d[s * kGroups + g] = (stream.uniform() < std::abs(lean)) ? (lean > 0 ? 1 : -1) : 0;
      }
    }
    const CrossedEstimate e = crossed_t(table);
    const TableDegrees df = degrees_of_table(table.d, kSeeds, kGroups);
    const double ms[2] = {e.ms_groups, e.ms_error}, of[2] = {df.groups, df.error};
    for (int j = 0; j < 2; ++j) {
      sums[j] += ms[j] / kStudies;
      squares[j] += ms[j] * ms[j] / kStudies;
      shown[j] += of[j] / kStudies;
    }
  }
  for (int j = 0; j < 2; ++j) {
    const double true_df = 2 * sums[j] * sums[j] / (squares[j] - sums[j] * sums[j]);
    EXPECT_LT(true_df, j == 0 ? 40 : 80) << "of 199 and 796";
    EXPECT_NEAR(shown[j] / true_df, 1, 0.25) << j;
  }
}

TEST(DegreesOfTable, OfNoVarianceAreThoseOfTheTable) {
  const TableDegrees df = degrees_of_table(Numbers(12, 0.5), 3, 4);
  EXPECT_EQ(df.groups, 3);
  EXPECT_EQ(df.error, 6);
}

// AUROC: by the jackknife's pseudo-values the parts are those of a table of seeds x groups.  A mean
// over groups is a figure of merit, too, whose pseudo-values are the values themselves.
TEST(VarianceParts, OfReadersAreThoseOfTheTableOfPseudoValues) {
  RandomStream stream(7, "readers");
  const CrossedTable table = normal_table(6, 40, stream);
  Numbers value;
  std::vector<Numbers> without;
  for (std::size_t s = 0; s < 6; ++s) {
    double sum = 0;
    for (std::size_t g = 0; g < 40; ++g) sum += table.d[s * 40 + g];
    value.push_back(sum / 40);
    Numbers& row = without.emplace_back();
    for (std::size_t g = 0; g < 40; ++g) row.push_back((sum - table.d[s * 40 + g]) / 39);
  }
  const VarianceParts crossed = variance_parts(crossed_t(table), table);
  const VarianceParts readers = variance_parts(reader_contrast(value, without), without);
  EXPECT_NEAR(readers.groups, crossed.groups, 1e-9);
  EXPECT_NEAR(readers.error, crossed.error, 1e-9);
  const PilotTable &p = readers.pilot.value(), &q = crossed.pilot.value();
  for (const auto& [a, b] : {std::pair(p.of_seeds, q.of_seeds), std::pair(p.of_groups, q.of_groups),
                             std::pair(p.of_error, q.of_error)}) {
    EXPECT_NEAR(a.value, b.value, 1e-9);
    EXPECT_NEAR(a.df, b.df, 1e-6);
  }
  EXPECT_EQ(p.seeds, q.seeds);
  EXPECT_EQ(p.groups, q.groups);
}

// E1: the chi-squared limits of a variance.
TEST(PlannedComparison, OfSeedsAloneGoesByTheLimitsOfAVariance) {
  const auto planned = PlannedComparison::paired(0.02, 9);
  // SciPy: 9 / chi2.ppf(0.2, 9), 9 / chi2.ppf(0.8, 9)
  EXPECT_NEAR(planned.variance(7, 2, Of::high), 0.0004 / 7 * 1.6728459079744966, 1e-10);
  EXPECT_NEAR(planned.variance(7, 2, Of::low), 0.0004 / 7 * 0.7351652553196159, 1e-10);
  const NeededRange n = planned.seeds_needed(2, 0.02);
  ASSERT_TRUE(n.low && n.safe);
  EXPECT_LT(*n.low, *n.safe);
  EXPECT_GE(planned.power(*n.safe, 2, 0.02, Of::high), kPowerWanted);
  EXPECT_LT(planned.power(*n.safe - 1, 2, 0.02, Of::high), kPowerWanted);
}

// Around the estimate, whatever the floors; never below 0.
TEST(PlannedComparison, LimitsLieAroundTheEstimate) {
  RandomStream stream(8, "limits");
  for (int k = 0; k < 300; ++k) {
    const CrossedTable table = normal_table(3 + k % 5, 12 + static_cast<std::size_t>(k), stream);
    const auto planned = PlannedComparison::crossed(variance_parts(crossed_t(table), table));
    for (const double seeds : {2.0, 9.0, 5000.0}) {
      for (const double groups : {5.0, 100.0, 1e6}) {
        const double v = planned.variance(seeds, groups, Of::estimate);
        EXPECT_GE(planned.variance(seeds, groups, Of::high), v);
        EXPECT_LE(planned.variance(seeds, groups, Of::low), v);
        EXPECT_GE(planned.variance(seeds, groups, Of::low), 0);
      }
    }
  }
}

}  // namespace
}  // namespace bioptic
