// All metrics of the arms, in every place that shows them, against each other and against plain
// counting from tables/predictions.csv.
#include <fmt/format.h>

#include <cmath>
#include <fstream>

#include "workspace.h"

namespace e2e {
namespace {

using nlohmann::json;

const char* const kMetrics[] = {"auroc",
                                "average_precision",
                                "accuracy",
                                "sensitivity",
                                "specificity",
                                "balanced_accuracy",
                                "f1",
                                "brier",
                                "log_loss",
                                "net_benefit",
                                "expected_calibration_error"};

class Metrics : public Workspace {
 protected:
  json summary(const std::string& out) const {
    for (const auto& entry : std::filesystem::directory_iterator(at(out))) {
      if (entry.is_directory()) return json::parse(read(entry.path() / "summary.json"));
    }
    return {};
  }
  std::filesystem::path study_folder(const std::string& out) const {
    for (const auto& entry : std::filesystem::directory_iterator(at(out))) {
      if (entry.is_directory()) return entry.path();
    }
    return {};
  }
};

TEST_F(Metrics, AreInSummaryTableAndReportAndAgreeWithThePredictions) {
  make_images("images");
  make_study("s");
  ASSERT_EQ(bioptic("run @s.toml --out @runs --seeds 3 --quiet").code, 0);
  const json s = summary("runs");
  const std::filesystem::path folder = study_folder("runs");
  const json& arm = s.at("arms").at(0);
  for (const char* name : kMetrics) {
    const json& m = arm.at("metrics").at(std::string("test_") + name);
    EXPECT_EQ(m.at("seeds"), 3) << name;
    EXPECT_LE(m.at("low"), m.at("mean")) << name;
    EXPECT_LE(m.at("mean"), m.at("high")) << name;
    EXPECT_TRUE(m.contains("patients_low")) << name;
  }
  // Validation is drawn anew by every seed: patients mean nothing for the mean over seeds.
  EXPECT_TRUE(arm.at("metrics").at("val_accuracy").at("patients_low").is_null());
  EXPECT_FALSE(arm.at("metrics").at("test_accuracy").at("patients_low").is_null());

  // Sensitivity and the Brier score of the first trial by counting.
  double hits = 0, positives = 0, squares = 0, images = 0;
  for (const auto& row : read_table(folder / "tables/predictions.csv")) {
    if (row.at("arm") != arm.at("name") || row.at("seed") != "0" || row.at("split") != "test") {
      continue;
    }
    const double score = std::stod(row.at("score")), label = std::stod(row.at("label"));
    positives += label;
    hits += label == 1 && score > 0.5 ? 1 : 0;
    squares += (score - label) * (score - label);
    images += 1;
  }
  const json& trial = s.at("trials").at(0);
  EXPECT_NEAR(trial.at("metrics").at("test_sensitivity"), hits / positives, 1e-12);
  EXPECT_NEAR(trial.at("metrics").at("test_brier"), squares / images, 1e-7);
  EXPECT_EQ(trial.at("intervals").at("test_sensitivity").at("method"), "Wilson");

  // The table tells the three kinds of interval apart.
  int seeds = 0, both = 0, patients = 0;
  for (const auto& row : read_table(folder / "tables/metrics.csv")) {
    if (row.at("metric") != "brier" || row.at("split") != "test") continue;
    seeds += row.at("interval_over") == "seeds" ? 1 : 0;
    both += row.at("interval_over") == "seeds and patients" ? 1 : 0;
    patients += row.at("interval_over") == "patients" ? 1 : 0;
  }
  EXPECT_EQ(seeds, 2);     // arms
  EXPECT_EQ(both, 2);      // arms
  EXPECT_EQ(patients, 6);  // trials
  const std::string html = read(folder / "report.html");
  for (const char* words : {"over seeds and patients", "calibration slope", "net benefit"}) {
    EXPECT_NE(html.find(words), std::string::npos) << words;
  }
  for (const char* figure : {"roc", "precision-recall", "calibration", "decision"}) {
    EXPECT_TRUE(std::filesystem::exists(folder / "figures" / (std::string(figure) + ".pdf")))
        << figure;
  }
}

TEST_F(Metrics, OfASavedModelAreThoseOfItsTrial) {
  make_images("images");
  make_study("s");
  ASSERT_EQ(bioptic("data import @images @data --size 24 --quiet").code, 0);
  ASSERT_EQ(bioptic("run @s.toml --data @data --out @runs --seeds 1 --quiet").code, 0);
  const json s = summary("runs");
  const json& trial = s.at("trials").at(0);
  // With one seed there is no interval over seeds, and none over seeds and patients.
  const json& m = s.at("arms").at(0).at("metrics").at("test_brier");
  EXPECT_TRUE(m.at("low").is_null() && m.at("patients_low").is_null());

  std::filesystem::path model;
  for (const auto& entry : std::filesystem::directory_iterator(study_folder("runs") / "models")) {
    if (entry.path().filename().string().starts_with(trial.at("arm").get<std::string>())) {
      model = entry.path();
    }
  }
  const json e = json_of("eval " + model.string() + R"( --data @data --group (person\d+) --json)");
  for (const char* name : kMetrics) {
    const std::string key = std::string("test_") + name;
    if (!trial.at("metrics").contains(key)) continue;
    EXPECT_NEAR(e.at("metrics").at(name).at("value"), trial.at("metrics").at(key), 1e-12) << name;
    if (!trial.at("intervals").contains(key)) continue;
    EXPECT_NEAR(e.at("metrics").at(name).at("low"), trial.at("intervals").at(key).at("low"), 1e-12)
        << name;
  }
  EXPECT_EQ(e.at("intervals_over"), "patients");
  // The interval that the text shows: over groups where images share them, else the images'.
  const json& accuracy = e.at("metrics").at("accuracy");
  ASSERT_TRUE(accuracy.contains("groups_low"));
  for (const char* end : {"low", "high"}) {
    EXPECT_EQ(e.at("accuracy_" + std::string(end)), accuracy.at("groups_" + std::string(end)));
  }
  EXPECT_NE(accuracy.at("groups_low"), accuracy.at("low"));
  const std::string grouped =
      bioptic("eval " + model.string() + R"( --data @data --group (person\d+))").out;
  EXPECT_NE(grouped.find(fmt::format("[{:.4f}, {:.4f}]", e.at("accuracy_low").get<double>(),
                                     e.at("accuracy_high").get<double>())),
            std::string::npos)
      << grouped;
  EXPECT_NE(bioptic("eval " + model.string() + " --data @data").out.find("over patients"),
            std::string::npos);
}

}  // namespace
}  // namespace e2e
