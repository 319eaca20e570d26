#include "bioptic/report/figures.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace bioptic {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// One arm of two epochs; every seed's scores tell the classes.
StudySummary with_seeds(std::size_t seeds, std::size_t arms = 1) {
  StudySummary summary;
  summary.dataset.classes = {"no", "yes"};
  for (std::int64_t i = 0; i < 4; ++i) {
    summary.images.add({fmt::format("image{}", i), "test", "", i % 2});
  }
  for (std::size_t a = 0; a < arms; ++a) {
    ArmSummary& arm = summary.arms.emplace_back();
    arm.name = fmt::format("arm {}", a);
    for (std::size_t s = 0; s < seeds; ++s) {
      TrialSummary& trial = arm.trials.emplace_back();
      trial.seed = static_cast<int>(s);
      trial.result.predictions = {{"test", {0, 1, 2, 3}, {-1, 1, -2, 2}}};
      trial.result.history.resize(2);
      for (int e = 0; e < 2; ++e) {
        trial.result.history[static_cast<std::size_t>(e)].epoch = e + 1;
        trial.result.history[static_cast<std::size_t>(e)].val_accuracy = static_cast<double>(s);
      }
    }
  }
  return summary;
}

const Figure& named(const std::vector<Figure>& figures, const std::string& name) {
  return *std::find_if(figures.begin(), figures.end(),
                       [&](const Figure& f) { return f.name.starts_with(name); });
}

TEST(Figures, DrawTheLinesOfAFewSeedsAndTheMeanOfAll) {
  const StudySummary few = with_seeds(kMostSingleSeeds), many = with_seeds(1000);
  for (const char* name : {"roc", "precision-recall", "calibration", "decision"}) {
    const Figure f = named(score_figures(few), name), m = named(score_figures(many), name);
    EXPECT_TRUE(has(f.caption, "faint: single seeds")) << f.caption;
    EXPECT_TRUE(has(m.caption, "faint: the first 50 seeds")) << m.caption;
    EXPECT_EQ(m.body.size(), f.body.size()) << name << " grows with the seeds";
  }
  const Figure m = named(curve_figures(many), "arm-");
  EXPECT_TRUE(has(m.caption, "mean over 1000 seeds")) << m.caption;
  EXPECT_TRUE(has(m.caption, "thin lines: the first 50 seeds")) << m.caption;
  EXPECT_TRUE(has(m.body, "for [i=1:50]")) << m.body.substr(0, 400);
  EXPECT_TRUE(has(m.body, "1 49950 0 99900")) << "mean and band of all";
}

TEST(Figures, DrawTheConfusionsOfTheFirstArms) {
  const Figure few = named(test_figures(with_seeds(2, 30)), "confusion");
  EXPECT_FALSE(has(few.caption, "The first"));
  const Figure many = named(test_figures(with_seeds(2, 200)), "confusion");
  EXPECT_TRUE(has(many.caption, "The first 30 of 200 arms")) << many.caption;
  EXPECT_EQ(many.height_mm, few.height_mm);
}

}  // namespace
}  // namespace bioptic
