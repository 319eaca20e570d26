// Claims on synthetic summaries whose answers are known.
#include "bioptic/study/judge_claims.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bioptic/base/random.h"
#include "bioptic/stats/crossed.h"
#include "bioptic/study/effective_cases.h"
#include "bioptic/study/spec.h"
#include "bioptic/study/study_comparisons.h"

namespace bioptic {
namespace {

using Numbers = std::vector<double>;

constexpr std::size_t kImages = 200;  // of each of val and test
constexpr int kEpochs = 12;

// What one trial is made of.
struct Made {
  double level = 0.8;      // of every accuracy curve
  double amplitude = 0;    // of its zigzag
  double slope = 0;        // per epoch
  double val_right = 0.9;  // share of validation images predicted right
  // Test images that are predicted right; unset: `level` of them, the first ones.
  std::function<bool(std::size_t)> test_right = nullptr;
  bool collapsed = false;
};
using Maker = std::function<Made(const std::string& arm, int seed)>;

// Logits differ a little between seeds: equal ones would be one training.
SplitPredictions predicted(const StudySummary& summary, const std::string& split, int seed,
                           std::uint32_t first, const std::function<bool(std::size_t)>& right) {
  const float size = 2.0F + 0.001F * static_cast<float>(seed);
  SplitPredictions p;
  p.split = split;
  for (std::uint32_t i = 0; i < kImages; ++i) {
    const bool positive = summary.images[first + i].label == 1;
    p.rows.push_back(first + i);
    p.logits.push_back(right(i) == positive ? size : -size);
  }
  return p;
}

TrialSummary made_trial(const StudySummary& summary, const std::string& arm, int seed,
                        const Made& made) {
  TrialSummary t;
  t.arm = arm;
  t.seed = seed;
  const auto s = static_cast<std::uint64_t>(seed);
  t.seeds = {s, s, s};
  t.result.status = made.collapsed ? TrialStatus::collapsed : TrialStatus::done;
  for (int e = 0; e < kEpochs; ++e) {
    EpochRecord record;
    record.epoch = e + 1;
    record.val_accuracy = made.level + made.slope * e + (e % 2 == 0 ? 1 : -1) * made.amplitude / 2;
    record.val_loss = 1 - record.val_accuracy;
    t.result.history.push_back(record);
  }
  t.result.selected_epoch = kEpochs;
  const auto first = [](double share) {
    return [share](std::size_t i) { return static_cast<double>(i) < share * kImages; };
  };
  t.result.predictions.push_back(predicted(summary, "val", seed, 0, first(made.val_right)));
  t.result.predictions.push_back(predicted(summary, "test", seed, kImages,
                                           made.test_right ? made.test_right : first(made.level)));
  return t;
}

// Validation and test images; those of test in groups of `group_size` neighbours.
StudySummary made_summary(const std::vector<std::string>& arms, int seeds, const Maker& maker,
                          std::size_t group_size = 1) {
  StudySummary summary;
  summary.dataset.classes = {"healthy", "sick"};
  summary.positive = 1;
  summary.margin = 0.01;
  summary.detect = 0.02;
  for (std::size_t i = 0; i < 2 * kImages; ++i) {
    const bool test = i >= kImages;
    summary.images.add({"image" + std::to_string(i), test ? "test" : "val",
                        test ? "patient" + std::to_string(i / group_size) : "",
                        static_cast<std::int64_t>(i / group_size % 2)});
  }
  for (const std::string& name : arms) {
    ArmSummary& arm = summary.arms.emplace_back();
    arm.name = name;
    for (int seed = 0; seed < seeds; ++seed) {
      const Made made = maker(name, seed);
      arm.trials.push_back(made_trial(summary, name, seed, made));
      arm.collapsed += made.collapsed ? 1 : 0;
    }
  }
  return summary;
}

// Claims are read from text: the parser's defaults are then those of users.
std::vector<ClaimSpec> claims_of(const std::string& claims) {
  return parse_study_text(
             "[train]\nepochs = 12\n[[arm]]\nname = 'a'\nbatch_size = 10\n[[arm]]\nname = "
             "'b'\nbatch_size = 100\n[[arm]]\nname = 'c'\nbatch_size = 1000\n" +
                 claims,
             "s.toml")
      .claims;
}

std::string claim_text(const std::string& keys, const std::string& id = "x") {
  return "[[claim]]\nid = '" + id + "'\nsentence = 'It is so'\n" + keys + "\n";
}

ClaimResult judge_one(const StudySummary& summary, const std::string& keys) {
  return judge_claims(summary, claims_of(claim_text(keys))).at(0);
}

// ---- every kind, every verdict ------------------------------------------------------------------

// Effects of seeds 0, 1, ..., of the same sign, of both, near 0, of the other sign.
struct Scene {
  const char* name;
  Numbers effects;
  Verdict verdict;
};
const std::vector<Scene>& scenes() {
  static const std::vector<Scene> all{
      {"supported", {0.05, 0.06, 0.055, 0.045, 0.05, 0.06}, Verdict::positive},
      {"refuted", {-0.05, -0.06, -0.055, -0.045, -0.05, -0.06}, Verdict::negative},
      {"no effect", {0.001, -0.001, 0.0005, -0.0005, 0.001, -0.001}, Verdict::no_effect},
      {"undecided", {0.05, -0.04, 0.06, -0.05, 0.02, -0.01}, Verdict::undecided},
      {"few seeds", {0.05, 0.06, 0.055, 0.045}, Verdict::not_allowed},
      {"one seed", {0.05}, Verdict::not_allowed},
      {"no spread", {0.05, 0.05, 0.05, 0.05, 0.05, 0.05}, Verdict::not_allowed}};
  return all;
}

void expect_scenes(const std::string& keys,
                   const std::function<Made(const std::string& arm, double effect)>& made,
                   const std::vector<std::string>& arms = {"a", "b", "c"}) {
  for (const Scene& scene : scenes()) {
    const StudySummary summary = made_summary(
        arms, static_cast<int>(scene.effects.size()), [&](const std::string& arm, int seed) {
          return made(arm, scene.effects[static_cast<std::size_t>(seed)]);
        });
    const ClaimResult r = judge_one(summary, keys);
    EXPECT_EQ(claim_name(r.e1.verdict), std::string(claim_name(scene.verdict)))
        << keys << "\n"
        << scene.name << ": " << r.explanation;
    EXPECT_EQ(r.e1.reason.empty(), scene.verdict != Verdict::not_allowed);
    EXPECT_EQ(r.seeds, scene.effects.size());
    EXPECT_NE(r.explanation.find(scene.verdict == Verdict::not_allowed ? "no verdict is allowed"
                                                                       : "this training pool"),
              std::string::npos)
        << r.explanation;
  }
}

double part_of_arm(const std::string& arm, double effect) { return arm == "a" ? effect : 0; }

TEST(JudgeClaims, DifferenceOfACurvesMean) {
  expect_scenes("kind = 'difference'\narms = ['a', 'b']\nvalue = 'mean'\nsplit = 'val'",
                [](const std::string& arm, double effect) {
                  return Made{.level = 0.8 + part_of_arm(arm, effect)};
                });
}

// Seeds that trained the same model twice are one training, whatever a claim is about.
TEST(JudgeClaims, ARepeatedTrainingIsNoOtherSeed) {
  for (const char* keys : {"kind = 'difference'\narms = ['a', 'b']",
                           "kind = 'difference'\narms = ['a', 'b']\nvalue = 'mean'\nsplit = 'val'",
                           "kind = 'gap'\narms = ['a', 'b']",
                           "kind = 'shape'\narms = ['a', 'b']\nshape = 'rises'\nsplit = 'val'"}) {
    for (const bool both : {true, false}) {
      StudySummary summary = made_summary({"a", "b", "c"}, 6, [](const std::string& arm, int seed) {
        return Made{.level = 0.7 + part_of_arm(arm, 0.05 + 0.01 * seed), .slope = 0.001};
      });
      for (ArmSummary& arm : summary.arms) {
        if (!both && arm.name == "a") continue;
        arm.trials[4].result.predictions = arm.trials[1].result.predictions;
      }
      const ClaimResult r = judge_one(summary, keys);
      EXPECT_EQ(r.e1.verdict == Verdict::not_allowed, both) << keys << r.explanation;
      if (!both) continue;
      EXPECT_EQ(r.e2.verdict, Verdict::not_allowed);
      EXPECT_NE(r.e1.reason.find("seeds 1 and 4 have the same scores"), std::string::npos)
          << keys << r.e1.reason;
      EXPECT_FALSE(std::string(keys).find("shape") == std::string::npos && r.seeds_needed)
          << keys << ": planned on a training that was counted twice";
    }
  }
}

TEST(JudgeClaims, DirectionTurnsTheVerdictAndNotTheEffect) {
  const StudySummary summary =
      made_summary({"a", "b", "c"}, 6, [](const std::string& arm, int seed) {
        return Made{.level = 0.8 + part_of_arm(arm, 0.05 + 0.001 * seed)};
      });
  const std::string keys = "kind = 'difference'\nvalue = 'mean'\nsplit = 'val'\n";
  const ClaimResult up = judge_one(summary, keys + "arms = ['a', 'b']");
  const ClaimResult down = judge_one(summary, keys + "arms = ['a', 'b']\ndirection = 'lower'");
  const ClaimResult swapped = judge_one(summary, keys + "arms = ['b', 'a']");
  EXPECT_EQ(up.e1.verdict, Verdict::positive);
  EXPECT_EQ(down.e1.verdict, Verdict::negative);
  EXPECT_EQ(swapped.e1.verdict, Verdict::negative);
  EXPECT_DOUBLE_EQ(up.effect, down.effect);
  EXPECT_DOUBLE_EQ(up.low, down.low);
  EXPECT_DOUBLE_EQ(up.effect, -swapped.effect);
  EXPECT_NEAR(up.low, -swapped.high, 1e-15);
  EXPECT_DOUBLE_EQ(up.e1.p, swapped.e1.p);
}

TEST(JudgeClaims, TrendOverTheLogarithmOfASetting) {
  // 10, 100 and 1000 are equally far apart in the logarithm.
  expect_scenes("kind = 'trend'\nsetting = 'batch_size'\nvalue = 'mean'\nsplit = 'val'",
                [](const std::string& arm, double effect) {
                  return Made{.level = 0.8 + (arm == "a" ? 0 : arm == "b" ? effect / 2 : effect)};
                });
}

TEST(JudgeClaims, ATrendsEffectIsTheFittedChange) {
  // y = 0.1, 0.4, 0.2 at x = 1, 2, 3: slope 0.05, so 0.1 from the first to the last.
  const std::map<std::string, double> level{{"a", 0.1}, {"b", 0.4}, {"c", 0.2}};
  const StudySummary summary = made_summary({"a", "b", "c"}, 5, [&](const std::string& arm, int s) {
    return Made{.level = level.at(arm) + (arm == "c" ? 0.001 * s : 0)};
  });
  const ClaimResult r =
      judge_one(summary, "kind = 'trend'\nsetting = 'batch_size'\nvalue = 'mean'\nsplit = 'val'");
  EXPECT_NEAR(r.effect, 0.1 + 0.002, 1e-12);
}

TEST(JudgeClaims, OrderAgainstAllOthers) {
  expect_scenes("kind = 'order'\narms = ['a', 'b', 'c']\nvalue = 'mean'\nsplit = 'val'",
                [](const std::string& arm, double effect) {
                  return Made{.level = 0.8 + part_of_arm(arm, effect)};
                });
}

TEST(JudgeClaims, IndexOfSteadiness) {
  // The steps of a zigzag are amplitude up and amplitude down: the spread is twice that.
  expect_scenes("kind = 'index'\narms = ['a', 'b']\nmargin = 0.01",
                [](const std::string& arm, double effect) {
                  return Made{.amplitude = 0.1 + part_of_arm(arm, effect) / 2};
                });
}

TEST(JudgeClaims, AnIndexHasNoMarginUnlessItsClaimGivesOne) {
  const StudySummary summary =
      made_summary({"a", "b", "c"}, 6, [](const std::string& arm, int seed) {
        return Made{.amplitude = 0.1 + part_of_arm(arm, 0.0001 * (seed % 2 == 0 ? 1 : -1))};
      });
  const std::string keys = "kind = 'index'\narms = ['a', 'b']\n";
  EXPECT_EQ(judge_one(summary, keys).e1.verdict, Verdict::undecided);
  EXPECT_FALSE(judge_one(summary, keys).seeds_needed.has_value());
  EXPECT_EQ(judge_one(summary, keys + "margin = 0.01").e1.verdict, Verdict::no_effect);
  EXPECT_EQ(judge_one(summary, keys + "margin = 0.01").seeds_needed, 5);
}

ClaimResult shape_of(int rising, int seeds, const std::string& more = "") {
  const StudySummary summary = made_summary({"a", "b", "c"}, seeds, [&](const std::string&, int s) {
    return Made{.level = 0.5, .slope = s < rising ? 0.01 : -0.01};
  });
  return judge_one(summary, "kind = 'shape'\narms = ['a']\nshape = 'rises'\n" + more);
}

TEST(JudgeClaims, ShapeIsAnExactTestOfItsShareOfSeeds) {
  const ClaimResult all = shape_of(8, 8);
  EXPECT_EQ(all.e1.verdict, Verdict::positive);
  EXPECT_NEAR(all.e1.p, 2.0 / 256, 1e-15);
  EXPECT_EQ(all.effect, 1);
  EXPECT_NEAR(all.low, std::pow(0.025, 1.0 / 8), 1e-12);  // Clopper-Pearson with no failure
  EXPECT_EQ(all.high, 1);
  EXPECT_EQ(all.null_value, 0.5);
  EXPECT_EQ(shape_of(0, 8).e1.verdict, Verdict::negative);
  EXPECT_EQ(shape_of(4, 8).e1.verdict, Verdict::undecided);
  EXPECT_EQ(shape_of(4, 8, "margin = 0.45").e1.verdict, Verdict::no_effect);
  EXPECT_EQ(shape_of(3, 3).e1.verdict, Verdict::not_allowed);
  // 5 of 5: 2 / 2^5 is above 0.05, which no result of five seeds can reach.
  EXPECT_EQ(shape_of(5, 5).e1.verdict, Verdict::undecided);
  // At a share of 0.9 the test of 12 seeds rejects from 10 on: power 0.889; that of 11 from 10 on,
  // 0.697; that of 9 from 8 on, 0.775 (statsmodels and scipy agree).
  EXPECT_EQ(shape_of(4, 8).seeds_needed, 12);
}

TEST(JudgeClaims, GapOfValidationOverTest) {
  for (const auto& [shift, verdict] :
       std::map<double, Verdict>{// No spread and no gap in six seeds says nothing of other seeds.
                                 {0.2, Verdict::positive},
                                 {-0.2, Verdict::negative},
                                 {0.0, Verdict::undecided}}) {
    const StudySummary summary =
        made_summary({"a", "b", "c"}, 6, [&](const std::string&, int seed) {
          const double wobble = 0.005 * (seed % 2);
          return Made{.level = 0.7 - shift, .val_right = 0.7 + (shift == 0 ? 0 : wobble)};
        });
    const ClaimResult r = judge_one(summary, "kind = 'gap'\narms = ['a']");
    EXPECT_EQ(r.e1.verdict, verdict) << r.explanation;
    EXPECT_EQ(r.e2.verdict, Verdict::not_allowed);
    EXPECT_NE(r.e2.reason.find("holdout_fraction"), std::string::npos);
    EXPECT_EQ(r.headline().verdict, Verdict::not_allowed) << "nothing is borrowed from E1";
    EXPECT_NE(r.explanation.find("on these images only"), std::string::npos) << r.explanation;
    EXPECT_NEAR(r.effect, shift + (shift == 0 ? 0 : 0.0025), 1e-12);
  }
}

TEST(JudgeClaims, AllOfHoldsWhenEveryPartDoes) {
  const std::string parts =
      "kind = 'all_of'\n[[claim.part]]\nkind = 'difference'\narms = ['a', 'b']\nvalue = "
      "'mean'\nsplit = 'val'\n[[claim.part]]\nkind = 'index'\narms = ['a', 'b']\ndirection = "
      "'lower'\nmargin = 0.01\n";
  const auto verdict = [&](double level, double amplitude) {
    const StudySummary summary =
        made_summary({"a", "b", "c"}, 6, [&](const std::string& arm, int seed) {
          const double wobble = 1 + 0.1 * (seed % 3);
          return Made{.level = 0.8 + part_of_arm(arm, level * wobble),
                      .amplitude = 0.1 + part_of_arm(arm, amplitude * wobble)};
        });
    return judge_one(summary, parts);
  };
  EXPECT_EQ(verdict(0.05, -0.05).e1.verdict, Verdict::positive);
  EXPECT_EQ(verdict(0.05, 0.05).e1.verdict, Verdict::negative);
  EXPECT_EQ(verdict(-0.05, 0.05).e1.verdict, Verdict::negative);
  EXPECT_EQ(verdict(0.05, 0.0001).e1.verdict, Verdict::no_effect);
  EXPECT_EQ(verdict(0.05, -0.05).parts.size(), 2U);
  EXPECT_EQ(verdict(0.05, -0.05).e2.verdict, Verdict::not_allowed);
}

// ---- test predictions: E1 and E2 ----------------------------------------------------------------

// Every seed misses images of its own at random, arm a fewer of them.
StudySummary missing_at_random(int seeds, double a, double b, std::size_t group_size = 1) {
  return made_summary(
      {"a", "b", "c"}, seeds,
      [=](const std::string& arm, int seed) {
        RandomStream stream(static_cast<std::uint64_t>(seed), "right " + arm);
        std::vector<bool> right;
        for (std::size_t i = 0; i < kImages; ++i) {
          right.push_back(stream.uniform() < (arm == "a" ? a : b));
        }
        return Made{.test_right = [right](std::size_t i) { return right[i]; }};
      },
      group_size);
}

TEST(JudgeClaims, TestAccuracyIsJudgedOnOtherPatientsToo) {
  const StudySummary summary = missing_at_random(6, 0.95, 0.7);
  const ClaimResult r = judge_one(summary, "kind = 'difference'\narms = ['a', 'b']");
  EXPECT_EQ(r.e2.verdict, Verdict::positive) << r.explanation;
  EXPECT_TRUE(r.headline_is_e2());
  EXPECT_EQ(r.groups, kImages);

  Numbers d;
  double mean = 0;
  for (int seed = 0; seed < 6; ++seed) {
    const auto right = [&](std::size_t arm, std::size_t i) {
      const SplitPredictions& p =
          summary.arms[arm].trials[static_cast<std::size_t>(seed)].result.predictions[1];
      return (p.logits[i] > 0) == (summary.images[p.rows[i]].label == 1) ? 1.0 : 0.0;
    };
    for (std::size_t i = 0; i < kImages; ++i) d.push_back(right(0, i) - right(1, i));
  }
  for (const double v : d) mean += v / static_cast<double>(d.size());
  EXPECT_NEAR(r.effect, mean, 1e-12);
  const CrossedEstimate crossed = crossed_t({6, kImages, d});
  EXPECT_NEAR(r.e2.p, two_sided_p(crossed.estimate), 1e-12);
  EXPECT_NEAR(r.low, interval_of(crossed.estimate).low, 1e-12);
  EXPECT_NEAR(r.e2.df, crossed.estimate.df, 1e-9);
}

// Arm a is right on whole patients that b misses, in every seed the same: many images, few cases.
StudySummary by_patient(std::size_t group_size) {
  return made_summary(
      {"a", "b", "c"}, 8,
      [](const std::string& arm, int seed) {
        return Made{.test_right = [arm, seed](std::size_t i) {
          const std::size_t block = i / 50;  // 4 blocks of neighbours
          const bool few = i % 10 < static_cast<std::size_t>(seed % 3);
          return arm == "a" ? block != 3 || !few : block < 3 || few;
        }};
      },
      group_size);
}

TEST(JudgeClaims, APatientWithManyImagesIsOneCase) {
  const std::string keys = "kind = 'difference'\narms = ['a', 'b']";
  // As images of 200 patients the difference is sure; as images of 10 patients it is not, and 4 say
  // nothing of others.
  EXPECT_EQ(judge_one(by_patient(1), keys).e2.verdict, Verdict::positive);
  const ClaimResult four = judge_one(by_patient(50), keys);
  EXPECT_EQ(four.groups, 4U);
  EXPECT_EQ(four.e1.verdict, Verdict::positive);
  EXPECT_EQ(four.e2.verdict, Verdict::not_allowed) << four.explanation;
  EXPECT_NE(four.e2.reason.find("4 groups that weigh as much as 4.0"), std::string::npos)
      << four.e2.reason;
  EXPECT_NE(too_few_cases("the 12 images", 12, 11, 9.96).find("as much as 9.9 of"),
            std::string::npos)
      << "not the 10.0 that would be enough";
  const ClaimResult grouped = judge_one(by_patient(20), keys);
  EXPECT_EQ(grouped.groups, 10U);
  EXPECT_EQ(grouped.e1.verdict, Verdict::positive);
  EXPECT_EQ(grouped.e2.verdict, Verdict::undecided) << grouped.explanation;
  // More seeds do not bring more patients.
  EXPECT_FALSE(grouped.seeds_needed.has_value());
  EXPECT_TRUE(grouped.cases_needed.has_value());
  EXPECT_NE(grouped.explanation.find("more seeds cannot settle"), std::string::npos)
      << grouped.explanation;
}

TEST(JudgeClaims, EveryMetricOfPredictionsHasAnE2) {
  const StudySummary summary = missing_at_random(6, 0.95, 0.7);
  for (const char* metric : {"accuracy", "auroc", "balanced_accuracy", "sensitivity", "specificity",
                             "brier", "log_loss"}) {
    const bool less = metric == std::string("brier") || metric == std::string("log_loss");
    const ClaimResult r =
        judge_one(summary, std::string("kind = 'difference'\narms = ['a', 'b']\nmetric = '") +
                               metric + "'\ndirection = '" + (less ? "lower" : "higher") + "'");
    EXPECT_EQ(r.e2.verdict, Verdict::positive) << metric << ": " << r.explanation;
  }
}

TEST(JudgeClaims, OnlyTestAndHoldOutHaveAnE2) {
  StudySummary summary = missing_at_random(6, 0.95, 0.7);
  const ClaimResult curve =
      judge_one(summary, "kind = 'difference'\narms = ['a', 'b']\nvalue = 'mean'\nsplit = 'val'");
  EXPECT_EQ(curve.e2.verdict, Verdict::not_allowed);
  EXPECT_NE(curve.e2.reason.find("a curve is not made of predictions"), std::string::npos);
  EXPECT_FALSE(curve.headline_is_e2());
  // Validation that a seed draws anew: other rows in another seed.
  for (ArmSummary& arm : summary.arms) {
    SplitPredictions& val = arm.trials[2].result.predictions[0];
    val.rows.pop_back();
    val.logits.pop_back();
  }
  const ClaimResult drawn =
      judge_one(summary, "kind = 'difference'\narms = ['a', 'b']\nsplit = 'val'");
  EXPECT_EQ(drawn.e2.verdict, Verdict::not_allowed);
  EXPECT_EQ(drawn.e1.verdict, Verdict::not_allowed) << "no t over seeds that test other images";
  EXPECT_NE(drawn.e2.reason.find("differ between the seeds"), std::string::npos) << drawn.e2.reason;
  const ClaimResult none =
      judge_one(summary, "kind = 'difference'\narms = ['a', 'b']\nsplit = 'holdout'");
  EXPECT_EQ(none.e1.verdict, Verdict::not_allowed);
  EXPECT_NE(none.explanation.find("no hold-out was set aside"), std::string::npos);
}

TEST(JudgeClaims, ArmsScoredOnOtherImagesHaveNoVerdict) {
  // As where the one arm draws validation by image and the other by group.
  StudySummary summary = missing_at_random(6, 0.95, 0.7);
  for (TrialSummary& trial : summary.arms[1].trials) {
    trial.result.predictions[0].rows.pop_back();
    trial.result.predictions[0].logits.pop_back();
  }
  for (const char* keys : {"kind = 'difference'\narms = ['a', 'b']\nsplit = 'val'",
                           "kind = 'order'\narms = ['a', 'b', 'c']\nsplit = 'val'"}) {
    const ClaimResult r = judge_one(summary, keys);
    EXPECT_EQ(r.e1.verdict, Verdict::not_allowed);
    EXPECT_EQ(r.e2.verdict, Verdict::not_allowed);
    EXPECT_NE(r.explanation.find("scored on different images"), std::string::npos) << r.explanation;
    EXPECT_FALSE(r.seeds_needed.has_value());
  }
}

// ---- what must hold for any data ----------------------------------------------------------------

TEST(JudgeClaims, AnArmsCopyIsNeverBetter) {
  const StudySummary summary = made_summary({"a", "b", "c"}, 6, [](const std::string&, int seed) {
    return Made{.level = 0.7 + 0.01 * seed, .amplitude = 0.01 * seed};
  });
  for (const char* keys :
       {"kind = 'difference'\narms = ['a', 'b']", "kind = 'order'\narms = ['a', 'b', 'c']",
        "kind = 'index'\narms = ['a', 'b']", "kind = 'trend'\nsetting = 'batch_size'",
        "kind = 'difference'\narms = ['a', 'b']\nmetric = 'auroc'",
        "kind = 'trend'\nsetting = 'batch_size'\nvalue = 'noise_level'"}) {
    const ClaimResult r = judge_one(summary, keys);
    EXPECT_EQ(r.e1.verdict, Verdict::no_effect) << keys << ": " << r.explanation;
    EXPECT_EQ(r.e1.p, 1);
    EXPECT_EQ(r.effect, 0);
    EXPECT_EQ(r.headline().verdict, Verdict::no_effect);
  }
}

TEST(JudgeClaims, ACopyAmongTheRivalsIsEnoughForNoEffect) {
  const StudySummary summary = made_summary({"a", "b", "c"}, 6, [](const std::string& arm, int s) {
    return Made{.level = (arm == "c" ? 0.6 : 0.8) + 0.001 * s * (arm == "c" ? 1 : 2)};
  });
  const std::string keys = "kind = 'order'\nvalue = 'mean'\nsplit = 'val'\n";
  EXPECT_EQ(judge_one(summary, keys + "arms = ['a', 'b', 'c']").e1.verdict, Verdict::no_effect);
  EXPECT_EQ(judge_one(summary, keys + "arms = ['a', 'c']").e1.verdict, Verdict::positive);
  EXPECT_EQ(judge_one(summary, keys + "arms = ['c', 'a', 'b']").e1.verdict, Verdict::negative);
}

TEST(JudgeClaims, TheClaimsOfAStudyAreOneFamily) {
  const StudySummary summary = made_summary({"a", "b", "c"}, 5, [](const std::string& arm, int s) {
    const Numbers d = {0.01, 0.02, 0.03, 0.04, 0.05};
    return Made{.level = 0.5 + (arm == "a"   ? d[static_cast<std::size_t>(s)]
                                : arm == "b" ? 0
                                             : 0.004 * (s % 2))};
  });
  const std::string keys = "kind = 'difference'\nvalue = 'mean'\nsplit = 'val'\n";
  const ClaimResult alone = judge_one(summary, keys + "arms = ['a', 'b']");
  // 1 to 5: mean 3, sd 1.5811, t = 4.2426 on 4 degrees of freedom.
  EXPECT_NEAR(alone.e1.p, 0.0132356, 5e-7);
  EXPECT_EQ(alone.e1.p_holm, alone.e1.p);
  EXPECT_EQ(alone.e1.verdict, Verdict::positive);
  const auto several =
      judge_claims(summary, claims_of(claim_text(keys + "arms = ['a', 'b']", "1") +
                                      claim_text(keys + "arms = ['b', 'c']", "2") +
                                      claim_text(keys + "arms = ['c', 'b']", "3") +
                                      claim_text("kind = 'shape'\nshape = 'rises'", "4")));
  ASSERT_EQ(several.size(), 4U);
  // Four tests, and this one has the smallest p (none rises in 5 of 5 seeds: 0.0625).
  EXPECT_NEAR(several[0].e1.p_holm, 4 * alone.e1.p, 1e-12);
  EXPECT_EQ(several[0].e1.verdict, Verdict::undecided);
  EXPECT_EQ(several[0].family, 4U);
  // A claim that nobody could test does not count.
  const auto with_none = judge_claims(
      summary,
      claims_of(claim_text(keys + "arms = ['a', 'b']", "1") +
                claim_text("kind = 'difference'\nsplit = 'holdout'\narms = ['a', 'b']", "2")));
  EXPECT_NEAR(with_none[0].e1.p_holm, alone.e1.p, 1e-12);
}

TEST(JudgeClaims, AClaimWithoutE2StandsInTheFamilyOfE2WithItsE1) {
  const StudySummary summary = missing_at_random(6, 0.82, 0.8);
  const std::string test = claim_text("kind = 'difference'\narms = ['a', 'b']", "1");
  const std::string curve =
      claim_text("kind = 'difference'\narms = ['a', 'b']\nvalue = 'mean'\nsplit = 'val'", "2");
  const auto alone = judge_claims(summary, claims_of(test));
  const auto both = judge_claims(summary, claims_of(test + curve));
  EXPECT_NEAR(both[0].e2.p_holm, std::min(1.0, 2 * alone[0].e2.p), 1e-12);
}

TEST(JudgeClaims, CollapsedTrainingsAreNamedAndTheDifferenceWithoutThemStandsBeside) {
  const StudySummary summary = made_summary({"a", "b", "c"}, 6, [](const std::string& arm, int s) {
    const bool collapsed = arm == "b" && s == 2;
    return Made{.level = collapsed ? 0.5 : 0.8 + part_of_arm(arm, 0.01 + 0.001 * s),
                .collapsed = collapsed};
  });
  const ClaimResult r =
      judge_one(summary, "kind = 'difference'\narms = ['a', 'b']\nvalue = 'mean'\nsplit = 'val'");
  EXPECT_NE(r.explanation.find("1 of 6 trainings of 'b' collapsed"), std::string::npos)
      << r.explanation;
  EXPECT_EQ(r.seeds, 6U);  // kept
  ASSERT_TRUE(r.without_collapsed.has_value());
  EXPECT_EQ(r.without_collapsed->seeds, 5U);
  EXPECT_NEAR(r.without_collapsed->effect, 0.0126, 1e-12);
  EXPECT_NE(r.explanation.find("without the seeds of collapsed trainings it is +1.26 points"),
            std::string::npos)
      << r.explanation;
  EXPECT_FALSE(judge_one(summary, "kind = 'difference'\narms = ['a', 'c']").without_collapsed);
}

TEST(JudgeClaims, AnUnfinishedRunUsesTheSharedSeedsAndSaysSo) {
  StudySummary summary = made_summary({"a", "b", "c"}, 7, [](const std::string& arm, int s) {
    return Made{.level = 0.8 + part_of_arm(arm, 0.05 + 0.001 * s)};
  });
  summary.arms[1].trials.erase(summary.arms[1].trials.begin() + 3);
  summary.arms[1].missing = 1;
  const ClaimResult r =
      judge_one(summary, "kind = 'difference'\narms = ['a', 'b']\nvalue = 'mean'\nsplit = 'val'");
  EXPECT_EQ(r.seeds, 6U);
  EXPECT_EQ(r.e1.verdict, Verdict::positive);
  EXPECT_NE(r.explanation.find("'b' has not finished 1 of its seeds (3)"), std::string::npos)
      << r.explanation;
  summary.arms[1].trials.clear();
  const ClaimResult none =
      judge_one(summary, "kind = 'difference'\narms = ['a', 'b']\nvalue = 'mean'\nsplit = 'val'");
  EXPECT_EQ(none.e1.verdict, Verdict::not_allowed);
  EXPECT_EQ(none.seeds, 0U);
}

TEST(JudgeClaims, ACrossedPlanOfSeedsIsNoSetOfRepetitions) {
  StudySummary summary = made_summary({"a", "b", "c"}, 6, [](const std::string& arm, int s) {
    return Made{.level = 0.8 + part_of_arm(arm, 0.05 + 0.001 * s)};
  });
  for (ArmSummary& arm : summary.arms) {
    for (TrialSummary& t : arm.trials) t.seeds.split = static_cast<std::uint64_t>(t.seed / 2);
  }
  for (const char* keys : {"kind = 'difference'\narms = ['a', 'b']\nvalue = 'mean'\nsplit = 'val'",
                           "kind = 'difference'\narms = ['a', 'b']"}) {
    const ClaimResult r = judge_one(summary, keys);
    EXPECT_EQ(r.e1.verdict, Verdict::not_allowed);
    EXPECT_EQ(r.e2.verdict, Verdict::not_allowed);
    EXPECT_NE(r.e1.reason.find("crossed plan"), std::string::npos) << r.e1.reason;
  }
  const std::vector<Comparison> comparisons = compare_study(summary);
  ASSERT_FALSE(comparisons.empty());
  for (const Comparison& c : comparisons) {
    EXPECT_TRUE(std::isnan(c.a_greater)) << "trials that share their luck are no repetitions";
    EXPECT_EQ(c.e1.verdict, Verdict::not_allowed) << c.metric;
    EXPECT_EQ(c.e2.verdict, Verdict::not_allowed) << c.metric;
  }
}

TEST(JudgeClaims, AShareOfSeedsIsGivenFromFiveSeedsOn) {
  for (const int seeds : {2, 4, 5}) {
    for (const Comparison& c : compare_study(missing_at_random(seeds, 0.95, 0.7))) {
      EXPECT_EQ(std::isnan(c.a_greater), seeds < 5) << c.metric << ", " << seeds << " seeds";
      EXPECT_EQ(std::isnan(c.a_greater_between.low), seeds < 5);
    }
  }
}

TEST(JudgeClaims, ACurveThatIsNotFiniteHasNoIndex) {
  StudySummary summary = made_summary({"a", "b", "c"}, 6, [](const std::string& arm, int s) {
    return Made{.amplitude = 0.1 + part_of_arm(arm, 0.01 * s)};
  });
  summary.arms[0].trials[4].result.history[7].val_loss = std::nan("");
  const ClaimResult r =
      judge_one(summary, "kind = 'index'\narms = ['a', 'b']\nmetric = 'loss'\nmargin = 0.1");
  EXPECT_EQ(r.e1.verdict, Verdict::not_allowed);
  EXPECT_NE(r.e1.reason.find("of 'a' in seed 4 does not exist"), std::string::npos) << r.e1.reason;
}

TEST(JudgeClaims, OrderOfArmsAndTrialsChangesNothing) {
  StudySummary summary = missing_at_random(6, 0.85, 0.8, 4);
  const std::string keys = "kind = 'order'\narms = ['a', 'b', 'c']";
  const ClaimResult before = judge_one(summary, keys);
  std::reverse(summary.arms.begin(), summary.arms.end());
  for (ArmSummary& arm : summary.arms) std::reverse(arm.trials.begin(), arm.trials.end());
  const ClaimResult after = judge_one(summary, keys);
  EXPECT_NEAR(after.effect, before.effect, 1e-14);
  EXPECT_NEAR(after.e1.p, before.e1.p, 1e-12);
  EXPECT_NEAR(after.e2.p, before.e2.p, 1e-12);
  EXPECT_EQ(after.e2.verdict, before.e2.verdict);
}

// ---- gaps ------------------------------------------------------------------------------------

TEST(JudgeClaims, RoundingIsNoGap) {
  // The same number of images right, at other places: sums in another order.
  const StudySummary summary = made_summary({"a", "b", "c"}, 6, [](const std::string&, int) {
    return Made{.val_right = 0.8, .test_right = [](std::size_t i) { return i % 5 != 0; }};
  });
  for (const char* metric : {"log_loss", "brier", "accuracy"}) {
    const ClaimResult r =
        judge_one(summary, std::string("kind = 'gap'\narms = ['a']\nmetric = '") + metric + "'");
    EXPECT_EQ(r.effect, 0) << metric;
    EXPECT_EQ(r.e1.verdict, Verdict::undecided) << metric << ": " << r.explanation;
  }
}

TEST(JudgeClaims, AGapOfATrainingThatPredictedNothingHasNoVerdict) {
  for (const char* split : {"val", "test"}) {
    StudySummary summary = made_summary({"a", "b", "c"}, 6, [&](const std::string&, int seed) {
      return Made{.level = 0.5, .val_right = 0.7 + 0.005 * (seed % 2)};
    });
    const std::string keys = "kind = 'gap'\narms = ['a']";
    EXPECT_EQ(judge_one(summary, keys).e1.verdict, Verdict::positive);
    for (SplitPredictions& p : summary.arms[0].trials[2].result.predictions) {
      if (p.split != split) continue;
      for (float& logit : p.logits) logit = std::nanf("");
    }
    const ClaimResult r = judge_one(summary, keys);
    EXPECT_EQ(r.e1.verdict, Verdict::not_allowed) << r.explanation;
    EXPECT_NE(r.e1.reason.find("has not one finite score"), std::string::npos) << r.e1.reason;
    EXPECT_EQ(r.e2.reason, r.e1.reason);
  }
}

TEST(JudgeClaims, AGapThatPatientsLeaveOpenIsNotSettledBySeeds) {
  // Whole patients of 20 images are right or wrong, in every seed the same ones.
  StudySummary summary = made_summary(
      {"a", "b", "c"}, 6,
      [](const std::string&, int seed) {
        return Made{.val_right = 0.8 + 0.005 * (seed % 2),
                    .test_right = [](std::size_t i) { return i / 20 % 2 == 0 || i / 20 > 5; }};
      },
      20);
  const auto first = static_cast<std::uint32_t>(summary.images.size());
  for (std::size_t i = 0; i < kImages; ++i) {
    summary.images.add({"held" + std::to_string(i), "holdout",
                        "held patient" + std::to_string(i / 20),
                        static_cast<std::int64_t>(i / 20 % 2)});
  }
  for (ArmSummary& arm : summary.arms) {
    for (TrialSummary& trial : arm.trials) {
      trial.result.predictions.push_back(predicted(summary, "holdout", trial.seed, first,
                                                   [](std::size_t i) { return i / 20 % 3 != 0; }));
    }
  }
  const ClaimResult r = judge_one(summary, "kind = 'gap'\narms = ['a']\ndetect = 0.05");
  ASSERT_TRUE(r.headline_is_e2()) << r.e2.reason;
  EXPECT_EQ(r.e2.verdict, Verdict::undecided) << r.explanation;
  EXPECT_EQ(r.groups, 20U);
  EXPECT_FALSE(r.seeds_needed.has_value());
  EXPECT_GT(r.cases_needed.value_or(0), 20);
  EXPECT_NE(r.explanation.find("more seeds cannot settle"), std::string::npos) << r.explanation;
}

TEST(JudgeClaims, AReasonThatWasNotLookedAtIsNotAllowedThoughTheGapIsOpen) {
  const StudySummary summary = made_summary({"a", "b", "c"}, 6, [](const std::string&, int seed) {
    return Made{.level = 0.7, .val_right = 0.7 + 0.1 * (seed % 3) - 0.05};
  });
  const std::string keys = "kind = 'gap'\narms = ['a']";
  ASSERT_EQ(judge_one(summary, keys).e1.verdict, Verdict::undecided);
  const auto claims = claims_of(claim_text(keys + "\nbecause = 'shift'"));
  using enum Piece;
  const auto result = [&](Piece found, Piece remains, Piece clears) {
    const ShiftEvidence evidence{found, remains, clears, ""};
    return judge_claims(summary, claims, &evidence).at(0);
  };
  const ClaimResult neither = judge_claims(summary, claims).at(0);
  EXPECT_EQ(neither.e1.verdict, Verdict::not_allowed);
  EXPECT_FALSE(neither.seeds_needed.has_value());
  EXPECT_NE(neither.explanation.find("has neither"), std::string::npos) << neither.explanation;
  const ClaimResult no_control = result(holds, open, missing);
  EXPECT_EQ(no_control.e1.verdict, Verdict::not_allowed);
  EXPECT_NE(no_control.explanation.find("has no control arm ([shift] control = true)"),
            std::string::npos)
      << no_control.explanation;
  const ClaimResult no_holdout = result(missing, missing, open);
  EXPECT_NE(no_holdout.explanation.find("has no hold-out"), std::string::npos)
      << no_holdout.explanation;
  EXPECT_EQ(result(holds, holds, holds).e1.verdict, Verdict::undecided);
  EXPECT_EQ(result(holds, fails, holds).e1.verdict, Verdict::undecided);
}

// ---- the reason of a gap ------------------------------------------------------------------------

TEST(JudgeClaims, AShiftIsTheReasonOnlyWhenAllThreePiecesSaySo) {
  const StudySummary summary = made_summary({"a", "b", "c"}, 6, [](const std::string&, int seed) {
    return Made{.level = 0.7, .val_right = 0.9 + 0.005 * (seed % 2)};
  });
  const auto claims = claims_of(claim_text("kind = 'gap'\narms = ['a']\nbecause = 'shift'"));
  const auto verdict = [&](Piece found, Piece remains, Piece clears) {
    const ShiftEvidence evidence{found, remains, clears, ""};
    return judge_claims(summary, claims, &evidence).at(0).e1.verdict;
  };
  using enum Piece;
  EXPECT_EQ(judge_claims(summary, claims).at(0).e1.verdict, Verdict::not_allowed);
  EXPECT_EQ(verdict(holds, holds, holds), Verdict::positive);
  EXPECT_EQ(verdict(holds, holds, missing), Verdict::not_allowed);
  EXPECT_EQ(verdict(missing, holds, holds), Verdict::not_allowed);
  EXPECT_EQ(verdict(holds, missing, holds), Verdict::not_allowed);
  EXPECT_EQ(verdict(fails, holds, holds), Verdict::undecided);
  EXPECT_EQ(verdict(fails, holds, fails), Verdict::negative);
  EXPECT_EQ(verdict(holds, fails, holds), Verdict::negative);
  EXPECT_EQ(verdict(holds, holds, fails), Verdict::negative);
  EXPECT_EQ(verdict(holds, open, holds), Verdict::undecided);
}

}  // namespace
}  // namespace bioptic
