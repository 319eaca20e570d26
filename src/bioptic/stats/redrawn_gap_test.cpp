#include "bioptic/stats/redrawn_gap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "bioptic/base/error.h"
#include "bioptic/base/random.h"

namespace bioptic {
namespace {

// Images of patients who are all more or less difficult; seeds differ in skill.  A tenth of the
// patients is fixed, of the others every seed draws a share.
struct World {
  std::size_t seeds = 5, pool = 200, fixed = 40, views = 2;
  double drawn = 0.2, patient_sd = 1, seed_sd = 0.3, gap = 0;
};

struct Drawn {
  Estimate gap, over_seeds;
};

Drawn draw(std::uint64_t number, const World& world) {
  RandomStream random(number, "redrawn gap test");
  const auto right = [&](double difficulty, double skill) {
    return random.uniform() < 1 / (1 + std::exp(-1.5 - difficulty - skill)) ? 1.0 : 0.0;
  };
  std::vector<double> skill(world.seeds), pool(world.pool), fixed(world.fixed);
  for (double& v : skill) v = world.seed_sd * random.normal();
  for (double& v : pool) v = world.patient_sd * random.normal();
  for (double& v : fixed) v = world.patient_sd * random.normal() - world.gap;
  RedrawnValues redrawn;
  redrawn.groups = world.pool;
  redrawn.begin.push_back(0);
  std::vector<double> values;
  std::vector<std::size_t> group_of;
  for (std::size_t s = 0; s < world.seeds; ++s) {
    std::vector<std::size_t> order(world.pool);
    for (std::size_t g = 0; g < order.size(); ++g) order[g] = g;
    random.shuffle(std::span(order));
    order.resize(static_cast<std::size_t>(world.drawn * static_cast<double>(world.pool)));
    for (const std::size_t g : order) {
      for (std::size_t k = 0; k < world.views; ++k) {
        redrawn.values.push_back(right(pool[g], skill[s]));
        redrawn.group_of.push_back(g);
      }
    }
    redrawn.begin.push_back(redrawn.values.size());
    for (std::size_t g = 0; g < world.fixed; ++g) {
      for (std::size_t k = 0; k < world.views; ++k) {
        values.push_back(right(fixed[g], skill[s]));
        if (s == 0) group_of.push_back(g);
      }
    }
  }
  const CrossedTable table = group_values(values, world.seeds, group_of, world.fixed);
  std::vector<double> differences;
  for (std::size_t s = 0; s < world.seeds; ++s) {
    const auto mean = [](std::span<const double> of) {
      return std::accumulate(of.begin(), of.end(), 0.0) / static_cast<double>(of.size());
    };
    const std::size_t first = redrawn.begin[s], images = world.fixed * world.views;
    differences.push_back(
        mean(std::span(redrawn.values).subspan(first, redrawn.begin[s + 1] - first)) -
        mean(std::span(values).subspan(s * images, images)));
  }
  return {redrawn_gap(redrawn, table), mean_estimate(differences)};
}

double rejected(const World& world, int repetitions) {
  int hits = 0;
  for (int r = 0; r < repetitions; ++r) {
    hits += two_sided_p(draw(static_cast<std::uint64_t>(r), world).gap) <= 0.05 ? 1 : 0;
  }
  return static_cast<double>(hits) / repetitions;
}

TEST(RedrawnGap, HoldsItsLevelAndFindsAGap) {
  constexpr int kRepetitions = 1000;
  const double bound = 0.05 + 3 * std::sqrt(0.05 * 0.95 / kRepetitions);
  World world;
  for (const double drawn : {0.2, 0.8}) {
    for (const double patient_sd : {0.0, 1.5}) {
      world.drawn = drawn;
      world.patient_sd = patient_sd;
      const double level = rejected(world, kRepetitions);
      EXPECT_LE(level, bound) << drawn << " " << patient_sd;
      // Where patients do not differ, the floors make it careful; a rule that never rejects would
      // be broken, too.
      if (patient_sd > 0) {
        EXPECT_GE(level, 0.01) << drawn;
      }
    }
  }
  world.gap = 2;
  EXPECT_GT(rejected(world, 200), 0.9);
}

// The reason for it: over the seeds alone, luck with the fixed patients passes for a gap.
TEST(RedrawnGap, SeedsAloneDoNotHoldTheLevel) {
  World world;
  world.patient_sd = 1.5;
  int hits = 0;
  for (std::uint64_t r = 0; r < 300; ++r) {
    hits += two_sided_p(draw(r, world).over_seeds) <= 0.05 ? 1 : 0;
  }
  EXPECT_GT(hits, 45);
}

TEST(RedrawnGap, ByHand) {
  // Two seeds, each validated on both patients of one image; two fixed patients.
  const RedrawnValues redrawn{{1, 0, 1, 1}, {0, 1, 0, 1}, {0, 2, 4}, 2};
  const std::vector<double> fixed = {1, 0, 0, 0};
  const std::vector<std::size_t> group_of = {0, 1};
  const Estimate e = redrawn_gap(redrawn, group_values(fixed, 2, group_of, 2));
  // Means 0.5, 1 and 0.5, 0: differences 0 and 1.
  EXPECT_DOUBLE_EQ(e.value, 0.5);
  // var(r) / S = 0.25.  Residuals / 4 from 0.75: 1/16, -3/16, 1/16, 1/16: i = 12/256, groups 2/16
  // and -2/16: c = 2 * 8/256 = 16/256.  Fixed: MSg = MSe = 0.25, so e = b = 1/16.
  const double i = 12.0 / 256, c = 16.0 / 256, one16 = 1.0 / 16;
  const double a = std::max(0.25, i + one16), v = a + (c - i);
  EXPECT_DOUBLE_EQ(e.se, std::sqrt(v));
  EXPECT_DOUBLE_EQ(e.df, v * v / (a * a + c * c + one16 * one16 + one16 * one16));
}

TEST(RedrawnGap, NeedsSeedsAndGroups) {
  const RedrawnValues one_group{{1, 0}, {0, 0}, {0, 1, 2}, 1};
  const std::vector<double> fixed = {1, 0, 0, 0};
  const std::vector<std::size_t> group_of = {0, 1};
  EXPECT_THROW(redrawn_gap(one_group, group_values(fixed, 2, group_of, 2)), InputError);
}

}  // namespace
}  // namespace bioptic
