// Properties of comparisons that must hold for any data, and the degenerate cases.
#include "bioptic/study/compare_arms.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "bioptic/base/random.h"
#include "bioptic/stats/power.h"
#include "bioptic/study/comparison_sentence.h"
#include "bioptic/study/needed.h"

namespace bioptic {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// One row of a file of predictions, two classes.
struct Row {
  std::string arm;
  int seed = 0;
  std::string image;
  std::size_t label = 0;
  std::string group;
  double logit = 0;
  bool collapsed = false;
};

// Rows in any order; arms in the order of their first row.
PredictionTable table_of(const std::vector<Row>& rows, const std::vector<std::string>& arms) {
  PredictionTable table;
  table.split = "test";
  table.classes = {"healthy", "sick"};
  std::vector<std::string> groups;
  for (const std::string& name : arms) table.arms.push_back({name, {}});
  for (const Row& row : rows) {
    std::size_t image = 0;
    while (image < table.images.size() && table.images[image].id != row.image) ++image;
    if (image == table.images.size()) {
      table.images.push_back({row.image, row.label, 0});
      groups.push_back(row.group);
    }
    auto& arm = *std::find_if(table.arms.begin(), table.arms.end(),
                              [&](const PredictedArm& a) { return a.name == row.arm; });
    auto trial = std::find_if(arm.trials.begin(), arm.trials.end(),
                              [&](const PredictedTrial& t) { return t.seed == row.seed; });
    if (trial == arm.trials.end()) {
      arm.trials.emplace_back().seed = row.seed;
      trial = arm.trials.end() - 1;
    }
    trial->collapsed = row.collapsed;
    trial->images.push_back(image);
    add_binary(*trial, 1, row.label, 1 / (1 + std::exp(-row.logit)), row.logit, 0.5);
  }
  put_in_order(table, groups);
  return table;
}

struct Made {
  int seeds = 6;
  std::size_t groups = 40, size = 2;  // images in each group
  double effect = 0.4;                // of arm b's logits' slope
};

// Arms a and b (and c, of a's law): labels, a part that all seeds share, seeds, noise.
std::vector<Row> make(const Made& m, const std::vector<std::string>& arms = {"a", "b", "c"}) {
  RandomStream stream(11, "comparisons");
  std::vector<Row> rows;
  std::vector<double> of_group;
  for (std::size_t g = 0; g < m.groups; ++g) of_group.push_back(stream.normal());
  for (std::size_t a = 0; a < arms.size(); ++a) {
    for (int seed = 0; seed < m.seeds; ++seed) {
      const double of_seed = 0.3 * stream.normal();
      for (std::size_t i = 0; i < m.groups * m.size; ++i) {
        const std::size_t g = i / m.size, label = g % 2;
        const double slope = 1 + (a == 1 ? m.effect : 0);
        const double logit =
            (label == 1 ? slope : -slope) + of_group[g] + of_seed + 0.7 * stream.normal();
        rows.push_back({arms[a], seed, "image" + std::to_string(i), label,
                        m.size == 1 ? "" : "patient" + std::to_string(g), logit, false});
      }
    }
  }
  return rows;
}

// Every number and word of a comparison but the sentence, for "nothing else changes".
void expect_same(const Comparison& x, const Comparison& y) {
  const auto same = [](double p, double q) {
    EXPECT_TRUE(p == q || (std::isnan(p) && std::isnan(q))) << p << " " << q;
  };
  const auto judged = [&](const JudgedEvidence& p, const JudgedEvidence& q) {
    EXPECT_EQ(p.verdict, q.verdict);
    EXPECT_EQ(p.reason, q.reason);
    same(p.p, q.p);
    same(p.p_holm, q.p_holm);
    same(p.low, q.low);
    same(p.high, q.high);
    same(p.df, q.df);
    same(p.equivalence_p, q.equivalence_p);
  };
  EXPECT_EQ(x.metric, y.metric);
  same(x.difference, y.difference);
  EXPECT_EQ(x.seeds, y.seeds);
  EXPECT_EQ(x.images, y.images);
  EXPECT_EQ(x.groups, y.groups);
  judged(x.e1, y.e1);
  judged(x.e2, y.e2);
  same(x.sign_flip_p, y.sign_flip_p);
  ASSERT_EQ(x.bootstrap.has_value(), y.bootstrap.has_value());
  if (x.bootstrap) {
    same(x.bootstrap->low, y.bootstrap->low);
    same(x.bootstrap->high, y.bootstrap->high);
  }
  same(x.a_greater, y.a_greater);
  same(x.a_greater_between.low, y.a_greater_between.low);
  EXPECT_EQ(x.seeds_needed, y.seeds_needed);
  EXPECT_EQ(x.cases_needed, y.cases_needed);
}

const std::vector<std::string> kArms = {"a", "b", "c"};

TEST(Comparisons, EveryPairByEveryMetricAccuracyFirst) {
  const std::vector<Comparison> all = compare_arms(table_of(make({}), kArms), {});
  ASSERT_EQ(all.size(), 3U * 7U);
  EXPECT_EQ(all[0].metric, "accuracy");
  EXPECT_EQ(all[1].a, "a");
  EXPECT_EQ(all[1].b, "c");
  EXPECT_EQ(all[3].metric, "auroc");
  for (const Comparison& c : all) {
    EXPECT_NE(c.e1.verdict, Verdict::not_allowed) << c.metric << c.e1.reason;
    EXPECT_NE(c.e2.verdict, Verdict::not_allowed) << c.metric << c.e2.reason;
    EXPECT_GE(c.e2.high, c.difference);
    EXPECT_LE(c.e2.low, c.difference);
    EXPECT_GT(c.e2.p, 0);
    const bool half = c.metric == "sensitivity" || c.metric == "specificity";
    EXPECT_EQ(c.images, half ? 40U : 80U);
    EXPECT_EQ(c.groups, half ? 20U : 40U);
  }
}

TEST(Comparisons, SwappingArmsFlipsSignsAndNothingElse) {
  for (const int seeds : {6, 12}) {
    const std::vector<Row> rows = make({seeds, 40, 2, 0.4}, {"a", "b"});
    const auto one = compare_arms(table_of(rows, {"a", "b"}), {});
    const auto other = compare_arms(table_of(rows, {"b", "a"}), {});
    ASSERT_EQ(one.size(), other.size());
    for (std::size_t k = 0; k < one.size(); ++k) {
      const Comparison &x = one[k], &y = other[k];
      EXPECT_EQ(x.difference, -y.difference);
      for (const auto& [p, q] : {std::pair(x.e1, y.e1), std::pair(x.e2, y.e2)}) {
        EXPECT_EQ(p.verdict == Verdict::positive, q.verdict == Verdict::negative);
        EXPECT_EQ(p.verdict == Verdict::negative, q.verdict == Verdict::positive);
        EXPECT_EQ(p.verdict == Verdict::no_effect, q.verdict == Verdict::no_effect);
        EXPECT_NEAR(p.p, q.p, 1e-12);
        EXPECT_NEAR(p.low, -q.high, 1e-12);
        EXPECT_NEAR(p.high, -q.low, 1e-12);
        EXPECT_NEAR(p.df, q.df, 1e-9 * p.df);
      }
      EXPECT_NEAR(x.a_greater, 1 - y.a_greater, 1e-15);
      EXPECT_NEAR(x.a_greater_between.low, 1 - y.a_greater_between.high, 1e-12);
      EXPECT_EQ(x.sign_flip_p, y.sign_flip_p);
      EXPECT_EQ(x.seeds_needed, y.seeds_needed);
      EXPECT_EQ(x.cases_needed, y.cases_needed);
      ASSERT_EQ(x.bootstrap.has_value(), y.bootstrap.has_value());
      EXPECT_EQ(x.bootstrap.has_value(), seeds >= 10 && x.metric == "accuracy");
      if (x.bootstrap) {
        EXPECT_NEAR(x.bootstrap->low, -y.bootstrap->high, 1e-12);
      }
    }
  }
}

TEST(Comparisons, TheOrderOfSeedsAndImagesChangesNothing) {
  std::vector<Row> rows = make({12, 20, 3, 0.4});
  const auto one = compare_arms(table_of(rows, kArms), {});
  RandomStream stream(3, "order of rows");
  stream.shuffle(std::span(rows));
  const auto other = compare_arms(table_of(rows, kArms), {});
  ASSERT_EQ(one.size(), other.size());
  for (std::size_t k = 0; k < one.size(); ++k) expect_same(one[k], other[k]);
}

TEST(Comparisons, EachImageItsOwnGroupIsTheUngroupedResult) {
  std::vector<Row> rows = make({6, 40, 1, 0.4});
  const auto without = compare_arms(table_of(rows, kArms), {});
  for (Row& row : rows) row.group = "of " + row.image;
  const auto with = compare_arms(table_of(rows, kArms), {});
  for (std::size_t k = 0; k < without.size(); ++k) expect_same(without[k], with[k]);
}

TEST(Comparisons, GroupsWidenTheIntervalOfOtherCases) {
  std::vector<Row> rows = make({6, 20, 6, 0.4});
  const Comparison grouped = compare_arms(table_of(rows, kArms), {})[0];
  for (Row& row : rows) row.group = "";
  const Comparison alone = compare_arms(table_of(rows, kArms), {})[0];
  EXPECT_EQ(grouped.groups, 20U);
  EXPECT_EQ(alone.groups, 120U);
  EXPECT_EQ(grouped.difference, alone.difference);
  EXPECT_EQ(grouped.e1.p, alone.e1.p);
  EXPECT_NE(grouped.e2.p, alone.e2.p);
}

TEST(Comparisons, ACopyOfAnArmHasNoEffectWhateverTheMargin) {
  std::vector<Row> rows = make({5, 30, 2, 0}, {"a"});
  std::vector<Row> copy = rows;
  for (Row& row : copy) row.arm = "copy";
  rows.insert(rows.end(), copy.begin(), copy.end());
  for (const double margin : {0.0, 0.01}) {
    for (const Comparison& c : compare_arms(table_of(rows, {"a", "copy"}), {margin, 0.02})) {
      EXPECT_EQ(c.e1.verdict, Verdict::no_effect) << c.metric;
      EXPECT_EQ(c.e2.verdict, Verdict::no_effect) << c.metric;
      EXPECT_EQ(c.e2.p, 1);
      EXPECT_EQ(c.difference, 0);
      EXPECT_EQ(c.a_greater, 0.5);
    }
  }
}

// A strong effect is found, in the right direction also where less is better.
TEST(Comparisons, TheCorrectionCountsThePairsThatWereTested) {
  std::vector<Row> rows = make({6, 40, 2, 0.05});
  const std::vector<Comparison> three = compare_arms(table_of(rows, kArms), {0, 0.02});
  EXPECT_EQ(three[0].e2.family, 3U);
  EXPECT_NE(three[0].explanation.find("corrected for 3 pairs"), std::string::npos);
  EXPECT_NE(three[0].explanation.find("at level 0.05 / 3"), std::string::npos)
      << three[0].explanation;
  std::erase_if(rows, [](const Row& row) { return row.arm == "c" && row.seed > 0; });
  const std::vector<Comparison> one = compare_arms(table_of(rows, kArms), {0, 0.02});
  EXPECT_EQ(one[0].e2.family, 1U);
  EXPECT_EQ(one[0].e2.p, one[0].e2.p_holm);
  EXPECT_EQ(one[0].explanation.find("corrected"), std::string::npos) << one[0].explanation;
  EXPECT_EQ(one[0].explanation.find("at level"), std::string::npos) << one[0].explanation;
  EXPECT_NE(one[1].explanation.find("one seed"), std::string::npos);
  ASSERT_TRUE(three[0].cases_needed && one[0].cases_needed);
  EXPECT_GT(std::pair(three[0].cases_needed_seeds, three[0].cases_needed),
            std::pair(one[0].cases_needed_seeds, one[0].cases_needed));
}

TEST(Comparisons, BetterMeansLessForLosses) {
  for (const Comparison& c :
       compare_arms(table_of(make({8, 150, 1, 2}, {"a", "b"}), {"a", "b"}), {})) {
    if (c.metric == "sensitivity" || c.metric == "specificity") continue;
    EXPECT_EQ(c.e2.verdict, Verdict::negative) << c.metric << " " << c.explanation;
    const bool loss = c.metric == "brier" || c.metric == "log_loss";
    EXPECT_EQ(c.difference > 0, loss) << c.metric;
    EXPECT_EQ(c.e2.low > 0, loss);
    EXPECT_LT(c.a_greater, 0.5);
    EXPECT_EQ(std::isnan(c.e2.equivalence_p), loss) << "a margin in points is not one in a loss";
    EXPECT_EQ(c.seeds_needed.has_value() || c.cases_needed.has_value(), !loss);
  }
}

TEST(Comparisons, OneSeedGivesNoVerdictAndSaysWhy) {
  for (const Comparison& c : compare_arms(table_of(make({1, 40, 2, 0.4}), kArms), {})) {
    EXPECT_EQ(c.e1.verdict, Verdict::not_allowed);
    EXPECT_EQ(c.e2.verdict, Verdict::not_allowed);
    EXPECT_NE(c.e2.reason.find("one seed"), std::string::npos);
    EXPECT_TRUE(std::isnan(c.e1.p));
    EXPECT_TRUE(std::isfinite(c.difference));
    EXPECT_FALSE(c.seeds_needed);
  }
  const auto four = compare_arms(table_of(make({4, 40, 2, 0.4}), kArms), {});
  EXPECT_EQ(four[0].e1.verdict, Verdict::not_allowed);
  EXPECT_TRUE(four[0].seeds_needed || four[0].cases_needed) << "a plan needs no verdict";
}

TEST(Comparisons, AClassThatIsAbsentLeavesTheAreaUndefined) {
  std::vector<Row> rows = make({});
  for (Row& row : rows) row.label = 0;
  for (const Comparison& c : compare_arms(table_of(rows, kArms), {})) {
    const bool defined = c.metric == "accuracy" || c.metric == "specificity" ||
                         c.metric == "brier" || c.metric == "log_loss";
    EXPECT_EQ(std::isfinite(c.difference), defined) << c.metric;
    EXPECT_EQ(c.e1.verdict == Verdict::not_allowed, !defined) << c.metric;
    EXPECT_EQ(c.e2.verdict == Verdict::not_allowed, !defined) << c.metric;
  }
}

TEST(Comparisons, OneGroupThatHoldsAClassHasNoOtherCases) {
  std::vector<Row> rows = make({});
  for (Row& row : rows) {
    if (row.label == 1) row.group = "the only patient";
  }
  for (const Comparison& c : compare_arms(table_of(rows, kArms), {})) {
    EXPECT_NE(c.e1.verdict, Verdict::not_allowed) << c.metric;
    if (c.metric == "specificity") {
      EXPECT_NE(c.e2.verdict, Verdict::not_allowed) << c.e2.reason;
    } else {
      EXPECT_EQ(c.e2.verdict, Verdict::not_allowed) << c.metric;
      EXPECT_FALSE(c.e2.reason.empty());
    }
  }
}

// 9 patients of a class are too few for what looks at it, 10 are enough; what does not look at it
// is as it was.
TEST(Comparisons, FewPatientsOfAClassSpeakForNoOthers) {
  for (const int patients : {9, 10}) {
    std::vector<Row> rows = make({6, 60, 2, 0.4});
    for (Row& row : rows) {
      const int pair = std::stoi(row.image.substr(5)) / 4;  // 0 .. 29, of sick images
      if (row.label == 1) row.group = "sick" + std::to_string(pair % patients);
    }
    for (const Comparison& c : compare_arms(table_of(rows, kArms), {})) {
      const bool sick =
          c.metric == "auroc" || c.metric == "balanced_accuracy" || c.metric == "sensitivity";
      EXPECT_EQ(c.e2.verdict == Verdict::not_allowed, sick && patients == 9) << c.metric;
      EXPECT_NE(c.e1.verdict, Verdict::not_allowed) << c.metric;
      if (!sick || patients != 9) continue;
      EXPECT_NE(c.e2.reason.find("of class 'sick' are of 9 groups"), std::string::npos)
          << c.e2.reason;
      EXPECT_NE(c.e2.reason.find("at least 10"), std::string::npos) << c.e2.reason;
      // The headline is not allowed, too: nothing is borrowed from E1, which stands beside it.
      EXPECT_EQ(c.headline().verdict, Verdict::not_allowed);
      EXPECT_TRUE(c.explanation.starts_with("No verdict on")) << c.explanation;
      EXPECT_NE(c.explanation.find("On these images only"), std::string::npos) << c.explanation;
      EXPECT_FALSE(c.cases_needed) << "a plan by too few cases";
    }
  }
}

// A study that declared to ask of other seeds alone has its headline there, in those words.
TEST(Comparisons, AStudyMayAskOfOtherSeedsAlone) {
  std::vector<Row> rows = make({6, 60, 2, 0.4});
  for (Row& row : rows) {
    if (row.label == 1) row.group = "one patient";
  }
  CompareOptions options;
  options.inference = Inference::seeds;
  for (const Comparison& c : compare_arms(table_of(rows, kArms), options)) {
    EXPECT_FALSE(c.headline_is_e2());
    EXPECT_EQ(&c.headline(), &c.e1);
    if (c.e1.verdict == Verdict::not_allowed) continue;
    EXPECT_NE(c.explanation.find("on these images only"), std::string::npos) << c.explanation;
  }
}

TEST(Comparisons, FewLargePatientsAreFewHoweverManyOthers) {
  std::vector<Row> rows = make({6, 60, 2, 0.4});
  for (Row& row : rows) {
    const int image = std::stoi(row.image.substr(5));
    row.group = image < 80 ? "large" + std::to_string(image / 40) : "";
  }
  const Comparison few = compare_arms(table_of(rows, kArms), {})[0];
  EXPECT_EQ(few.groups, 42U);
  EXPECT_EQ(few.e2.verdict, Verdict::not_allowed);
  EXPECT_NE(few.e2.reason.find("42 groups that weigh as much as 4.4 of equal size"),
            std::string::npos)
      << few.e2.reason;
  // Fewer images in the large ones: a verdict, with the degrees of freedom of those.
  for (Row& row : rows) {
    const int image = std::stoi(row.image.substr(5));
    row.group = image < 40 ? "large" + std::to_string(image / 20) : "";
  }
  const Comparison some = compare_arms(table_of(rows, kArms), {})[0];
  EXPECT_NE(some.e2.verdict, Verdict::not_allowed) << some.e2.reason;
  EXPECT_EQ(some.e2.df, 4);
}

TEST(Comparisons, AFewImagesSpeakForNoOthers) {
  for (const Comparison& c : compare_arms(table_of(make({6, 8, 1, 0.4}), kArms), {})) {
    EXPECT_EQ(c.e2.verdict, Verdict::not_allowed) << c.metric;
    if (c.metric == "accuracy") {
      EXPECT_NE(c.e2.reason.find("the 8 images are too few"), std::string::npos) << c.e2.reason;
    }
  }
}

// Two arms that are far apart: what is said of them stays within the metric's scale.
TEST(Comparisons, IntervalsStayWithinTheScale) {
  std::vector<Row> rows;
  for (const char* arm : {"a", "b"}) {
    for (int seed = 0; seed < 5; ++seed) {
      for (int i = 0; i < 24; ++i) {
        const bool right = std::string(arm) == "a" || (seed < 1 && i % 3 != seed);
        const int label = i % 2;
        const double size = 3 + 0.1 * seed + 0.01 * i;
        rows.push_back({arm, seed, "image" + std::to_string(i), static_cast<std::size_t>(label), "",
                        right == (label == 1) ? size : -size, false});
      }
    }
  }
  bool reached = false;
  for (const Comparison& c : compare_arms(table_of(rows, {"a", "b"}), {})) {
    if (c.metric == "log_loss") continue;
    for (const JudgedEvidence& e : {c.e1, c.e2}) {
      if (std::isnan(e.low)) continue;
      EXPECT_GE(e.low, -1) << c.metric;
      EXPECT_LE(e.high, 1) << c.metric;
      reached = reached || e.high == 1;
    }
  }
  EXPECT_TRUE(reached) << "no interval would have gone beyond";
}

// As a validation split that each seed draws anew.
// Seeds that each miss an image of their own are neither folds nor splits: rows are missing.
TEST(Comparisons, OtherImagesInEachSeedThatAreNoSplitsAllowNothing) {
  std::vector<Row> rows = make({});
  std::erase_if(rows,
                [](const Row& row) { return row.image == "image" + std::to_string(2 * row.seed); });
  for (const Comparison& c : compare_arms(table_of(rows, kArms), {})) {
    EXPECT_EQ(c.e1.verdict, Verdict::not_allowed) << c.metric;
    EXPECT_EQ(c.e2.verdict, Verdict::not_allowed) << c.metric;
    EXPECT_NE(c.e2.reason.find("differ between the seeds"), std::string::npos) << c.e2.reason;
    EXPECT_FALSE(c.seeds_needed) << "no number of seeds brings the rows back";
  }
}

// Five folds of 60 images, dealt anew in each of `repetitions`.
std::vector<Row> folds(int repetitions) {
  std::vector<Row> rows = make({5 * repetitions, 60, 1, 2}, {"a", "b"});
  std::vector<std::vector<int>> fold_of(static_cast<std::size_t>(repetitions));
  for (int r = 0; r < repetitions; ++r) {
    std::vector<int> order(60);
    std::iota(order.begin(), order.end(), 0);
    RandomStream stream(static_cast<std::uint64_t>(r), "folds");
    for (std::size_t i = 59; i > 0; --i) std::swap(order[i], order[stream.below(i + 1)]);
    std::vector<int>& of = fold_of[static_cast<std::size_t>(r)];
    of.resize(60);
    for (std::size_t i = 0; i < 60; ++i)
      of[static_cast<std::size_t>(order[i])] = static_cast<int>(i) / 12;
  }
  std::erase_if(rows, [&](const Row& row) {
    const auto image = static_cast<std::size_t>(std::stoi(row.image.substr(5)));
    return fold_of[static_cast<std::size_t>(row.seed / 5)][image] != row.seed % 5;
  });
  return rows;
}

TEST(Comparisons, RepeatedFoldsAreJudgedAsFoldsAndOneCrossValidationNot) {
  const Comparison once = compare_arms(table_of(folds(1), {"a", "b"}), {})[0];
  EXPECT_EQ(once.headline().verdict, Verdict::not_allowed);
  EXPECT_NE(once.explanation.find("5-fold cross-validation, once"), std::string::npos)
      << once.explanation;
  EXPECT_EQ(once.explanation.find("On these images only"), std::string::npos)
      << "the t over folds stands nowhere: " << once.explanation;
  const Comparison many = compare_arms(table_of(folds(6), {"a", "b"}), {})[0];
  EXPECT_EQ(many.headline().verdict, Verdict::negative) << many.explanation;
  EXPECT_NE(many.explanation.find(
                "for other splits of this kind (5-fold cross-validation, repeated 6 times)"),
            std::string::npos)
      << many.explanation;
  EXPECT_TRUE(std::isnan(many.sign_flip_p));
  EXPECT_EQ(many.e1.verdict, Verdict::not_allowed) << "nothing stays that could be repeated";
  EXPECT_FALSE(many.seeds_needed) << "no number of repetitions is planned";
  EXPECT_NEAR(many.e2.smallest_margin, 1 - std::pow(0.05, 1.0 / 60), 1e-12)
      << "60 images show no more over folds than over seeds";
  EXPECT_NEAR(many.mean_a - many.mean_b, many.difference, 1e-12);
}

TEST(Comparisons, OtherImagesInAnArmAllowNothing) {
  std::vector<Row> rows = make({});
  std::erase_if(rows, [](const Row& row) {
    return row.arm == "b" && row.seed == 3 && row.image == "image7";
  });
  const auto all = compare_arms(table_of(rows, kArms), {});
  EXPECT_EQ(all[0].e1.verdict, Verdict::not_allowed);
  EXPECT_NE(all[0].e1.reason.find("seed 3"), std::string::npos);
}

TEST(Comparisons, UseTheSeedsThatTheTwoArmsShare) {
  std::vector<Row> rows = make({7, 30, 2, 0.4});
  std::erase_if(rows, [](const Row& row) { return row.arm == "b" && row.seed == 2; });
  const auto all = compare_arms(table_of(rows, kArms), {});
  EXPECT_EQ(all[0].seeds, 6U);
  EXPECT_EQ(all[1].seeds, 7U);
}

// A difference that is the same in every seed, up to rounding, has nothing to be tested against.
TEST(Comparisons, TheSameDifferenceInEverySeedIsNotTested) {
  std::vector<Row> rows;
  for (int seed = 0; seed < 6; ++seed) {
    for (int i = 0; i < 70; ++i) {
      // Of b always 7 more are wrong; how many of a, and which, depends on the seed.
      const std::string name = "image" + std::to_string(i);
      const int turned = (i + 11 * seed) % 70;
      const double sign = i % 2 == 0 ? -1 : 1;
      const auto label = static_cast<std::size_t>(i % 2);
      rows.push_back({"a", seed, name, label, "", turned < 1 + seed ? -sign : sign, false});
      rows.push_back({"b", seed, name, label, "", turned < 8 + seed ? -sign : sign, false});
    }
  }
  const Comparison c = compare_arms(table_of(rows, {"a", "b"}), {})[0];
  EXPECT_NEAR(c.difference, 0.1, 1e-12);
  EXPECT_EQ(c.e1.verdict, Verdict::not_allowed);
  EXPECT_NE(c.e1.reason.find("variance of zero"), std::string::npos) << c.e1.reason;
  EXPECT_TRUE(std::isnan(c.e1.p));
}

// One training that stands in the file under two seeds is one.
TEST(Comparisons, ARepeatedTrainingIsNoOtherSeed) {
  for (const bool both : {true, false}) {
    std::vector<Row> rows = make({6, 40, 2, 0.4}, {"a", "b"});
    std::map<std::string, double> of_seed_2;  // by arm and image
    for (const Row& row : rows) {
      if (row.seed == 2) of_seed_2[row.arm + row.image] = row.logit;
    }
    for (Row& row : rows) {
      if (row.seed == 5 && (both || row.arm == "b")) {
        row.logit = of_seed_2[row.arm + row.image] + 1e-8;
      }
    }
    for (const Comparison& c : compare_arms(table_of(rows, {"a", "b"}), {})) {
      EXPECT_EQ(c.e1.verdict == Verdict::not_allowed, both) << c.metric << c.e1.reason;
      EXPECT_EQ(c.e2.verdict == Verdict::not_allowed, both) << c.metric << c.e2.reason;
      EXPECT_EQ(std::isnan(c.a_greater), both);
      EXPECT_TRUE(std::isfinite(c.difference));
      if (!both) continue;
      EXPECT_NE(c.explanation.find("seeds 2 and 5 have the same scores in both arms"),
                std::string::npos)
          << c.explanation;
      EXPECT_FALSE(c.seeds_needed || c.cases_needed);
    }
  }
}

TEST(Comparisons, CollapsedTrialsAreCountedAndTheRestShownBeside) {
  std::vector<Row> rows = make({8, 30, 2, 0}, {"a", "b"});
  for (Row& row : rows) {
    if (row.arm != "b" || row.seed > 2) continue;
    row.logit = -1;
    row.collapsed = true;
  }
  const Comparison c = compare_arms(table_of(rows, {"a", "b"}), {})[0];
  EXPECT_EQ(c.collapsed_a, 0);
  EXPECT_EQ(c.collapsed_b, 3);
  EXPECT_EQ(c.seeds, 8U);
  ASSERT_TRUE(c.without_collapsed);
  EXPECT_EQ(c.without_collapsed->seeds, 5U);
  EXPECT_LT(c.without_collapsed->difference, c.difference);
  EXPECT_NE(c.explanation.find("3 of 8 trainings of b collapsed"), std::string::npos);
  EXPECT_NE(c.explanation.find("Without"), std::string::npos);
}

TEST(Comparisons, AScoreThatIsNotFiniteIsWrongWhateverItsLabel) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const std::size_t positive : {0U, 1U}) {
    PredictedTrial trial;
    for (const std::size_t label : {0U, 1U}) {
      add_binary(trial, positive, label, kNan, std::nullopt, 0.5);
      add_binary(trial, positive, label, 0.9, kNan, 0.5);
    }
    add_binary(trial, positive, positive, 0.5, std::nullopt, 0.5);
    EXPECT_EQ(trial.not_finite, 4U);
    EXPECT_EQ(trial.predicted, (std::vector<std::size_t>{1, 1, 0, 0, 1 - positive}));
    for (std::size_t i = 0; i < 4; ++i) {
      const bool up = (i / 2) != positive;  // a negative one is ranked above all
      EXPECT_EQ(trial.ranks[i], up ? kInfinity : -kInfinity);
      EXPECT_EQ(trial.scores[i], up ? 1 : 0);
    }
  }
  PredictedTrial many;
  for (const std::size_t label : {0U, 1U, 2U}) {
    add_multiclass(many, label, std::vector<double>{0.1, kNan, 0.9}, {});
    EXPECT_EQ(many.scores[3 * label + label], 0);
    EXPECT_EQ(many.ranks[3 * label + label], -kInfinity);
  }
  add_multiclass(many, 0, std::vector<double>{0.2, 0.4, 0.4}, {});
  EXPECT_EQ(many.predicted, (std::vector<std::size_t>{1, 2, 0, 1}));
  EXPECT_EQ(many.not_finite, 3U);
}

// An arm that says nothing on nine healthy to one sick is not the better one.
TEST(Comparisons, AModelWithoutAFiniteScoreIsNotCompared) {
  for (const bool whole : {true, false}) {
    std::vector<Row> rows = make({6, 60, 1, 0}, {"sound", "diverged"});
    for (Row& row : rows) {
      const bool all = whole && row.seed == 3;
      if (row.arm == "diverged" && (all || row.image == "image7")) row.logit = kNan;
    }
    for (const Comparison& c : compare_arms(table_of(rows, {"sound", "diverged"}), {})) {
      EXPECT_EQ(c.e1.verdict == Verdict::not_allowed, whole) << c.metric;
      EXPECT_EQ(c.e2.verdict == Verdict::not_allowed, whole) << c.metric;
      const bool named = c.explanation.find("'diverged' with seed 3 has not one finite score") !=
                         std::string::npos;
      EXPECT_EQ(named, whole) << c.explanation;
    }
  }
}

TEST(Comparisons, ThreeClassesHaveTheirMetrics) {
  PredictionTable table;
  table.split = "test";
  table.classes = {"x", "y", "z"};
  RandomStream stream(5, "three classes");
  for (std::size_t i = 0; i < 60; ++i) table.images.push_back({std::to_string(i), i % 3, 0});
  for (const char* name : {"a", "b"}) {
    PredictedArm& arm = table.arms.emplace_back();
    arm.name = name;
    for (int seed = 0; seed < 5; ++seed) {
      PredictedTrial& trial = arm.trials.emplace_back();
      trial.seed = seed;
      for (std::size_t i = 0; i < 60; ++i) {
        std::vector<double> p(3);
        double sum = 0;
        for (std::size_t c = 0; c < 3; ++c) {
          p[c] = std::exp(stream.normal() + (c == i % 3 ? 1 : 0));
          sum += p[c];
        }
        for (double& v : p) v /= sum;
        trial.images.push_back(i);
        add_multiclass(trial, i % 3, p, {});
      }
    }
  }
  put_in_order(table, std::vector<std::string>(60));
  const auto all = compare_arms(table, {});
  ASSERT_EQ(all.size(), 5U);
  for (const Comparison& c : all) {
    EXPECT_NE(c.e2.verdict, Verdict::not_allowed) << c.metric << c.e2.reason;
  }
  // Classes of equal size: the mean of class means is the mean.
  EXPECT_NEAR(all[0].difference, all[2].difference, 1e-12);
  EXPECT_EQ(all[2].metric, "balanced_accuracy");
}

// The mean over groups of the group values is each seed's own metric.
TEST(Contrast, GroupValuesHaveTheSeedsMetricsAsMeans) {
  const PredictionTable table = table_of(make({6, 25, 3, 0.4}), kArms);
  for (const Metric metric : metrics_of(table)) {
    const ContrastResult r =
        contrast(table, metric_values(table, metric), std::vector<double>{1, -0.5, -0.5});
    if (metric == Metric::auroc) {
      EXPECT_TRUE(r.group_values.d.empty());
      continue;
    }
    const CrossedTable& t = r.group_values;
    ASSERT_EQ(t.seeds, 6U);
    for (std::size_t s = 0; s < t.seeds; ++s) {
      double mean = 0;
      for (std::size_t g = 0; g < t.groups; ++g) {
        mean += t.d[s * t.groups + g] / static_cast<double>(t.groups);
      }
      EXPECT_NEAR(mean, r.per_seed[s], 1e-12) << name_of(metric);
    }
  }
}

// Two arms of one law, patients with several images, an interaction of arm and image: E2 must not
// tell them apart in more than 5 % + 3 standard errors of the repetitions, for metrics that are no
// plain means too.
TEST(Contrast, KeepsItsLevelOnOtherCases) {
  constexpr int kRepetitions = 600;
  constexpr std::size_t kSeeds = 6, kGroups = 40, kSize = 3;
  RandomStream stream(17, "level of contrasts");
  std::map<Metric, int> wrong;
  for (int k = 0; k < kRepetitions; ++k) {
    PredictionTable table;
    table.classes = {"healthy", "sick"};
    std::vector<std::string> groups;
    for (std::size_t i = 0; i < kGroups * kSize; ++i) {
      const std::size_t g = i / kSize;
      table.images.push_back({std::to_string(i), g % 2, 0});
      groups.push_back(std::to_string(g));
    }
    std::vector<double> shared(kGroups);
    for (double& v : shared) v = stream.normal();
    for (const char* name : {"a", "b"}) {
      PredictedArm& arm = table.arms.emplace_back();
      arm.name = name;
      std::vector<double> of_arm(kGroups);  // how this arm takes each patient
      for (double& v : of_arm) v = 0.7 * stream.normal();
      for (std::size_t s = 0; s < kSeeds; ++s) {
        PredictedTrial& trial = arm.trials.emplace_back();
        trial.seed = static_cast<std::int64_t>(s);
        const double of_seed = 0.3 * stream.normal();
        for (std::size_t i = 0; i < kGroups * kSize; ++i) {
          const std::size_t g = i / kSize;
          const double z =
              (g % 2 == 1 ? 1 : -1) + shared[g] + of_arm[g] + of_seed + 0.5 * stream.normal();
          trial.images.push_back(i);
          add_binary(trial, 1, g % 2, 1 / (1 + std::exp(-z)), z, 0.5);
        }
      }
    }
    put_in_order(table, groups);
    for (const Metric metric : {Metric::balanced_accuracy, Metric::auroc, Metric::brier}) {
      const ContrastResult r =
          contrast(table, metric_values(table, metric), std::vector<double>{1, -1});
      wrong[metric] += two_sided_p(r.e2.estimate) <= kAlpha ? 1 : 0;
    }
  }
  const double bound = 0.05 + 3 * std::sqrt(0.05 * 0.95 / kRepetitions);
  for (const auto& [metric, count] : wrong) {
    EXPECT_LE(count, bound * kRepetitions) << name_of(metric);
    EXPECT_GE(count, 0.005 * kRepetitions) << name_of(metric) << ": never rejects";
  }
}

TEST(Contrast, NeedsFollowFromThePartsOfTheVariance) {
  ContrastResult r;
  r.seeds = {0, 1, 2, 3, 4};
  r.groups = 100;
  // The cases' part alone: a standard error of sqrt(0.1 / 100) = 0.032 whatever the seeds.
  r.parts = VarianceParts{1e-4, 0.1, 0.1};
  const Needed n = needed_for(r, 0.02);
  EXPECT_FALSE(n.seeds);
  ASSERT_TRUE(n.cases);
  EXPECT_GE(crossed_power(*r.parts, *n.cases_seeds, *n.cases, 0.02), kPowerWanted);
  // The seeds' part alone is too large at 5 seeds: cases are counted for more seeds.
  r.parts = VarianceParts{0.01, 0.1, 0.1};
  const Needed more = needed_for(r, 0.02);
  ASSERT_TRUE(more.cases_seeds);
  EXPECT_GT(*more.cases_seeds, 5);
  // With more cases at hand than those would be, the number alone would mislead.
  r.groups = static_cast<std::size_t>(*more.cases);
  const Needed enough = needed_for(r, 0.02);
  EXPECT_TRUE(enough.seeds);
  EXPECT_FALSE(enough.cases);
  EXPECT_FALSE(enough.cases_seeds);
}

// Of the parts' variance at five seeds and 100 cases, patients cause `patients`.
ContrastResult pilot_of_five(double patients) {
  ContrastResult r;
  r.seeds = {0, 1, 2, 3, 4};
  r.groups = 100;
  r.images = 100;
  r.effective = {100, 100};
  const double groups = 100 * patients, seeds = 5 * (1 - patients), error = 1;
  r.parts = VarianceParts{
      seeds, groups, error,
      PilotTable{5, 100, {error + 100 * seeds, 4}, {error + 5 * groups, 99}, {error, 396}}};
  return r;
}

TEST(Contrast, APlanGoesByTheUpperLimitAndTheRangeByTheLower) {
  const Needed n = needed_for(pilot_of_five(0.2), 2);
  ASSERT_TRUE(n.seeds && n.seeds_low);
  const NeededRange known =
      PlannedComparison::crossed({4, 20, 1}).seeds_needed(100, 2);  // the same, but for the pilot
  EXPECT_LT(*n.seeds_low, *known.safe);
  EXPECT_GT(*n.seeds, *known.safe);
}

TEST(Contrast, OnlyTheLowerLimitGivesSeedsUp) {
  // What the patients cause is 0.2 of 1, known to some 12 %; a difference is found by the t where
  // it is about 2.8 standard errors.
  const double at_the_edge = 2.85 * std::sqrt(0.2);
  const Needed open = needed_for(pilot_of_five(0.2), at_the_edge);
  EXPECT_FALSE(open.seeds);
  EXPECT_TRUE(open.seeds_low) << "it cannot be told yet";
  ASSERT_TRUE(open.cases && open.cases_low);
  EXPECT_LT(*open.cases_low, *open.cases);
  const Needed hopeless = needed_for(pilot_of_five(0.2), 0.8 * at_the_edge);
  EXPECT_FALSE(hopeless.seeds || hopeless.seeds_low);
  EXPECT_TRUE(hopeless.cases);
}

TEST(Comparisons, SentencesSayHowWellAPlanIsKnown) {
  Comparison c;
  c.a = "a";
  c.b = "b";
  c.split = "test";
  c.metric = "accuracy";
  c.difference = 0.01;
  c.seeds = 10;
  c.images = c.groups = 228;
  c.e1.verdict = c.e2.verdict = Verdict::undecided;
  c.detect = 0.02;
  const auto says = [&](const std::string& words) {
    const std::string text = sentence_of(c);
    EXPECT_NE(text.find(words), std::string::npos) << text;
  };
  c.seeds_needed = 14;
  c.seeds_needed_low = 6;
  says(
      "plan for 14 seeds in all, 4 more, on these 228 images; judging from these 10 seeds, it "
      "takes 6 to 14.");
  c.seeds_needed_low = 14;
  says("4 more, on these 228 images.");
  c.seeds_needed = 7;
  says("7 seeds are enough to find a true difference of 2.00 points on 228 images like these");
  c.inference = Inference::seeds;
  says("on these very images with a power of 0.8");
  c.inference = Inference::patients;
  c.seeds_needed.reset();
  c.seeds_needed_low = 23;
  c.cases_needed = 480;
  c.cases_needed_low = 250;
  c.cases_needed_seeds = 10;
  says(
      "10 seeds cannot tell yet whether more seeds would settle a difference of 2.00 points on "
      "these 228 images (power 0.8): as few as 23 may be enough, or it may take more images, up "
      "to 480 with 10 seeds. More seeds will tell first.");
  c.seeds_needed_low.reset();
  says(
      "More seeds cannot settle a difference of 2.00 points on these 228 images: plan for 480 "
      "images (with 10 seeds); judging from these 228 images, it takes 250 to 480.");
}

// The family of Holm's correction is the planned pairs; the numbers of a pair do not depend on it.
TEST(CompareArms, ComparesThePlannedPairsAlone) {
  const PredictionTable table = table_of(make({}), {"a", "b", "c"});
  CompareOptions options;
  const std::vector<Comparison> all = compare_arms(table, options, std::vector{Metric::accuracy});
  ASSERT_EQ(all.size(), 3U);
  options.pairs = pairs_of(names_of_arms(table), {"a", {}}).pairs;
  const std::vector<Comparison> with_a =
      compare_arms(table, options, std::vector{Metric::accuracy});
  ASSERT_EQ(with_a.size(), 2U);
  EXPECT_EQ(with_a[0].a + with_a[0].b + with_a[1].a + with_a[1].b, "baca");
  EXPECT_EQ(with_a[0].difference, -all[0].difference);
  EXPECT_EQ(with_a[0].e2.p, all[0].e2.p);
  EXPECT_EQ(all[0].e2.family, 3U);
  EXPECT_EQ(with_a[0].e2.family, 2U);
}

}  // namespace
}  // namespace bioptic
