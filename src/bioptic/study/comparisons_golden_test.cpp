// Comparisons against tests/golden/comparisons.json: values, E1 and E2 of every metric.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bioptic/study/compare_arms.h"

namespace bioptic {
namespace {

using nlohmann::json;

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
  for (std::size_t a = 0; a < 2; ++a) {
    PredictedArm& arm = table.arms.emplace_back();
    arm.name = a == 0 ? "a" : "b";
    for (std::size_t s = 0; s < c.at("score")[a].size(); ++s) {
      PredictedTrial& trial = arm.trials.emplace_back();
      trial.seed = static_cast<std::int64_t>(s);
      for (std::size_t i = 0; i < labels.size(); ++i) {
        trial.images.push_back(i);
        const json& score = c.at("score")[a][s][i];
        if (classes == 2) {
          add_binary(trial, 1, labels[i], score.get<double>(), c.at("logit")[a][s][i].get<double>(),
                     0.5);
        } else {
          add_multiclass(trial, labels[i], score.get<std::vector<double>>(), {});
        }
      }
    }
  }
  put_in_order(table, groups);
  return table;
}

// 1e-9 relative, and for numbers that are differences of numbers near 1, as much as their rounding.
void expect_close(double got, const json& want, const std::string& what) {
  EXPECT_NEAR(got, want.get<double>(), 1e-9 * std::abs(want.get<double>()) + 1e-13) << what;
}

TEST(ComparisonsGolden, EveryMetricAgreesWithScikitLearnSciPyAndNumpy) {
  std::ifstream file("tests/golden/comparisons.json");
  std::size_t checked = 0;
  const json golden = json::parse(file);
  for (const json& c : golden.at("cases")) {
    const PredictionTable table = table_of(c);
    for (const Metric metric : metrics_of(table)) {
      const std::string name(name_of(metric));
      const json& want = c.at("expected").at(name);
      const MetricValues values = metric_values(table, metric);
      for (std::size_t a = 0; a < 2; ++a) {
        for (std::size_t s = 0; s < values.arms[a].size(); ++s) {
          expect_close(values.arms[a][s].value, want.at("values")[a][s], name);
        }
      }
      const std::vector<Metric> one = {metric};
      const Comparison got = compare_arms(table, {}, one).at(0);
      expect_close(got.difference, want.at("difference"), name);
      for (const auto& [e, key] : {std::pair(got.e1, "E1"), std::pair(got.e2, "E2")}) {
        ASSERT_TRUE(e.reason.empty()) << name << e.reason;
        expect_close(e.p, want.at(key).at("p"), name + " p " + key);
        expect_close(e.df, want.at(key).at("df"), name + " df " + key);
        expect_close(e.low, want.at(key).at("low"), name + " low " + key);
        expect_close(e.high, want.at(key).at("high"), name + " high " + key);
      }
      ++checked;
    }
  }
  EXPECT_EQ(checked, 7U + 7U + 5U);
}

}  // namespace
}  // namespace bioptic
