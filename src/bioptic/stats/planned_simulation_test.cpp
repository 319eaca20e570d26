// A plan keeps its promise: over pilots whose law is known, drawn as tables of seeds x patients,
// the planned number of seeds has the promised power in three of four, at a price that is bounded.
// A plan by the estimate, and one by three times the estimate, are seen to fail.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iostream>
#include <string>
#include <tuple>
#include <vector>

#include "bioptic/base/random.h"
#include "bioptic/stats/crossed.h"
#include "bioptic/stats/planned_comparison.h"

namespace bioptic {
namespace {

constexpr int kPilots = 2000;

// Standard deviations of a pilot's table d[s,g] = seed + group + rest are the roots of the parts.
struct Law {
  VarianceParts parts;
  double low_peak_share = 0;  // of the seeds: their effect lies in a lower peak
};

// Parts whose shares of V at 15 seeds and so many groups are given; V = 1 there.
VarianceParts parts_with(double seeds, double groups, double error, int group_count) {
  return {15 * seeds, group_count * groups, 15.0 * group_count * error};
}

// Standard normal, or with the same mean and variance in two narrow peaks.
double seed_effect(const Law& law, RandomStream& stream) {
  const double p = law.low_peak_share;
  if (p == 0) return stream.normal();
  const double within = 0.3;  // sd of a peak, of the distance between them
  const double x = (stream.uniform() < p ? p - 1 : p) + within * stream.normal();
  return x / std::sqrt(p * (1 - p) + within * within);
}

CrossedTable pilot_of(const Law& law, int seeds, int groups, RandomStream& stream) {
  CrossedTable table{static_cast<std::size_t>(seeds), static_cast<std::size_t>(groups), {}};
  std::vector<double> of_group(table.groups);
  for (double& g : of_group) g = std::sqrt(law.parts.groups) * stream.normal();
  const double rest = std::sqrt(law.parts.error);
  for (int s = 0; s < seeds; ++s) {
    const double of_seed = std::sqrt(law.parts.seeds) * seed_effect(law, stream);
    for (const double g : of_group) table.d.push_back(of_seed + g + rest * stream.normal());
  }
  return table;
}

using Rule = std::function<PlannedComparison(VarianceParts)>;

PlannedComparison by_limits(VarianceParts parts) {  // the program's
  return PlannedComparison::crossed(parts);
}
PlannedComparison by_estimate(VarianceParts parts) {
  parts.pilot.reset();
  return PlannedComparison::crossed(parts);
}
PlannedComparison by_three_times(VarianceParts parts) {
  return PlannedComparison::crossed({3 * parts.seeds, 3 * parts.groups, 3 * parts.error});
}

struct Outcome {
  int pilots = 0;
  int plans = 0;         // that name a number of seeds
  int kept = 0;          // of those: true power of 0.8
  int false_cannot = 0;  // "no number of seeds suffices", where one does
  int below_low = 0;     // fewer seeds than the low number are enough
  double price = 0;      // median of planned V / true V, both at the planned seeds
};

// detect: found with a power of 0.8 by exactly `enough` seeds.
Outcome simulate(const Law& law, int seeds, int groups, int enough, const Rule& rule) {
  const PlannedComparison truth = PlannedComparison::crossed(law.parts);
  const auto power = [&](double n, double d) { return truth.power(n, groups, d, Of::estimate); };
  double detect = 10;
  for (double step = detect; step > 1e-9; step /= 2) {
    if (power(enough, detect - step) >= kPowerWanted) detect -= step;
  }
  Outcome out;
  RandomStream stream(static_cast<std::uint64_t>(seeds * 1000 + groups), "pilots");
  std::vector<double> prices;
  for (; out.pilots < kPilots; ++out.pilots) {
    const CrossedTable table = pilot_of(law, seeds, groups, stream);
    const PlannedComparison planned = rule(variance_parts(crossed_t(table), table));
    const NeededRange n = planned.seeds_needed(groups, detect);
    out.false_cannot += n.low ? 0 : 1;
    out.below_low += !n.low || *n.low > enough ? 1 : 0;
    if (!n.safe) continue;
    ++out.plans;
    out.kept += power(*n.safe, detect) >= kPowerWanted ? 1 : 0;
    prices.push_back(planned.variance(*n.safe, groups, Of::high) /
                     truth.variance(*n.safe, groups, Of::estimate));
  }
  if (!prices.empty()) {
    std::nth_element(prices.begin(), prices.begin() + prices.size() / 2, prices.end());
    out.price = prices[prices.size() / 2];
  }
  std::cout << seeds << " seeds, " << groups << " groups: plans " << out.plans << ", kept "
            << out.kept << ", falsely none " << out.false_cannot << ", below the low number "
            << out.below_low << ", price " << out.price << "\n";
  return out;
}

// What a rule must hold: "" or what it does not.
std::string complaint(const Outcome& out, int seeds) {
  const double most = seeds == 5 ? 3 : seeds == 10 ? 2.2 : 1.8;
  if (out.plans < 0.5 * out.pilots) return "seldom a plan";
  if (out.kept < 0.75 * out.plans) return "promises broken";
  if (out.price > most) return "too dear";
  if (out.false_cannot > 0.25 * out.pilots) return "seeds given up in vain";
  return "";
}

struct Shares {
  const char* name;
  double seeds, groups, error;
};
void PrintTo(const Shares& shares, std::ostream* out) { *out << shares.name; }
constexpr Shares kPatients = {"patients", 0.1, 0.7, 0.2}, kSeeds = {"seeds", 0.8, 0.1, 0.1},
                 kError = {"error", 0.1, 0.1, 0.8}, kNoise = {"noise", 0, 0, 1},
                 kEven = {"even", 0.34, 0.33, 0.33};

class PlanFromAPilot : public ::testing::TestWithParam<std::tuple<int, int, Shares>> {};

TEST_P(PlanFromAPilot, KeepsItsPromise) {
  const auto& [seeds, groups, shares] = GetParam();
  const Law law{parts_with(shares.seeds, shares.groups, shares.error, groups)};
  const Outcome out = simulate(law, seeds, groups, 15, by_limits);
  EXPECT_EQ(complaint(out, seeds), "");
  EXPECT_LE(out.below_low, 0.25 * out.pilots) << "the low number is one, too";
}

INSTANTIATE_TEST_SUITE_P(
    Pilots, PlanFromAPilot,
    ::testing::Combine(::testing::Values(5, 10, 20), ::testing::Values(100, 400),
                       ::testing::Values(kPatients, kSeeds, kError, kNoise, kEven)),
    [](const auto& cell) {
      std::string name = std::get<2>(cell.param).name;
      std::replace(name.begin(), name.end(), ' ', '_');
      return name + "_" + std::to_string(std::get<0>(cell.param)) + "_" +
             std::to_string(std::get<1>(cell.param));
    });

// Where patients alone nearly forbid what is to be found (40 seeds do it, of which they cause 0.86
// of V), many pilots give no number; what is promised is still kept in three of four pilots.
TEST(PlanFromAPilotEdge, ManyPatientsNeeded) {
  for (const int seeds : {5, 10, 20}) {
    const Law law{parts_with(0.1, 0.7, 0.2, 100)};
    const Outcome out = simulate(law, seeds, 100, 40, by_limits);
    EXPECT_LE(out.plans - out.kept, 0.25 * out.pilots);
    EXPECT_LE(out.false_cannot, 0.25 * out.pilots);
    EXPECT_GT(out.plans, out.pilots / 10);
  }
}

// A gap is planned by the same limits: each holds in four pilots of five or a little more.
TEST(PlanFromAPilotEdge, OfAGapTheLimitsHold) {
  constexpr int kSeedCount = 6, kGroupCounts[2] = {40, 100}, kTables = 1000;
  constexpr double kSeedSd = 0.3;  // of the gap itself; patients 1, rest 1
  const double groups = kGroupCounts[0] + kGroupCounts[1];
  RandomStream stream(9, "gap pilots");
  for (const double seeds : {6.0, 40.0}) {
    double truth = kSeedSd * kSeedSd / seeds;
    for (const int n : kGroupCounts) truth += (1 + 1 / seeds) / n;
    int high = 0, low = 0;
    for (int k = 0; k < kTables; ++k) {
      const Law law{{0, 1, 1}};
      CrossedTable first = pilot_of(law, kSeedCount, kGroupCounts[0], stream);
      const CrossedTable second = pilot_of(law, kSeedCount, kGroupCounts[1], stream);
      for (std::size_t s = 0; s < first.seeds; ++s) {
        const double of_seed = kSeedSd * stream.normal();
        for (std::size_t g = 0; g < first.groups; ++g) first.d[s * first.groups + g] += of_seed;
      }
      const auto planned = PlannedComparison::gap(gap_variance(first, second));
      high += planned.variance(seeds, groups, Of::high) >= truth ? 1 : 0;
      low += planned.variance(seeds, groups, Of::low) <= truth ? 1 : 0;
    }
    for (const int held : {high, low}) {
      EXPECT_GE(held, 0.76 * kTables) << seeds;
      EXPECT_LE(held, 0.88 * kTables) << seeds;
    }
  }
}

TEST(BrokenPlan, ByTheEstimateBreaksItsPromise) {
  for (const int seeds : {5, 10, 20}) {
    for (const Shares& s : {kSeeds, kPatients, kEven}) {
      const Law law{parts_with(s.seeds, s.groups, s.error, 100)};
      EXPECT_EQ(complaint(simulate(law, seeds, 100, 15, by_estimate), seeds), "promises broken")
          << s.name << " " << seeds;
    }
  }
}

TEST(BrokenPlan, AlwaysThreeTimesTheEstimateIsTooDear) {
  for (const int seeds : {10, 20}) {
    const Law law{parts_with(0.8, 0.1, 0.1, 100)};
    EXPECT_EQ(complaint(simulate(law, seeds, 100, 15, by_three_times), seeds), "too dear");
  }
}

TEST(BrokenPlan, NeverAPlanIsSeen) {
  Outcome out;
  out.pilots = kPilots;
  EXPECT_EQ(complaint(out, 10), "seldom a plan");
}

// A few seeds that all fall into the upper peak know nothing of the lower one.  Reported, not
// bounded: no rule can plan for what its pilot did not show.
TEST(PlanFromAPilotEdge, SeedsInTwoPeaks) {
  for (const int seeds : {5, 10, 20}) {
    Law law{parts_with(0.8, 0.1, 0.1, 100)};
    law.low_peak_share = 0.2;
    const Outcome out = simulate(law, seeds, 100, 15, by_limits);
    EXPECT_GT(out.plans, 0);
  }
}

}  // namespace
}  // namespace bioptic
