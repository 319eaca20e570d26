#include "bioptic/study/executor.h"

#include <gtest/gtest.h>

#include <unistd.h>
#include <map>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/random.h"
#include "bioptic/study/summarise.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStudy = R"([study]
name = "s"
seeds = 2
[data]
source = "data"
[train]
model = { kind = "mlp", hidden = [3] }
epochs = 3
batch_size = 8
loss = "bce_with_logits"
[[arm]]
name = "a"
[[arm]]
name = "b"
batch_size = 4
)";

class Executor : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(out_);
    ::setenv("BIOPTIC_CACHE", (out_ / "cache").c_str(), 1);
    DatasetInfo info;
    info.height = info.width = 4;
    info.classes = {"no", "yes"};
    info.preprocessing = info.provenance = "{}";
    DatasetWriter writer(out_ / "data", info);
    RandomStream random(1, "pixels");
    for (int i = 0; i < 40; ++i) {
      std::vector<std::uint8_t> pixels(16);
      for (auto& p : pixels) p = static_cast<std::uint8_t>(random.below(200) + (i % 2 ? 50U : 0U));
      const std::string source = "image" + std::to_string(i);
      writer.add(std::span<const std::uint8_t>(pixels),
                 {{}, source, i % 2, i < 28 ? "train" : "test", ""});
    }
    writer.finish();
  }
  void TearDown() override {
    ::unsetenv("BIOPTIC_CACHE");
    fs::remove_all(out_);
  }

  PlannedStudy plan(int numerics_version = engine_numerics_version("reference")) const {
    write_file(out_ / "s.toml", kStudy);
    PlannedStudy study{parse_study(out_ / "s.toml"), {}, {}};
    PrepareOptions prepare;
    prepare.out = out_;
    study.data = prepare_data(study.spec, prepare);
    study.trials = expand(study.spec, study.data.study_data(), "reference", numerics_version);
    return study;
  }
  ExecutorOptions options() const {
    ExecutorOptions o;
    o.out = out_;
    return o;
  }
  // As `run` stores it, as far as a summary reads it.
  static void save_study(Store& store, const PlannedStudy& study) {
    StoredStudy row;
    row.name = "s";
    row.file = study.spec.file.string();
    row.toml = study.spec.text;
    row.dataset_info =
        R"({"images":40,"channels":1,"height":4,"width":4,"classes":["no","yes"],"groups_from":"",)"
        R"("preprocessing":{},"provenance":{},"content_sha256":"x"})";
    const auto image = [&](std::size_t i) {
      return StoredImage{"", "", "", "", study.data.dataset.label(i)};
    };
    std::vector<StoredPlace> places;
    for (const PlannedTrial& t : study.trials) {
      places.push_back({study.spec.arms[t.arm].name, t.seed, t.spec.seeds, t.id});
    }
    store.save_study(row, 40, image, places);
  }

  fs::path out_ = fs::temp_directory_path() /
                  temporary_beside("executor" + std::to_string(::getpid())).filename();
};

TEST_F(Executor, TrainsWhatIsMissingOnce) {
  const PlannedStudy study = plan();
  Store store = Store::open_to_write(out_);
  ExecutorOutcome outcome = execute(study, store, options());
  EXPECT_EQ(outcome.trained, 4);
  EXPECT_EQ(outcome.found, 0);
  outcome = execute(study, store, options());
  EXPECT_EQ(outcome.trained, 0);
  EXPECT_EQ(outcome.found, 4);
}

// Trials that an older form of the engine's arithmetic made stay in the store, but neither count as
// done nor enter a summary beside newer ones.
TEST_F(Executor, TrialsOfAnotherNumericsVersionAreNotMixedIn) {
  const int now = engine_numerics_version("reference");
  const PlannedStudy older = plan(now - 1), study = plan(now);
  Store store = Store::open_to_write(out_);
  EXPECT_EQ(execute(older, store, options()).trained, 4);
  for (const PlannedTrial& t : study.trials) EXPECT_FALSE(store.trial(t.id, false));
  save_study(store, study);
  for (const ArmSummary& arm : summarise(store, "s").arms) EXPECT_EQ(arm.missing, 2);

  const ExecutorOutcome outcome = execute(study, store, options());
  EXPECT_EQ(outcome.found, 0);
  EXPECT_EQ(outcome.trained, 4);
  for (const ArmSummary& arm : summarise(store, "s").arms) {
    EXPECT_EQ(arm.missing, 0);
    EXPECT_EQ(arm.trials.size(), 2U);
  }
  for (const PlannedTrial& t : older.trials) EXPECT_TRUE(store.trial(t.id, false));
}

TEST_F(Executor, ManyAtOnceGiveTheSameTrials) {
  const PlannedStudy study = plan();
  std::map<std::string, std::string> alone;
  {
    Store store = Store::open_to_write(out_);
    execute(study, store, options());
    for (const PlannedTrial& t : study.trials) {
      alone[t.id] = store.trial(t.id, false)->weights_sha256;
    }
  }
  ExecutorOptions many = options();
  many.out = out_ / "many";
  many.jobs = 3;
  many.threads = 2;
  double last = 0;
  many.progress = [&](double done, double total, const std::string&) {
    EXPECT_EQ(done, last + 1);  // one at a time, none lost
    EXPECT_EQ(total, 12);
    last = done;
  };
  fs::create_directories(many.out);
  Store store = Store::open_to_write(many.out);
  EXPECT_EQ(execute(study, store, many).trained, 4);
  EXPECT_EQ(last, 12);
  for (const PlannedTrial& t : study.trials) {
    EXPECT_EQ(store.trial(t.id, false)->weights_sha256, alone[t.id]);
  }
}

TEST_F(Executor, StopsAllTrialsInFlight) {
  const PlannedStudy study = plan();
  Store store = Store::open_to_write(out_);
  std::atomic<bool> stop{false};
  ExecutorOptions o = options();
  o.jobs = 4;
  o.stop = &stop;
  o.progress = [&](double, double, const std::string&) { stop = true; };
  EXPECT_THROW(execute(study, store, o), Interrupted);
  for (const PlannedTrial& t : study.trials) EXPECT_FALSE(store.status(t.id));
}

TEST_F(Executor, TwoArmsOfTheSameSettingsAreTrainedOnce) {
  PlannedStudy study = plan();
  for (std::size_t i = 0; i < study.trials.size(); ++i) {  // arm b becomes a copy of arm a
    for (const PlannedTrial& other : study.trials) {
      if (other.arm == 0 && other.seed == study.trials[i].seed) {
        study.trials[i].spec = other.spec;
        study.trials[i].id = other.id;
      }
    }
  }
  Store store = Store::open_to_write(out_);
  ExecutorOptions o = options();
  o.jobs = 4;
  const ExecutorOutcome outcome = execute(study, store, o);
  EXPECT_EQ(outcome.trained, 2);
  EXPECT_EQ(outcome.found, 2);
  EXPECT_TRUE(fs::exists(model_path(out_, study.spec, study.trials[0])));
  for (const PlannedTrial& t : study.trials) {
    if (t.arm == 1 && t.seed == 0) {
      EXPECT_TRUE(fs::exists(model_path(out_, study.spec, t)));
    }
  }
}

TEST_F(Executor, StopsAtTheNextEpochAndKeepsNothingOfTheTrialInFlight) {
  const PlannedStudy study = plan();
  Store store = Store::open_to_write(out_);
  std::atomic<bool> stop{false};
  ExecutorOptions o = options();
  o.stop = &stop;
  int epochs = 0;
  o.progress = [&](double, double, const std::string&) { stop = ++epochs == 4; };  // 1 of trial 2
  EXPECT_THROW(execute(study, store, o), Interrupted);
  EXPECT_EQ(epochs, 4);
  EXPECT_TRUE(store.status(study.trials[0].id));
  EXPECT_FALSE(store.status(study.trials[1].id));
  EXPECT_FALSE(fs::exists(model_path(out_, study.spec, study.trials[1])));
}

TEST_F(Executor, FailedTrialsAreKeptWithTheirErrorAndTrainedAgain) {
  PlannedStudy study = plan();
  study.trials[0].spec.train.batch_size = 1000;  // as if its training had failed
  Store store = Store::open_to_write(out_);
  save_study(store, study);
  ExecutorOutcome outcome = execute(study, store, options());
  EXPECT_EQ(outcome.failed, 1);
  EXPECT_EQ(store.status(study.trials[0].id), TrialStatus::failed);
  StudySummary summary = summarise(store, "s");
  EXPECT_TRUE(summary.unfinished);
  EXPECT_EQ(summary.arms[0].failed, 1);
  EXPECT_EQ(summary.arms[0].trials.size(), 1U);
  EXPECT_NE(summary.notes.back().find("batch_size"), std::string::npos);

  outcome = execute(plan(), store, options());
  EXPECT_EQ(outcome.trained, 1);
  EXPECT_EQ(outcome.found, 3);
  summary = summarise(store, "s");
  EXPECT_FALSE(summary.unfinished);
  EXPECT_TRUE(summary.notes.empty());
}

// Against the stored predictions, counted here by hand.
TEST_F(Executor, SummaryCountsWhatIsStored) {
  const PlannedStudy study = plan();
  Store store = Store::open_to_write(out_);
  save_study(store, study);
  EXPECT_EQ(summarise(store, "s").arms[0].missing, 2);
  execute(study, store, options());
  const StudySummary summary = summarise(store, "s");
  ASSERT_EQ(summary.arms.size(), 2U);
  for (const ArmSummary& arm : summary.arms) {
    ASSERT_EQ(arm.trials.size(), 2U);
    double sum = 0;
    for (const TrialSummary& trial : arm.trials) {
      double right = 0, hits = 0;
      const SplitPredictions& test = trial.result.predictions[1];
      ASSERT_EQ(test.split, "test");
      ASSERT_EQ(test.rows.size(), 12U);
      for (std::size_t i = 0; i < 12; ++i) {
        const bool yes = test.rows[i] % 2 == 1, called = test.logits[i] > 0;  // score > 0.5
        right += yes == called ? 1 : 0;
        hits += yes && called ? 1 : 0;
      }
      EXPECT_EQ(trial.metrics.at("test_accuracy"), right / 12);
      EXPECT_EQ(trial.metrics.at("test_sensitivity"), hits / 6);
      EXPECT_EQ(trial.metrics.at("test_specificity"), (right - hits) / 6);
      sum += right / 12;
    }
    const MetricSummary& accuracy = arm.metrics.at("test_accuracy");
    EXPECT_DOUBLE_EQ(accuracy.mean, sum / 2);
    EXPECT_EQ(accuracy.seeds, 2);
    // t(0.975, 1) = 12.706: half width = 12.706 sd / sqrt 2
    EXPECT_NEAR(accuracy.high - accuracy.mean, 12.7062 * accuracy.sd / std::sqrt(2), 1e-4);
  }
  EXPECT_EQ(summary.environment.at("threads"), "1");
  EXPECT_FALSE(summary.unfinished);
}

TEST_F(Executor, NamesOfFilesAreSafe) {
  StudySpec study;
  for (const char* name : {"a_1", "a 1", "a/1", "a_1-2"}) study.arms.emplace_back().name = name;
  EXPECT_EQ(arm_file_name(study, 0), "a_1");
  EXPECT_EQ(arm_file_name(study, 1), "a_1-2");
  EXPECT_EQ(arm_file_name(study, 2), "a_1-3");
  EXPECT_EQ(arm_file_name(study, 3), "a_1-2-2");
  EXPECT_EQ(file_name("lr=0.01"), "lr=0.01");
  EXPECT_EQ(file_name("a b/c"), "a_b_c");
  EXPECT_EQ(file_name(".."), "_..");
}

}  // namespace
}  // namespace bioptic
