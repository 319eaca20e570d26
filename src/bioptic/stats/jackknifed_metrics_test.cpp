// Intervals over patients: the quick leave-out values against computing each metric again.
#include "bioptic/stats/jackknifed_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "bioptic/base/random.h"
#include "bioptic/stats/crossed.h"
#include "bioptic/stats/reader_study.h"

namespace bioptic {
namespace {

struct Sample {
  std::vector<double> scores, logits;
  std::vector<int> labels, groups;
  ScoredSplit split() const { return {scores, logits, labels, groups}; }
};

// `groups` patients of one to four images; a strong share of each logit is the patient's.
Sample draw(RandomStream& stream, int groups, double round_to = 0) {
  Sample s;
  for (int g = 0; g < groups; ++g) {
    const int label = g % 2;
    const double of_patient = stream.normal();
    const auto images = 1 + stream.below(4);
    for (std::uint64_t i = 0; i < images; ++i) {
      double z = 0.8 * (2 * label - 1) + of_patient + 0.5 * stream.normal();
      if (round_to > 0) z = std::round(z / round_to) * round_to;
      s.logits.push_back(z);
      s.scores.push_back(1 / (1 + std::exp(-z)));
      s.labels.push_back(label);
      s.groups.push_back(g);
    }
  }
  return s;
}

Sample without_block(const Sample& s, const std::vector<std::size_t>& block_of, std::size_t b) {
  Sample out;
  for (std::size_t i = 0; i < s.labels.size(); ++i) {
    if (block_of[i] == b) continue;
    out.scores.push_back(s.scores[i]);
    out.logits.push_back(s.logits[i]);
    out.labels.push_back(s.labels[i]);
    out.groups.push_back(s.groups[i]);
  }
  return out;
}

TEST(JackknifedMetrics, EqualThoseOfTheImagesThatAreLeft) {
  RandomStream stream(1, "jackknife test");
  for (const double round_to : {0.0, 0.5}) {  // the second: many ties
    const Sample s = draw(stream, 40, round_to);
    const std::vector<std::size_t> block_of = jackknife_blocks(s.groups, s.labels.size());
    const JackknifedMetrics quick = jackknifed_metrics(s.split(), block_of, 0.4, 7);
    for (const auto& [name, value] : named_metrics(binary_metrics(s.split(), 0.4, 7))) {
      ASSERT_TRUE(value) << name;
      EXPECT_EQ(*quick.at(name).value, *value) << name;
    }
    for (std::size_t b = 0; b < 40; ++b) {
      const Sample left = without_block(s, block_of, b);
      for (const auto& [name, value] : named_metrics(binary_metrics(left.split(), 0.4, 7))) {
        // The calibration line takes Newton steps, not all of them; its standard errors here are
        // about 0.3, so this is a thirtieth of one.
        const double off = name.starts_with("calibration") ? 0.01 : 1e-12;
        EXPECT_NEAR(quick.at(name).without[b], *value, off) << name << " without " << b;
      }
    }
  }
}

TEST(JackknifedMetrics, NewtonStepsGiveTheVarianceOfRefitting) {
  RandomStream stream(2, "jackknife test");
  const Sample s = draw(stream, 300);
  const std::vector<std::size_t> block_of = jackknife_blocks(s.groups, s.labels.size());
  const JackknifedMetrics quick = jackknifed_metrics(s.split(), block_of);
  JackknifedMetric slope = quick.at("calibration_slope");
  for (std::size_t b = 0; b < 300; ++b) {
    const Sample left = without_block(s, block_of, b);
    slope.without[b] = calibration_line(left.logits, left.labels)->slope;
  }
  const double exact = jackknife_estimate(slope)->se;
  EXPECT_NEAR(jackknife_estimate(quick.at("calibration_slope"))->se / exact, 1, 0.01);
  // Wald's interval takes the images for independent, and is far too narrow for these.
  const CalibrationLine line = *calibration_line(s.logits, s.labels);
  EXPECT_GT(exact, 1.2 * (line.slope_high - line.slope_low) / (2 * 1.96));
}

TEST(JackknifedMetrics, NoSlopeWithoutTheOnlyBlockThatHasOne) {
  // One patient's images differ in their score; without them it is constant.  Without another
  // patient the classes come apart.
  const std::vector<double> scores = {0.3, 0.6, 0.3, 0.3, 0.3, 0.6};
  const std::vector<int> labels = {0, 1, 1, 0, 1, 0};
  const std::vector<std::size_t> block_of = {1, 0, 1, 2, 3, 0};
  JackknifedMetric slope =
      jackknifed_metrics({scores, {}, labels, {}}, block_of).at("calibration_slope");
  ASSERT_TRUE(slope.value);
  EXPECT_TRUE(std::isnan(slope.without[0])) << slope.without[0];
  EXPECT_FALSE(std::isnan(slope.without[1]));
  EXPECT_FALSE(jackknife_estimate(slope));
  const std::vector<double> apart = {0.1, 0.2, 0.5, 0.4, 0.8, 0.9};
  const std::vector<int> ordered = {0, 0, 0, 1, 1, 1};
  const std::vector<std::size_t> single = {0, 1, 2, 3, 4, 5};
  slope = jackknifed_metrics({apart, {}, ordered, {}}, single).at("calibration_slope");
  ASSERT_TRUE(slope.value);
  EXPECT_FALSE(std::isnan(slope.without[0]));
  EXPECT_TRUE(std::isnan(slope.without[2])) << slope.without[2];
}

TEST(JackknifedMetrics, UndefinedStaysUndefined) {
  const std::vector<double> scores = {0.9, 0.2, 0.7};
  const std::vector<int> ones = {1, 1, 1}, one_zero = {0, 1, 1};
  const std::vector<std::size_t> block_of = {0, 1, 2};
  const JackknifedMetrics m = jackknifed_metrics({scores, {}, ones, {}}, block_of);
  EXPECT_FALSE(m.at("auroc").value || m.at("specificity").value || m.at("mcc").value ||
               m.at("balanced_accuracy").value || m.at("calibration_slope").value);
  EXPECT_FALSE(jackknife_estimate(m.at("auroc")));
  EXPECT_TRUE(jackknife_estimate(m.at("accuracy")));
  // Defined, but not without the only image of a class: no interval.
  const JackknifedMetrics n = jackknifed_metrics({scores, {}, one_zero, {}}, block_of);
  EXPECT_TRUE(n.at("auroc").value && std::isnan(n.at("auroc").without[0]));
  EXPECT_FALSE(jackknife_estimate(n.at("auroc")));
  const JackknifedMetric* seeds[] = {&n.at("auroc"), &n.at("auroc")};
  EXPECT_FALSE(seeds_and_patients(seeds));
  // No images at all.
  EXPECT_FALSE(jackknifed_metrics({}, {}).at("accuracy").value);
}

TEST(JackknifedMetrics, ManyGroupsAreDealtIntoBlocksThatKeepThemWhole) {
  std::vector<int> groups;
  for (int g = 0; g < 1000; ++g) groups.insert(groups.end(), 2, g);
  const std::vector<std::size_t> block_of = jackknife_blocks(groups, groups.size());
  std::vector<int> size(kMostBlocks, 0);
  for (std::size_t i = 0; i < block_of.size(); ++i) {
    EXPECT_EQ(block_of[i], block_of[i - i % 2]);
    ++size.at(block_of[i]);
  }
  for (const int n : size) EXPECT_TRUE(n == 4 || n == 6) << n;  // two or three groups each
}

TEST(JackknifedMetrics, BlocksGiveAboutTheSameVariance) {
  RandomStream stream(3, "jackknife test");
  const Sample s = draw(stream, 2000);
  std::vector<std::size_t> own(s.groups.begin(), s.groups.end());
  const double exact = jackknife_estimate(jackknifed_metrics(s.split(), own).at("auroc"))->se;
  const auto blocks = jackknife_blocks(s.groups, s.labels.size());
  const double dealt = jackknife_estimate(jackknifed_metrics(s.split(), blocks).at("auroc"))->se;
  // A variance from 400 blocks has a relative standard error of sqrt(2 / 399), its root half that.
  EXPECT_NEAR(dealt / exact, 1, 4 * std::sqrt(2.0 / 399) / 2);
}

// For a mean over images the reader-study formula and the crossed t are the same variance wherever
// no component is floored.
TEST(SeedsAndPatients, OfAMeanAgreesWithTheCrossedT) {
  RandomStream stream(4, "jackknife test");
  constexpr std::size_t kSeeds = 6, kGroups = 60;
  std::vector<double> hits;
  std::vector<double> of_group(kGroups);
  for (double& g : of_group) g = 0.6 * stream.normal();
  std::vector<std::size_t> group_of(kGroups);
  for (std::size_t g = 0; g < kGroups; ++g) group_of[g] = g;
  std::vector<JackknifedMetric> seeds(kSeeds);
  std::vector<const JackknifedMetric*> pointers;
  for (JackknifedMetric& seed : seeds) {
    const double of_seed = 0.4 * stream.normal();
    double sum = 0;
    std::vector<double> own;
    for (const double g : of_group) {
      own.push_back(of_seed + g + stream.normal() > -1 ? 1 : 0);
      sum += own.back();
    }
    seed.value = sum / kGroups;
    for (const double h : own) seed.without.push_back((sum - h) / (kGroups - 1));
    hits.insert(hits.end(), own.begin(), own.end());
    pointers.push_back(&seed);
  }
  const CrossedEstimate crossed = crossed_t(group_values(hits, kSeeds, group_of, kGroups));
  ASSERT_FALSE(crossed.seeds_floored || crossed.groups_floored);
  const Estimate e = *seeds_and_patients(pointers);
  EXPECT_NEAR(e.value, crossed.estimate.value, 1e-14);
  EXPECT_NEAR(e.se / crossed.estimate.se, 1, 1e-12);
}

TEST(SeedsAndPatients, OneSeedHasNone) {
  const JackknifedMetric one{0.8, {0.7, 0.9}};
  const JackknifedMetric* seeds[] = {&one};
  EXPECT_FALSE(seeds_and_patients(seeds));
}

}  // namespace
}  // namespace bioptic
