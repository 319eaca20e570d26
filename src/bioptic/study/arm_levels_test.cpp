// Levels of arms against tests/golden/arm_levels.json, and where there are none.
#include "bioptic/study/arm_levels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

namespace bioptic {
namespace {

using nlohmann::json;

json golden(const std::string& name) {
  std::ifstream file("tests/golden/" + name);
  return json::parse(file);
}

// The inputs of comparisons.json.
PredictionTable table_of(const json& c) {
  PredictionTable table;
  table.split = "test";
  const auto classes = c.at("classes").get<std::size_t>();
  for (std::size_t k = 0; k < classes; ++k) table.classes.push_back(std::to_string(k));
  std::vector<std::string> groups;
  const auto labels = c.at("label").get<std::vector<std::size_t>>();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    table.images.push_back({"image " + std::to_string(i), labels[i], 0});
    groups.push_back("group " + c.at("group")[i].dump());
  }
  for (const json& scores : c.at("score")) {
    PredictedArm& arm = table.arms.emplace_back();
    arm.name = "arm " + std::to_string(table.arms.size());
    for (const json& of_seed : scores) {
      PredictedTrial& trial = arm.trials.emplace_back();
      trial.seed = static_cast<std::int64_t>(arm.trials.size());
      for (std::size_t i = 0; i < labels.size(); ++i) {
        trial.images.push_back(i);
        if (classes == 2) {
          add_binary(trial, 1, labels[i], of_seed[i].get<double>(), std::nullopt, 0.5);
        } else {
          add_multiclass(trial, labels[i], of_seed[i].get<std::vector<double>>(), {});
        }
      }
    }
  }
  put_in_order(table, groups);
  return table;
}

TEST(ArmLevels, AgreeWithScikitLearnSciPyAndNumpy) {
  const json inputs = golden("comparisons.json").at("cases");
  const json want = golden("arm_levels.json").at("cases");
  std::size_t checked = 0;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const PredictionTable table = table_of(inputs[k]);
    for (const Metric metric : metrics_of(table)) {
      const std::vector<ArmLevel> levels = arm_levels(table, metric_values(table, metric));
      for (std::size_t a = 0; a < 2; ++a) {
        const json& of = want[k][a].at(std::string(name_of(metric)));
        const MetricSummary& m = levels[a].summary;
        const auto close = [&](double got, const char* key) {
          // Sums of at most 95 numbers below 10: a few roundings of 1e-15.
          EXPECT_NEAR(got, of.at(key).get<double>(), 1e-11)
              << name_of(metric) << " " << key << " of case " << k << ", arm " << a;
          ++checked;
        };
        close(m.mean, "mean");
        close(m.sd, "sd");
        close(m.low, "low");
        close(m.high, "high");
        close(m.patients_low, "patients_low");
        close(m.patients_high, "patients_high");
        EXPECT_EQ(static_cast<std::size_t>(m.seeds), levels[a].values.size());
      }
    }
  }
  EXPECT_EQ(checked, 2U * (7 + 7 + 5) * 6);
}

TEST(ArmLevels, WhereAnIntervalDoesNotExist) {
  PredictionTable table = table_of(golden("comparisons.json").at("cases")[1]);
  const auto level = [&](Metric metric) {
    return arm_levels(table, metric_values(table, metric)).at(0).summary;
  };
  // One seed has a value and no interval.
  PredictionTable whole = table;
  table.arms[0].trials.resize(1);
  EXPECT_FALSE(std::isnan(level(Metric::auroc).mean));
  EXPECT_TRUE(std::isnan(level(Metric::auroc).low));
  EXPECT_TRUE(std::isnan(level(Metric::accuracy).patients_low));
  // Seeds that saw other images are crossed with none.
  table = whole;
  PredictedTrial& first = table.arms[0].trials[0];
  for (auto* numbers : {&first.scores, &first.ranks, &first.logits}) numbers->pop_back();
  first.images.pop_back();
  first.predicted.pop_back();
  for (const Metric metric : metrics_of(table)) {
    EXPECT_TRUE(std::isnan(level(metric).low)) << name_of(metric);
    EXPECT_TRUE(std::isnan(level(metric).patients_low)) << name_of(metric);
  }
  // A class that is absent.
  table = whole;
  for (PredictedImage& image : table.images) image.label = 1;
  EXPECT_TRUE(std::isnan(level(Metric::auroc).mean));
  EXPECT_EQ(level(Metric::auroc).seeds, 0);
  EXPECT_FALSE(std::isnan(level(Metric::sensitivity).patients_low));
}

}  // namespace
}  // namespace bioptic
