// Tiny, tied and degenerate inputs against tests/golden/edges.json, and Obuchowski-Rockette against
// pROC's covariances and a published example.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "bioptic/base/random.h"
#include "bioptic/stats/crossed.h"
#include "bioptic/stats/distributions.h"
#include "bioptic/stats/intervals.h"
#include "bioptic/stats/metric_curves.h"
#include "bioptic/stats/reader_study.h"
#include "bioptic/stats/roc.h"
#include "bioptic/stats/seed_tests.h"
#include "bioptic/stats/verdict.h"

namespace bioptic {
namespace {

using nlohmann::json;
using Numbers = std::vector<double>;

json golden(const char* part) {
  std::ifstream file("tests/golden/edges.json");
  return json::parse(file).at(part);
}

void expect_close(double got, const json& want, const std::string& what, double relative = 1e-9) {
  EXPECT_NEAR(got, want.get<double>(), relative * std::abs(want.get<double>()) + 1e-14) << what;
}

TEST(Edges, Wilson) {
  for (const json& c : golden("wilson")) {
    const Proportion p = wilson_interval(c.at("hits"), c.at("n"));
    expect_close(p.low, c.at("low"), c.dump());
    expect_close(p.high, c.at("high"), c.dump());
    const double n = c.at("n"), share = c.at("hits").get<double>() / n;
    expect_close(wilson_interval_of(share, n).low, c.at("low"), c.dump());
  }
}

TEST(Edges, TIntervals) {
  for (const json& c : golden("t_intervals")) {
    const MeanInterval i = t_interval(c.at("values").get<Numbers>());
    expect_close(i.mean, c.at("mean"), c.dump());
    expect_close(i.sd, c.at("sd"), c.dump());
    expect_close(i.low, c.at("low"), c.dump());
    expect_close(i.high, c.at("high"), c.dump());
  }
}

TEST(Edges, CrossedT) {
  for (const json& c : golden("crossed")) {
    const std::string name = c.at("name");
    Numbers d;
    for (const json& row : c.at("differences")) {
      for (const json& v : row) d.push_back(v);
    }
    const auto group = c.at("group").get<std::vector<std::size_t>>();
    const std::size_t seeds = c.at("differences").size();
    const CrossedEstimate e = crossed_t(group_values(d, seeds, group, group.back() + 1));
    expect_close(e.estimate.value, c.at("value"), name);
    expect_close(e.estimate.se, c.at("se"), name);
    expect_close(e.estimate.df, c.at("df"), name);
    const double p = two_sided_p(e.estimate);
    EXPECT_EQ(std::isnan(p), c.at("p").is_null()) << name;
    if (!c.at("p").is_null()) expect_close(p, c.at("p"), name);
  }
}

TEST(Edges, Holm) {
  for (const json& c : golden("holm")) {
    const Numbers p = c.at("p").get<Numbers>(), want = c.at("corrected").get<Numbers>();
    const Numbers got = holm(p);
    for (std::size_t i = 0; i < p.size(); ++i) expect_close(got[i], want[i], c.dump());
  }
}

TEST(Edges, Equivalence) {
  for (const json& c : golden("equivalence")) {
    // Without spread the t alone would say 0 or 1; what it takes then is in equivalence_test.cpp.
    if (c.at("se") == 0 && c.at("margin") > 0) continue;
    expect_close(equivalence_p({c.at("value"), c.at("se"), c.at("df")}, {}, c.at("margin")),
                 c.at("p"), c.dump());
  }
}

TEST(Edges, AreasOfTiedAndTinySamples) {
  for (const json& c : golden("areas")) {
    const Numbers s = c.at("s").get<Numbers>();
    const auto y = c.at("y").get<std::vector<int>>();
    expect_close(*auroc(s, y), c.at("auroc"), c.at("name"));
    expect_close(*average_precision(s, y), c.at("average_precision"), c.at("name"));
  }
}

TEST(Edges, Tails) {
  const json tails = golden("tails");
  for (const json& c : tails.at("t_cdf")) {
    expect_close(t_cdf(c.at("t"), c.at("df")), c.at("p"), c.dump());
  }
  for (const json& c : tails.at("t_quantile")) {
    expect_close(t_quantile(c.at("p"), c.at("df")), c.at("t"), c.dump());
  }
  for (const json& c : tails.at("binomial")) {
    expect_close(binomial_p(c.at("hits"), c.at("n")), c.at("p"), c.dump());
  }
}

TEST(ObuchowskiRockette, AgreesWithItsCompositionFromProcInR) {
  for (const json& c : golden("readers")) {
    const auto y = c.at("y").get<std::vector<int>>();
    std::vector<std::size_t> own(y.size());
    std::iota(own.begin(), own.end(), 0);
    std::vector<Numbers> values(2);
    std::vector<std::vector<Numbers>> without(2);
    for (std::size_t t = 0; t < 2; ++t) {
      for (const json& row : c.at(t == 0 ? "a" : "b")) {
        const JackknifedAuroc one = jackknifed_auroc(row.get<Numbers>(), y, own, y.size());
        values[t].push_back(one.value);
        without[t].push_back(one.without);
      }
    }
    const Estimate e = obuchowski_rockette(values, without);
    const Interval i = interval_of(e);
    expect_close(e.value, c.at("difference"), "difference");
    expect_close(e.se, c.at("se"), "se");
    expect_close(e.df, c.at("df"), "df");
    expect_close(two_sided_p(e), c.at("p"), "p");
    expect_close(i.low, c.at("low"), "low");
    expect_close(i.high, c.at("high"), "high");
  }
}

// Van Dyke et al.'s study of two ways of magnetic resonance imaging, 5 readers, 114 cases, as
// MRMCaov and RJafroc print its analysis (empirical AUROC, jackknife; user guides of both).  The
// readers' areas are theirs; leave-one-out values are built here so that they have exactly the
// published covariances: a part that all share (Cov3), one per treatment (Cov2 - Cov3), one per
// reader (Cov1 - Cov3) and the rest.
TEST(ObuchowskiRockette, GivesThePublishedAnswerForVanDyke) {
  constexpr double kVariance = 0.0008022883, kCov1 = 0.0003466137, kCov2 = 0.0003440748,
                   kCov3 = 0.0002390284;
  constexpr std::size_t kReaders = 5, kCases = 114;
  const std::vector<Numbers> values = {{0.9196457, 0.8587762, 0.9038647, 0.9731079, 0.8297907},
                                       {0.9478261, 0.9053140, 0.9217391, 0.9993559, 0.9299517}};
  std::vector<std::vector<Numbers>> without(2, std::vector<Numbers>(kReaders));
  // Effect k moves cases 2k and 2k + 1 apart: effects are orthogonal, and each has the wanted
  // jackknife variance (G - 1) / G * 2 x^2.
  const auto add = [](Numbers& to, std::size_t k, double variance) {
    const double x = std::sqrt(variance * kCases / (kCases - 1.0) / 2);
    to[2 * k] += x;
    to[2 * k + 1] -= x;
  };
  for (std::size_t t = 0; t < 2; ++t) {
    for (std::size_t r = 0; r < kReaders; ++r) {
      without[t][r].assign(kCases, values[t][r]);
      add(without[t][r], 0, kCov3);
      add(without[t][r], 1 + t, kCov2 - kCov3);
      add(without[t][r], 3 + r, kCov1 - kCov3);
      add(without[t][r], 8 + t * kReaders + r, kVariance - kCov1 - kCov2 + kCov3);
    }
  }
  const Estimate e = obuchowski_rockette(values, without);
  const Interval i = interval_of(e);
  // To the digits that are printed: seven of the areas, so 1e-7 of a difference of their means.
  EXPECT_NEAR(e.value, -0.04380032, 1e-7);
  EXPECT_NEAR(e.se, 0.02074862, 1e-7);
  EXPECT_NEAR(e.df, 15.25967, 2e-4);
  EXPECT_NEAR(e.value / e.se, -2.110999, 2e-5);
  EXPECT_NEAR(two_sided_p(e), 0.05166569, 2e-6);
  EXPECT_NEAR(i.low, -0.0879594986, 5e-7);
  EXPECT_NEAR(i.high, 0.0003588544, 5e-7);
  // Each treatment by itself, with its own Cov2 (0.0004839618 and 0.0002041879).
  const double own[2] = {0.0004839618, 0.0002041879};
  const double se[2] = {0.03317360, 0.02156637}, df[2] = {12.74465, 12.71019};
  for (std::size_t t = 0; t < 2; ++t) {
    for (std::size_t r = 0; r < kReaders; ++r) {
      without[t][r].assign(kCases, values[t][r]);
      add(without[t][r], 0, own[t]);
      add(without[t][r], 1 + r, kVariance - own[t]);
    }
    const ReaderEstimate one = reader_contrast(values[t], without[t]);
    EXPECT_NEAR(one.shared, own[t], 1e-12);
    EXPECT_NEAR(one.estimate.se, se[t], 1e-7);
    EXPECT_NEAR(one.estimate.df, df[t], 2e-4);
  }
}

// Properties that hold for any data.

struct Table {
  Numbers d;
  std::vector<std::size_t> group;
  std::size_t seeds = 0, groups = 0;
};

Table random_table(RandomStream& stream) {
  Table t;
  t.seeds = 2 + stream.below(8);
  t.groups = 2 + stream.below(12);
  for (std::size_t g = 0; g < t.groups; ++g) t.group.insert(t.group.end(), 1 + stream.below(5), g);
  for (std::size_t k = 0; k < t.seeds * t.group.size(); ++k) {
    t.d.push_back(static_cast<double>(stream.below(3)) - 1);  // accuracies differ by -1, 0, 1
  }
  return t;
}

CrossedEstimate of(const Table& t) {
  return crossed_t(group_values(t.d, t.seeds, t.group, t.groups));
}

void expect_same(const CrossedEstimate& a, const CrossedEstimate& b, double sign = 1) {
  EXPECT_NEAR(a.estimate.value, sign * b.estimate.value, 1e-13);
  EXPECT_NEAR(a.estimate.se, b.estimate.se, 1e-12);
  if (a.estimate.se > 1e-9) {
    EXPECT_NEAR(a.estimate.df / b.estimate.df, 1, 1e-9);
  }
}

TEST(Properties, OfTheCrossedT) {
  RandomStream stream(1, "properties");
  for (int k = 0; k < 300; ++k) {
    const Table t = random_table(stream);
    const CrossedEstimate e = of(t);
    const std::size_t n = t.group.size();

    Table swapped = t;
    for (double& v : swapped.d) v = -v;
    expect_same(e, of(swapped), -1);

    std::vector<std::size_t> seeds(t.seeds), images(n), names(t.groups);
    std::iota(seeds.begin(), seeds.end(), 0);
    std::iota(images.begin(), images.end(), 0);
    std::iota(names.begin(), names.end(), 0);
    stream.shuffle(std::span(seeds));
    stream.shuffle(std::span(images));
    stream.shuffle(std::span(names));
    Table permuted = t;
    for (std::size_t s = 0; s < t.seeds; ++s) {
      for (std::size_t i = 0; i < n; ++i) {
        permuted.d[s * n + i] = t.d[seeds[s] * n + images[i]];
        permuted.group[i] = names[t.group[images[i]]];
      }
    }
    expect_same(e, of(permuted));

    // Never less certain to reject than its own bounds allow: the variance is at least that of the
    // seeds alone and that of the groups alone, and df at least that of the interaction alone.
    const auto s = static_cast<double>(t.seeds), g = static_cast<double>(t.groups);
    EXPECT_GE(e.estimate.se * e.estimate.se * s * g,
              std::max({e.ms_seeds, e.ms_groups, e.ms_error}) - 1e-12);
    if (e.estimate.se > 0) {
      EXPECT_GE(e.estimate.df, (s - 1) * (g - 1) / (s + g - 1) - 1e-9);
    }
  }
}

TEST(Properties, AnArmAgainstItselfHasNoEffect) {
  RandomStream stream(2, "properties");
  for (int k = 0; k < 20; ++k) {
    Table t = random_table(stream);
    std::fill(t.d.begin(), t.d.end(), 0);
    const std::vector<Evidence> evidence = {{of(t).estimate, "", true}};
    for (const double margin : {0.0, 0.01}) {
      const Judgement j = judge(evidence, Numbers{margin})[0];
      EXPECT_EQ(j.verdict, Verdict::no_effect);
      EXPECT_EQ(j.p, 1);
    }
  }
}

TEST(Properties, AddingOneToEveryDifferenceMovesTheValueAlone) {
  RandomStream stream(3, "properties");
  for (int k = 0; k < 50; ++k) {
    Table t = random_table(stream);
    const CrossedEstimate e = of(t);
    for (double& v : t.d) v += 1;
    const CrossedEstimate moved = of(t);
    EXPECT_NEAR(moved.estimate.value, e.estimate.value + 1, 1e-13);
    EXPECT_NEAR(moved.estimate.se, e.estimate.se, 1e-12);
  }
}

TEST(Properties, OfTheReaderStudy) {
  RandomStream stream(4, "properties");
  for (int k = 0; k < 50; ++k) {
    const std::size_t readers = 2 + stream.below(5), groups = 2 + stream.below(10);
    std::vector<Numbers> values(2);
    std::vector<std::vector<Numbers>> without(2);
    for (std::size_t t = 0; t < 2; ++t) {
      for (std::size_t r = 0; r < readers; ++r) {
        values[t].push_back(stream.uniform());
        Numbers& w = without[t].emplace_back(groups);
        for (double& v : w) v = values[t][r] + 0.1 * stream.normal();
      }
    }
    const Estimate e = obuchowski_rockette(values, without);
    const Estimate swapped = obuchowski_rockette({values[1], values[0]}, {without[1], without[0]});
    EXPECT_NEAR(e.value, -swapped.value, 1e-14);
    EXPECT_NEAR(e.se, swapped.se, 1e-13);
    EXPECT_GE(e.df, static_cast<double>(readers) - 1 - 1e-9);
    // No less than over seeds alone.
    Numbers d;
    for (std::size_t r = 0; r < readers; ++r) d.push_back(values[0][r] - values[1][r]);
    EXPECT_GE(e.se, mean_estimate(d).se - 1e-14);
    const Estimate self = obuchowski_rockette({values[0], values[0]}, {without[0], without[0]});
    EXPECT_EQ(self.value, 0);
    EXPECT_NEAR(self.se, 0, 1e-15);
  }
}

TEST(Properties, OfAreas) {
  RandomStream stream(5, "properties");
  for (int k = 0; k < 100; ++k) {
    const std::size_t n = 4 + stream.below(40);
    Numbers s, flipped, stretched;
    std::vector<int> y, other;
    for (std::size_t i = 0; i < n; ++i) {
      s.push_back(static_cast<double>(stream.below(8)));
      flipped.push_back(-s.back());
      stretched.push_back(std::exp(s.back()));
      y.push_back(i < 2 ? static_cast<int>(i) : static_cast<int>(stream.below(2)));
      other.push_back(1 - y.back());
    }
    const double area = *auroc(s, y);
    EXPECT_NEAR(*auroc(flipped, y), 1 - area, 1e-12);
    EXPECT_NEAR(*auroc(s, other), 1 - area, 1e-12);
    EXPECT_NEAR(*auroc(stretched, y), area, 1e-12);
    const double precision = *average_precision(s, y);
    EXPECT_TRUE(precision > 0 && precision <= 1 + 1e-12);
    EXPECT_NEAR(*average_precision(stretched, y), precision, 1e-12);
  }
}

TEST(Properties, HolmIsMonotoneAndNeverBelowTheP) {
  RandomStream stream(6, "properties");
  for (int k = 0; k < 100; ++k) {
    Numbers p(1 + stream.below(12));
    for (double& v : p) v = stream.uniform() * stream.uniform();
    const Numbers c = holm(p);
    for (std::size_t i = 0; i < p.size(); ++i) {
      EXPECT_GE(c[i], p[i]);
      EXPECT_LE(c[i], 1);
      EXPECT_LE(c[i], static_cast<double>(p.size()) * p[i] + 1e-15);
      for (std::size_t j = 0; j < p.size(); ++j) {
        if (p[i] < p[j]) {
          EXPECT_LE(c[i], c[j]);
        }
      }
    }
  }
}

}  // namespace
}  // namespace bioptic
