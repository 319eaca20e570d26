// A study with [shift], as a person runs it.
#include <fmt/format.h>

#include <random>
#include <set>

#include "workspace.h"

namespace e2e {
namespace {

namespace fs = std::filesystem;

class GapStudy : public Workspace {
 protected:
  // Patients of two images each; class "sick" has a brighter corner, and the images of test are
  // darker.  Patients of the two splits are different people, but for two.
  void make_patients() const {
    constexpr int kSide = 16;
    std::mt19937 engine(5);
    const auto below = [&](unsigned n) { return static_cast<unsigned>(engine() % n); };
    for (const std::string split : {"train", "test"}) {
      for (const bool sick : {false, true}) {
        for (int patient = 0; patient < (split == "train" ? 40 : 20); ++patient) {
          const int number =
              patient + (sick ? 100 : 0) + (split == "test" && patient > 0 ? 1000 : 0);
          for (int view = 0; view < 2; ++view) {
            std::vector<unsigned> pixels;
            const unsigned brighter = (sick ? 40U : 0U) + below(30);
            for (int p = 0; p < kSide * kSide; ++p) {
              const bool corner = p % kSide < 6 && p / kSide < 6;
              pixels.push_back((split == "train" ? 50 : 0) + below(100) + (corner ? brighter : 0));
            }
            write_tiff(at("images") / split / (sick ? "sick" : "well") /
                           fmt::format("person{}_{}.tiff", number, view),
                       kSide, kSide, 8, pixels);
          }
        }
      }
    }
  }
};

TEST_F(GapStudy, HoldsOutComparesAndTakesTheGapApart) {
  make_patients();
  write(at("s.toml"), R"([study]
name = "s"
seeds = 5

[data]
source = "images"
group = '(person\d+)'

[shift]
holdout_fraction = 0.2
control = true

[train]
model = { kind = "mlp", hidden = [8] }
epochs = 3
batch_size = 16
optimizer = { kind = "adam", lr = 0.003 }

[[arm]]
name = "by-image"

[[arm]]
name = "by-group"
split_by = "group"
)");
  const Outcome run = bioptic("run @s.toml --out @out --quiet");
  ASSERT_EQ(run.code, 0) << run.err;
  const fs::path folder = at("out") / "s";

  // The hold-out: the same for all seeds and arms, its patients in no other split of any of them.
  std::map<std::string, std::map<std::string, std::set<std::string>>> groups, images;
  std::map<std::string, double> right, count;
  for (const auto& row : read_table(folder / "tables" / "predictions.csv")) {
    const std::string trial = row.at("arm") + " " + row.at("seed");
    groups[trial][row.at("split")].insert(row.at("group"));
    images[trial][row.at("split")].insert(row.at("image"));
    if (row.at("split") == "holdout") {
      count[trial] += 1;
      // positive is "well", the last by name
      right[trial] += (std::stod(row.at("score")) > 0.5) == (row.at("label") == "1") ? 1 : 0;
    }
  }
  ASSERT_EQ(images.size(), 10U) << "two arms with five seeds; the control stands elsewhere";
  const std::set<std::string> held = images.begin()->second.at("holdout");
  EXPECT_NEAR(static_cast<double>(held.size()), 32, 2);
  for (const auto& [trial, splits] : images) {
    EXPECT_EQ(splits.at("holdout"), held) << trial;
    for (const std::string& group : groups[trial].at("holdout")) {
      EXPECT_FALSE(groups[trial].at("val").contains(group)) << trial << " " << group;
      EXPECT_FALSE(groups[trial].at("test").contains(group)) << trial << " " << group;
    }
  }
  std::set<std::string> control_arms;
  for (const auto& row : read_table(folder / "tables" / "control-predictions.csv")) {
    control_arms.insert(row.at("arm"));
  }
  EXPECT_EQ(control_arms, std::set<std::string>{"control"});

  // A saved model, evaluated on the hold-out, agrees with what its trial stored.
  const auto eval = json_of(
      "eval @out/s/models/by-group-seed0.safetensors --data @images --split "
      "holdout");
  EXPECT_EQ(eval.at("images"), held.size());
  EXPECT_DOUBLE_EQ(eval.at("accuracy").get<double>(), right["by-group 0"] / count["by-group 0"]);
  EXPECT_EQ(eval.at("split_from"), "drawn");
  // In another folder it is known by its pixels.
  for (const char* kind : {"sick", "well"}) {
    std::filesystem::create_directories(at("copy") / kind);
    for (const char* split : {"train", "test"}) {
      for (const auto& file : std::filesystem::directory_iterator(at("images") / split / kind)) {
        const std::string name = split + file.path().filename().string();
        std::filesystem::copy_file(file, at("copy") / kind / name);
      }
    }
  }
  const auto copied = json_of(
      "eval @out/s/models/by-group-seed0.safetensors --data @copy --split "
      "holdout");
  EXPECT_EQ(copied.at("split_from"), "pixels");
  EXPECT_EQ(copied.at("accuracy"), eval.at("accuracy"));
  // The control was trained on images of every split that the source names: its own test is taken.
  for (const char* data : {"images", "copy"}) {
    const auto control =
        json_of(std::string("eval @out/s/models/control-seed0.safetensors --data @") + data);
    EXPECT_NE(control.at("split_from"), "source") << data;
    EXPECT_EQ(control.at("trained_on"), 0) << data;
    EXPECT_EQ(control.at("images"), 80) << data;
    EXPECT_FALSE(control.contains("warning")) << data;
  }

  const auto gap = nlohmann::json::parse(read(folder / "summary.json")).at("gap");
  EXPECT_EQ(gap.at("test_shared").at("groups"), 2);
  EXPECT_EQ(gap.at("duplicates").at("test"), 0);
  ASSERT_EQ(gap.at("arms").size(), 2U);
  for (const auto& arm : gap.at("arms")) {
    const auto value = [&](const char* part) { return arm.at(part).at("value").get<double>(); };
    EXPECT_NEAR(value("total"),
                value("selection_and_leakage") + value("prevalence") + value("rest"), 1e-12);
    EXPECT_TRUE(arm.at("shift").at("seen").get<bool>()) << "test is 50 grey values darker";
    EXPECT_EQ(arm.at("control").at("arm"), "control");
    const std::string cause = arm.at("cause");
    if (cause == "shift" || cause == "shift_and_leakage") {
      EXPECT_TRUE(arm.at("part_seen").get<bool>());
      EXPECT_EQ(arm.at("control").at("answer"), "vanishes");
    }
    EXPECT_NE(read(folder / "report.html").find(arm.at("sentence").get<std::string>()),
              std::string::npos);
  }
  EXPECT_EQ(gap.at("arms").at(0).at("leakage").at("against"), "by-group");
  EXPECT_TRUE(gap.at("arms").at(1).at("leakage").is_null());

  // Made again from the store: the same bytes.
  const std::string before = read(folder / "summary.json");
  ASSERT_EQ(bioptic("report @out").code, 0);
  EXPECT_EQ(read(folder / "summary.json"), before);
}

TEST_F(GapStudy, CrossedSeedsGiveVarianceComponents) {
  make_patients();
  write(at("v.toml"), R"([study]
name = "v"
seeds = { split = 2, init = 2, order = 2 }

[data]
source = "images"

[train]
model = { kind = "mlp", hidden = [8] }
epochs = 2
batch_size = 16
optimizer = { kind = "adam", lr = 0.003 }

[[arm]]
name = "one"
)");
  const Outcome run = bioptic("run @v.toml --out @out");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_NE(run.out.find("Where the chance comes from"), std::string::npos);
  const auto summary = nlohmann::json::parse(read(at("out") / "v" / "summary.json"));
  EXPECT_FALSE(summary.contains("gap"));
  // Its trials share splits and weights: no repetitions, and no pilot for a plan.
  EXPECT_NE(run.out.find("intervals take the trials for independent"), std::string::npos);
  EXPECT_NE(read(at("out") / "v" / "report.html").find("intervals take the trials for independent"),
            std::string::npos);
  const Outcome plan = bioptic("plan --detect 0.05 --from @out/v");
  EXPECT_EQ(plan.code, 2);
  EXPECT_NE(plan.err.find("not independent repetitions"), std::string::npos) << plan.err;
  const auto arm = summary.at("variance").at("arms").at(0);
  EXPECT_EQ(arm.at("seeds").at("init"), 2);
  ASSERT_EQ(arm.at("metrics").at(0).at("metric"), "test_accuracy");
  EXPECT_EQ(arm.at("metrics").at(0).at("components").size(), 7U);
  EXPECT_TRUE(fs::exists(at("out") / "v" / "figures" / "variance.svg"));
  EXPECT_NE(read(at("out") / "v" / "report.html").find("id=\"variance\""), std::string::npos);
}

}  // namespace
}  // namespace e2e
