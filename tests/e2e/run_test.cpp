// What `run`, `status` and `report` write and print.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>

#include "workspace.h"

namespace e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Running = Workspace;

std::set<std::string> hashes(const json& summary) {
  std::set<std::string> all;
  for (const json& trial : summary.at("trials")) {
    all.insert(trial.at("arm").get<std::string>() + trial.at("seed").dump() +
               trial.at("weights_sha256").get<std::string>());
  }
  return all;
}

TEST_F(Running, WritesEverythingAndTrainsNothingTheSecondTime) {
  make_images("images");
  make_study("first");
  const Outcome outcome = bioptic("run @first.toml --out @runs");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  for (const char* said :
       {"healthy, sick; positive: sick", "48 to train, 12 to validate, 30 to test",
        "4 trials trained", "constant", "cosine", "report.html"}) {
    EXPECT_NE(outcome.out.find(said), std::string::npos) << said << "\n" << outcome.out;
  }
  const fs::path study = at("runs/first");
  for (const char* file :
       {"summary.json", "report.html", "tables/trials.csv", "tables/history.csv",
        "tables/predictions.csv", "tables/arms.csv", "tables/arms.md", "tables/arms.tex",
        "models/constant-seed0.safetensors", "models/cosine-seed0.safetensors"}) {
    EXPECT_TRUE(fs::exists(study / file)) << file;
  }
  EXPECT_FALSE(fs::exists(study / "models/constant-seed1.safetensors"));  // save_models = first
  EXPECT_EQ(read_table(study / "tables/trials.csv").size(), 4U);
  EXPECT_EQ(read_table(study / "tables/history.csv").size(), 8U);
  EXPECT_EQ(read_table(study / "tables/predictions.csv").size(), 4U * (12 + 30));
  const json summary = json::parse(read(study / "summary.json"));
  EXPECT_EQ(summary.at("arms").size(), 2U);
  EXPECT_EQ(summary.at("trials").size(), 4U);

  const auto before = tree(study);
  const json again = json_of("run @first.toml --out @runs");
  EXPECT_EQ(again.at("studies").at(0).at("trained"), 0);
  EXPECT_EQ(again.at("studies").at(0).at("found"), 4);
  EXPECT_EQ(difference(tree(study), before), "");
}

TEST_F(Running, GivesTheSameBitsOnAnyNumberOfThreadsAndJobsAndInstructionSet) {
  make_images("images");
  make_study("s");
  ASSERT_EQ(bioptic("run @s.toml --out @one --jobs 1 --threads 1").code, 0);
  const std::vector<std::string> others = {
      "--jobs 1 --threads 2", "--jobs 2 --threads 4 --isa avx2", "--jobs 3 --threads 8", "--jobs 4",
      "--threads 3 --isa portable"};
  for (const std::string& options : others) {
    fs::remove_all(at("other"));
    const Outcome outcome = bioptic("run @s.toml --out @other " + options);
    if (outcome.err.find("instruction set") != std::string::npos) continue;  // not on this machine
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(hashes(json::parse(read(at("one/s/summary.json")))),
              hashes(json::parse(read(at("other/s/summary.json")))))
        << options;
    for (const char* table : {"history.csv", "predictions.csv"}) {
      EXPECT_TRUE(read(at("one/s/tables") / table) == read(at("other/s/tables") / table))
          << options << ", " << table;
    }
  }
}

TEST_F(Running, TrainsATrialThatTwoStudiesShareOnce) {
  make_images("images");
  make_study("one");
  make_study("two");
  const json outcome = json_of("run @one.toml @two.toml --out @runs");
  EXPECT_EQ(outcome.at("studies").at(0).at("trained"), 4);
  EXPECT_EQ(outcome.at("studies").at(1).at("found"), 4);
  EXPECT_TRUE(read(at("runs/one/tables/predictions.csv")) ==
              read(at("runs/two/tables/predictions.csv")));
  EXPECT_TRUE(fs::exists(at("runs/two/report.html")));
}

TEST_F(Running, AReportThatFailsDoesNotStopTheOtherStudies) {
  make_images("images");
  make_study("one");
  make_study("two");
  fs::create_directories(at("runs/one/report.html/in the way"));
  const Outcome outcome = bioptic("run @one.toml @two.toml --out @runs --force --json");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("the report of 'one' could not be written"), std::string::npos)
      << outcome.err;
  EXPECT_TRUE(fs::exists(at("runs/two/report.html")));
  const json studies = json::parse(outcome.out).at("studies");
  EXPECT_FALSE(studies.at(0).at("error").get<std::string>().empty());
  EXPECT_EQ(studies.at(1).at("found"), 4);
}

TEST_F(Running, MoreSeedsTrainOnlyWhatIsMissing) {
  make_images("images");
  make_study("s");
  ASSERT_EQ(bioptic("run @s.toml --out @runs --seeds 1").code, 0);
  const auto before = read_table(at("runs/s/tables/trials.csv"));
  const json more = json_of("run @s.toml --out @runs --seeds 3 --save-models all");
  EXPECT_EQ(more.at("studies").at(0).at("found"), 2);
  EXPECT_EQ(more.at("studies").at(0).at("trained"), 4);
  EXPECT_TRUE(fs::exists(at("runs/s/models/cosine-seed2.safetensors")));
  for (auto& row : read_table(at("runs/s/tables/trials.csv"))) {
    if (row["seed"] == "0" && row["arm"] == "constant") {
      EXPECT_EQ(row, before[0]);
    }
  }
}

TEST_F(Running, ChangedSettingsKeepTheOldModel) {
  make_images("images");
  make_study("s");
  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  const std::string old = read(at("runs/s/models/cosine-seed0.safetensors"));
  make_study("s", "", "epochs = 3");
  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  EXPECT_NE(read(at("runs/s/models/cosine-seed0.safetensors")), old);
  const auto models = tree(at("runs/s/models"));
  EXPECT_EQ(models.size(), 4U);
  EXPECT_TRUE(std::any_of(models.begin(), models.end(),
                          [&](const auto& file) { return file.second == old; }));
  // Back to the first settings: nothing is missing in the store, but this model is not in its
  // place.
  make_study("s");
  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  EXPECT_TRUE(read(at("runs/s/models/cosine-seed0.safetensors")) == old);
}

TEST_F(Running, DryRunListsTrialsAndWritesNothing) {
  make_images("images");
  make_study("s");
  const Outcome outcome = bioptic("run @s.toml --out @runs --dry-run");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("estimated"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("0 of 4 trials are done"), std::string::npos) << outcome.out;
  EXPECT_FALSE(fs::exists(at("runs")));
  ASSERT_EQ(bioptic("run @s.toml --out @runs --seeds 1").code, 0);
  const auto before = tree(at("runs"));
  const json after = json_of("run @s.toml --out @runs --dry-run");
  ASSERT_EQ(after.at("trials").size(), 4U);
  EXPECT_EQ(after.at("trials").at(0).at("done"), true);
  EXPECT_EQ(after.at("trials").at(3).at("done"), false);
  EXPECT_EQ(after.at("trials").at(0).at("steps"), 2 * 5);
  EXPECT_EQ(difference(tree(at("runs")), before), "");
}

TEST_F(Running, TraceHoldsEveryStepAndIsMadeAgainWhereItIsMissing) {
  make_images("images");
  make_study("s");
  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  const std::string summary = read(at("runs/s/summary.json"));
  const Outcome outcome = bioptic("run @s.toml --out @runs --trace");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(read(at("runs/s/summary.json")) == summary);
  const fs::path trace = at("runs/s/trace/cosine/seed1");
  EXPECT_TRUE(fs::exists(trace / "initial.safetensors"));
  const json spec = json::parse(read(trace / "spec.json"));
  EXPECT_TRUE(fs::exists(fs::path(spec.at("dataset").get<std::string>()) / "images.npy"));
  EXPECT_EQ(spec.at("steps_per_epoch"), 5);
  EXPECT_EQ(spec.at("classes").size(), 2U);
  EXPECT_EQ(read_table(trace / "steps.csv").size(), 10U);
  const Table order = read_table(trace / "order.csv");
  ASSERT_EQ(order.size(), 10U);
  std::multiset<int> seen;  // the first epoch takes every training image once
  for (std::size_t i = 0; i < 5; ++i) {
    std::istringstream rows(order[i].at("rows"));
    for (int row = 0; rows >> row;) seen.insert(row);
  }
  EXPECT_EQ(seen.size(), 48U);
  EXPECT_EQ(std::set<int>(seen.begin(), seen.end()).size(), 48U);

  const auto before = tree(at("runs/s/trace"));
  EXPECT_EQ(json_of("run @s.toml --out @runs --trace").at("studies").at(0).at("trained"), 0);
  fs::remove_all(trace);
  EXPECT_EQ(json_of("run @s.toml --out @runs --trace").at("studies").at(0).at("trained"), 1);
  EXPECT_EQ(difference(tree(at("runs/s/trace")), before), "");
}

TEST_F(Running, SixteenBitImagesGoThroughAWindowThatIsNamed) {
  make_images("images", 270, 16);  // more than 256 to test: eval takes that many at a time
  make_study("s", "", "epochs = 2");
  std::string text = read(at("s.toml"));
  text.replace(text.find("hidden = [8]"), 12, "hidden = []");  // a small hidden layer may die
  write(at("s.toml"), text);
  const Outcome outcome = bioptic("run @s.toml --out @runs");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("16-bit values 0 to "), std::string::npos) << outcome.out;
  const Outcome again = bioptic("run @s.toml --out @runs");
  EXPECT_NE(again.out.find("16-bit values 0 to "), std::string::npos) << again.out;
  // eval reads the 16-bit source through the model's window: the same numbers as in the run.
  const json j = json_of("eval @runs/s/models/cosine-seed0.safetensors --data @images");
  EXPECT_EQ(j.at("images"), 270);
  std::size_t compared = 0;
  for (const auto& row : read_table(at("runs/s/tables/trials.csv"))) {
    if (row.at("arm") == "cosine" && row.at("seed") == "0") {
      EXPECT_EQ(row.at("status"), "done");  // a collapsed one says the same of every image
      EXPECT_EQ(j.at("loss").get<double>(), std::stod(row.at("test_loss")));
      ++compared;
    }
  }
  EXPECT_EQ(compared, 1U);
  EXPECT_EQ(bioptic("predict @runs/s/models/cosine-seed0.safetensors "
                    "@images/test/sick/person0_0.tiff")
                .code,
            0);
}

TEST_F(Running, CollapsedTrialsAreKeptAndNotTrainedAgain) {
  make_images("images");
  make_study("s", "", "epochs = 1");
  std::string text = read(at("s.toml"));
  text.replace(text.find("lr = 0.003"), 10, "lr = 1e-12");
  text.replace(text.find("hidden = [8]"), 12, "hidden = []");
  write(at("s.toml"), text);
  const json first = json_of("run @s.toml --out @runs");
  ASSERT_GT(first.at("studies").at(0).at("collapsed"), 0) << "an untrained net should call all one";
  EXPECT_EQ(json_of("run @s.toml --out @runs").at("studies").at(0).at("trained"), 0);
  EXPECT_EQ(status("runs").at("collapsed"), first.at("studies").at(0).at("collapsed"));
}

TEST_F(Running, PhantomIsMadeOnceAndUsedAgain) {
  write(at("p.toml"), R"([study]
seeds = 1
[data]
source = "phantom"
phantom = { train = 40, test = 20, seed = 3 }
size = 32
[train]
model = { kind = "mlp", hidden = [4] }
epochs = 1
batch_size = 8
loss = "bce_with_logits"
[[arm]]
name = "only"
)");
  const Outcome first = bioptic("run @p.toml --out @a");
  ASSERT_EQ(first.code, 0) << first.err;
  const auto cache = tree(at("cache"));
  const Outcome second = bioptic("run @p.toml --out @b");
  ASSERT_EQ(second.code, 0) << second.err;
  EXPECT_EQ(difference(tree(at("cache")), cache), "");
  EXPECT_TRUE(read(at("a/p/tables/predictions.csv")) == read(at("b/p/tables/predictions.csv")));
}

TEST_F(Running, ReportIsMadeAgainFromTheStoreAlone) {
  make_images("images");
  make_study("s");
  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  const auto before = tree(at("runs/s"));
  for (const char* gone : {"runs/s/tables", "runs/s/figures", "runs/s/report.html"}) {
    fs::remove_all(at(gone));
  }
  ASSERT_EQ(bioptic("report @runs/s").code, 0);
  EXPECT_EQ(difference(tree(at("runs/s")), before), "");
  // Without the images: everything but the figures that show them, and it says so.
  fs::remove_all(at("cache"));
  const Outcome outcome = bioptic("report @runs");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("left out"), std::string::npos) << outcome.out;
  EXPECT_TRUE(read(at("runs/s/tables/predictions.csv")) == before.at("tables/predictions.csv"));
}

TEST_F(Running, ChangedDataAreRefusedUntilAskedFor) {
  make_images("images");
  make_study("s");
  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  const std::string table = read(at("runs/s/tables/trials.csv"));
  const auto before = tree(at("runs"));
  write_tiff(at("images/train/sick/person0_0.tiff"), 24, 24, 8, std::vector<unsigned>(576, 9));
  const Outcome refused = bioptic("run @s.toml --out @runs");
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("--new-data"), std::string::npos) << refused.err;
  EXPECT_TRUE(read(at("runs/s/tables/trials.csv")) == table);
  const json now = json_of("run @s.toml --out @runs --new-data");
  EXPECT_EQ(now.at("studies").at(0).at("trained"), 4);
  // The old images again: the old trials are still there.
  make_images("images");
  const json back = json_of("run @s.toml --out @runs --new-data");
  EXPECT_EQ(back.at("studies").at(0).at("found").get<int>() +
                back.at("studies").at(0).at("trained").get<int>(),
            4);
  EXPECT_TRUE(read(at("runs/s/tables/trials.csv")) == table);
  EXPECT_TRUE(read(at("runs/s/tables/predictions.csv")) == before.at("s/tables/predictions.csv"));
}

}  // namespace
}  // namespace e2e
