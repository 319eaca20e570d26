#include "bioptic/stats/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "bioptic/base/error.h"
#include "bioptic/base/random.h"
#include "bioptic/stats/descriptive_golden.h"
#include "bioptic/stats/multiclass.h"
#include "bioptic/stats/roc.h"

namespace bioptic {
namespace {

using descriptive_golden::expect_near;
using descriptive_golden::numbers;
using nlohmann::json;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void expect_proportion(const std::optional<Proportion>& got, const json& want,
                       const std::string& what) {
  ASSERT_EQ(got.has_value(), !want.is_null()) << what;
  if (!got) return;
  expect_near(got->value, want[0], what);
  expect_near(got->low, want[1], what + " low");
  expect_near(got->high, want[2], what + " high");
}

void expect_interval(const std::optional<AurocInterval>& got, const json& want,
                     const std::string& what) {
  ASSERT_EQ(got.has_value(), !want.is_null()) << what;
  if (!got) return;
  expect_near(got->variance, want["variance"], what + " variance");
  expect_near(got->low, want["low"], what + " low");
  expect_near(got->high, want["high"], what + " high");
}

void expect_calibration(const std::optional<CalibrationLine>& got, const json& want,
                        const std::string& what) {
  ASSERT_EQ(got.has_value(), !want.is_null()) << what;
  if (!got) return;
  expect_near(got->slope, want["slope"], what + " slope");
  expect_near(got->slope_low, want["slope_low"], what + " slope_low");
  expect_near(got->slope_high, want["slope_high"], what + " slope_high");
  expect_near(got->intercept, want["intercept"], what + " intercept");
  expect_near(got->in_the_large, want["in_the_large"], what + " in_the_large");
  expect_near(got->in_the_large_low, want["in_the_large_low"], what + " in_the_large_low");
  expect_near(got->in_the_large_high, want["in_the_large_high"], what + " in_the_large_high");
}

void expect_curves(const CleanSplit& c, const std::vector<int>& labels, const json& test,
                   const std::string& name) {
  const json& want = test["want"];
  const auto bins = reliability_curve(c.scores, labels, test["bins"].get<int>());
  ASSERT_EQ(bins.size(), want["reliability"]["images"].size()) << name;
  for (std::size_t b = 0; b < bins.size(); ++b) {
    EXPECT_EQ(bins[b].images, want["reliability"]["images"][b]) << name;
    expect_near(bins[b].observed, want["reliability"]["observed"][b], name + " observed");
    expect_near(bins[b].predicted, want["reliability"]["predicted"][b], name + " predicted");
    EXPECT_LE(bins[b].low, bins[b].observed);
    EXPECT_GE(bins[b].high, bins[b].observed);
  }
  const auto benefit = decision_curve(c.scores, labels, numbers(test["net_benefit_thresholds"]));
  ASSERT_EQ(benefit.size(), want["net_benefit"].size());
  for (std::size_t t = 0; t < benefit.size(); ++t) {
    expect_near(benefit[t].model, want["net_benefit"][t][0], name + " net benefit");
    expect_near(benefit[t].treat_all, want["net_benefit"][t][1], name + " treat all");
  }
  const auto points = precision_recall_curve(c.ranks, labels);
  if (!want.contains("precision_recall")) {
    EXPECT_TRUE(points.empty()) << name;
    return;
  }
  ASSERT_EQ(points.size(), want["precision_recall"][0].size()) << name;
  for (std::size_t i = 0; i < points.size(); ++i) {
    expect_near(points[i].precision, want["precision_recall"][0][i], name + " precision");
    expect_near(points[i].recall, want["precision_recall"][1][i], name + " recall");
  }
}

TEST(BinaryMetrics, AgreeWithSklearnStatsmodelsAndProc) {
  for (const json& test : descriptive_golden::part("metrics")) {
    const std::string name = test["name"];
    const json& want = test["want"];
    const std::vector<double> scores = numbers(test["scores"]);
    std::vector<double> logits;
    if (!test["logits"].is_null()) logits = numbers(test["logits"]);
    const std::vector<int> labels = test["labels"];
    std::vector<int> groups;
    if (!test["groups"].is_null()) groups = test["groups"].get<std::vector<int>>();
    const ScoredSplit split{scores, logits, labels, groups};
    const BinaryMetrics m = binary_metrics(split, test["threshold"], test["bins"]);

    EXPECT_EQ(m.images, scores.size());
    EXPECT_EQ(m.not_finite, want["not_finite"]) << name;
    EXPECT_EQ((std::vector<std::size_t>{m.true_positives, m.false_positives, m.true_negatives,
                                        m.false_negatives}),
              want["counts"].get<std::vector<std::size_t>>())
        << name;
    expect_proportion(m.accuracy, want["accuracy"], name + " accuracy");
    expect_proportion(m.sensitivity, want["sensitivity"], name + " sensitivity");
    expect_proportion(m.specificity, want["specificity"], name + " specificity");
    expect_near(m.balanced_accuracy, want["balanced_accuracy"], name + " balanced accuracy");
    expect_near(m.mcc, want["mcc"], name + " mcc");
    expect_near(m.f1, want["f1"], name + " f1");
    expect_near(m.brier, want["brier"], name + " brier");
    expect_near(m.log_loss, want["log_loss"], name + " log loss");
    expect_near(m.auroc, want["auroc"], name + " auroc");
    expect_near(m.average_precision, want["average_precision"], name + " average precision");
    expect_near(m.expected_calibration_error, want["reliability"]["error"], name + " ece");
    expect_calibration(m.calibration, want["calibration"], name);

    const CleanSplit c = clean(split);
    expect_interval(delong_interval(c.ranks, labels), want["delong"], name + " delong");
    expect_interval(auroc_jackknife(c.ranks, labels, groups), want["jackknife"],
                    name + " jackknife");
    EXPECT_EQ(m.auroc_by_jackknife, !groups.empty()) << name;
    expect_interval(m.auroc_between, want[groups.empty() ? "delong" : "jackknife"], name);
    expect_curves(c, labels, test, name);
  }
}

TEST(BinaryMetrics, TheThresholdIsStrict) {
  const std::vector<double> scores = {0.5, 0.5000001};
  const std::vector<int> labels = {0, 1};
  EXPECT_EQ(binary_metrics({scores, {}, labels, {}}).accuracy->value, 1);
}

TEST(BinaryMetrics, NoImages) {
  const BinaryMetrics m = binary_metrics({});
  EXPECT_FALSE(m.accuracy || m.auroc || m.brier || m.log_loss || m.calibration || m.mcc || m.f1 ||
               m.expected_calibration_error || m.auroc_between);
  EXPECT_TRUE(decision_curve({}, {}, {}).empty());
}

TEST(BinaryMetrics, ScoresThatAreNoProbabilitiesStillRank) {
  const std::vector<double> scores = {-3, 0.2, 2, 7};
  const std::vector<int> labels = {0, 1, 0, 1};
  const BinaryMetrics m = binary_metrics({scores, {}, labels, {}});
  EXPECT_DOUBLE_EQ(*m.auroc, 0.75);
  EXPECT_FALSE(m.brier || m.log_loss || m.calibration || m.expected_calibration_error);
}

TEST(BinaryMetrics, ScoresThatAreNotFiniteCountAsWrongWhateverTheirLabel) {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> scores = {infinity, 0.9, kNan, 0.1};
  const std::vector<int> labels = {1, 1, 0, 0};
  const BinaryMetrics m = binary_metrics({scores, {}, labels, {}});
  EXPECT_EQ(m.not_finite, 2U);
  EXPECT_EQ(m.false_negatives, 1U);
  EXPECT_EQ(m.false_positives, 1U);
  EXPECT_EQ(m.true_positives, 1U);
  EXPECT_DOUBLE_EQ(*m.auroc, 1.0 / 4);  // ranked below and above all: 0.9 over 0.1 alone
  EXPECT_DOUBLE_EQ(*m.brier, (1 + 0.01 + 1 + 0.01) / 4);
  // With the classes exchanged it is the same.
  const std::vector<int> exchanged = {0, 0, 1, 1};
  const std::vector<double> turned = {infinity, 0.1, kNan, 0.9};
  const BinaryMetrics o = binary_metrics({turned, {}, exchanged, {}});
  EXPECT_DOUBLE_EQ(o.accuracy->value, m.accuracy->value);
  EXPECT_DOUBLE_EQ(*o.auroc, *m.auroc);
  EXPECT_DOUBLE_EQ(*o.log_loss, *m.log_loss);
}

TEST(BinaryMetrics, ALossHasACeiling) {
  // probability cut to 2^-52: 52 log 2
  const std::vector<double> scores = {0};
  const std::vector<int> labels = {1};
  EXPECT_NEAR(*binary_metrics({scores, {}, labels, {}}).log_loss, 52 * std::log(2), 1e-12);
}

TEST(BinaryMetrics, OrderAndUnsharedGroupsChangeNothing) {
  RandomStream random(1, "metrics test");
  std::vector<double> scores;
  std::vector<int> labels, own_group;
  for (int i = 0; i < 50; ++i) {
    scores.push_back(std::round(random.uniform() * 20) / 20);
    labels.push_back(random.uniform() < scores.back() ? 1 : 0);
    own_group.push_back(1000 - i);
  }
  const BinaryMetrics m = binary_metrics({scores, {}, labels, own_group});
  EXPECT_FALSE(m.auroc_by_jackknife);
  const auto with = auroc_jackknife(scores, labels, own_group);
  const auto without = auroc_jackknife(scores, labels, {});
  EXPECT_NEAR(with->variance, without->variance, 1e-15);

  std::vector<double> s2(scores.rbegin(), scores.rend());
  std::vector<int> l2(labels.rbegin(), labels.rend());
  const BinaryMetrics reversed = binary_metrics({s2, {}, l2, {}});
  EXPECT_NEAR(*m.auroc, *reversed.auroc, 1e-15);
  EXPECT_NEAR(*m.average_precision, *reversed.average_precision, 1e-15);
  EXPECT_NEAR(m.calibration->slope, reversed.calibration->slope, 1e-12);
  EXPECT_NEAR(m.auroc_between->low, reversed.auroc_between->low, 1e-14);
}

TEST(BinaryMetrics, SharedGroupsWidenTheInterval) {
  // Every image three times under one group: no new information, so the jackknife over groups must
  // answer as for the single images, and DeLong must not.
  RandomStream random(2, "metrics test");
  std::vector<double> once, thrice;
  std::vector<int> labels, labels3, groups;
  for (int i = 0; i < 40; ++i) {
    once.push_back(random.normal() + i % 2);
    labels.push_back(i % 2);
    for (int k = 0; k < 3; ++k) {
      thrice.push_back(once.back());
      labels3.push_back(i % 2);
      groups.push_back(i);
    }
  }
  const auto single = auroc_jackknife(once, labels, {});
  const auto grouped = auroc_jackknife(thrice, labels3, groups);
  EXPECT_NEAR(single->variance, grouped->variance, 1e-15);
  EXPECT_LT(delong_interval(thrice, labels3)->variance, grouped->variance / 2);
}

TEST(BinaryMetrics, WrongShapesAndLabelsAreErrors) {
  const std::vector<double> scores = {0.1, 0.2};
  const std::vector<int> three = {0, 1, 1}, two = {0, 2};
  EXPECT_THROW(binary_metrics({scores, {}, three, {}}), InputError);
  EXPECT_THROW(binary_metrics({scores, {}, two, {}}), InputError);
  const std::vector<int> fine = {0, 1};
  EXPECT_THROW(decision_curve(scores, fine, std::vector<double>{1}), InputError);
  EXPECT_THROW(reliability_curve(scores, fine, 0), InputError);
}

TEST(CalibrationLine, RecoversAHugeSlopeWithoutLosingTheMaximum) {
  // Nearly separable on a large scale; a pole for a Newton's method that does not halve its steps.
  const std::vector<double> logits = {-35, -30, -20, -1, 1, 2, 20, 33};
  const std::vector<int> labels = {0, 0, 0, 1, 0, 1, 1, 1};
  const auto line = calibration_line(logits, labels);
  ASSERT_TRUE(line);
  double ga = 0, gb = 0;  // the score equations hold
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double p = 1 / (1 + std::exp(-(line->intercept + line->slope * logits[i])));
    ga += labels[i] - p;
    gb += (labels[i] - p) * logits[i];
  }
  EXPECT_NEAR(ga, 0, 1e-9);
  EXPECT_NEAR(gb, 0, 1e-8);
}

TEST(CalibrationLine, UndefinedWhereTheScoreIsConstant) {
  // The same images each time, their logits around 0.4 in a range that says nothing: exactly
  // constant, off by a rounding of double and of float, and a training that collapsed.
  for (const double range : {0.0, 1e-16, 1e-7, 1e-3, 0.009}) {
    std::vector<double> logits;
    std::vector<int> labels;
    for (int i = 0; i < 60; ++i) {
      logits.push_back(0.4 + range * (i % 7) / 6);
      labels.push_back(i % 7 < 3 ? i % 2 : (i + 1) % 3 % 2);
    }
    EXPECT_FALSE(calibration_line(logits, labels)) << range;
    // What the mean says is defined all the same.
    EXPECT_TRUE(log_loss(logits, labels));
    const std::vector<double> constant(60, 0.25);
    double hits = 0;
    for (const int label : labels) hits += label;
    EXPECT_NEAR(*expected_calibration_error(constant, labels), std::abs(hits / 60 - 0.25), 1e-12);
  }
  const std::vector<double> wide = {0.4, 0.42, 0.4, 0.42};
  const std::vector<int> both = {0, 0, 1, 1};
  EXPECT_TRUE(calibration_line(wide, both));
}

TEST(CalibrationLine, OfTwoScoresIsTheLineThroughTheirShares) {
  // 3 of 10 and 8 of 12 positive: the fit is exact.
  std::vector<double> logits;
  std::vector<int> labels;
  for (int i = 0; i < 22; ++i) {
    logits.push_back(i < 10 ? -1 : 2);
    labels.push_back(i < 3 || (i >= 10 && i < 18) ? 1 : 0);
  }
  const auto line = calibration_line(logits, labels);
  ASSERT_TRUE(line);
  const double low = std::log(3.0 / 7), high = std::log(8.0 / 4);
  EXPECT_NEAR(line->slope, (high - low) / 3, 1e-12);
  EXPECT_NEAR(line->intercept, high - 2 * line->slope, 1e-12);
  // All positives at one of the two: no finite maximum.
  for (int i = 0; i < 3; ++i) labels[static_cast<std::size_t>(i)] = 0;
  EXPECT_FALSE(calibration_line(logits, labels));
}

TEST(Multiclass, AgreesWithSklearn) {
  for (const json& test : descriptive_golden::part("multiclass")) {
    const std::string name = test["name"];
    const json& want = test["want"];
    const std::vector<int> labels = test["labels"];
    const auto m = multiclass_metrics(numbers(test["scores"]), labels, test["classes"]);
    EXPECT_EQ(m.confusion, want["confusion"].get<std::vector<std::size_t>>()) << name;
    expect_proportion(m.accuracy, want["accuracy"], name);
    expect_near(m.balanced_accuracy, want["balanced_accuracy"], name);
    for (std::size_t k = 0; k < m.auroc.size(); ++k) {
      expect_near(m.auroc[k], want["auroc"][k], name + " class " + std::to_string(k));
    }
    expect_near(m.macro_auroc, want["macro_auroc"], name);
  }
}

TEST(Multiclass, AbsentClassAndScoresNotFinite) {
  const std::vector<double> scores = {0.2, 0.5, 0.3, kNan, 0.5, 0.5, 0.1, 0.8, 0.1};
  const auto m = multiclass_metrics(scores, std::vector<int>{0, 0, 1}, 3);
  EXPECT_EQ(m.not_finite, 1U);
  EXPECT_EQ(m.confusion, (std::vector<std::size_t>{0, 2, 0, 0, 1, 0, 0, 0, 0}));
  EXPECT_FALSE(m.auroc[2] || m.macro_auroc || m.balanced_accuracy);
  EXPECT_DOUBLE_EQ(*m.auroc[0], 0.5);  // one of the two is not finite and ranked last
  EXPECT_THROW(multiclass_metrics(scores, std::vector<int>{0, 0, 3}, 3), InputError);
  EXPECT_THROW(multiclass_metrics(scores, std::vector<int>{0, 0}, 3), InputError);
}

}  // namespace
}  // namespace bioptic
