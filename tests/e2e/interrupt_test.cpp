// Ctrl-C, kill -9, and two runs at once.  tools/kill_test.py does the same at a larger scale.
#include <fmt/format.h>
#include <signal.h>

#include <chrono>
#include <random>
#include <thread>

#include "workspace.h"

namespace e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

class Interrupt : public Workspace {
 protected:
  // Long enough to be met in the middle: many short epochs.
  void SetUp() override {
    Workspace::SetUp();
    make_images("images");
    make_study("s", "save_models = \"all\"", "epochs = 300");
  }
  // Waits until a trial is running.
  void wait_for_training(const std::string& out) const {
    const auto end = steady_clock::now() + std::chrono::seconds(60);
    while (steady_clock::now() < end) {
      const Outcome outcome = bioptic("status @" + out + " --json");
      if (outcome.code == 0 && json::parse(outcome.out).at("studies").size() == 1 &&
          json::parse(outcome.out).at("studies").at(0).at("running") >= 1) {
        return;
      }
      std::this_thread::sleep_for(milliseconds(10));
    }
    FAIL() << "no trial began to run";
  }
  static std::vector<std::string> temporaries(const fs::path& folder) {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.path().filename().string().find(".bioptic-tmp-") != std::string::npos) {
        found.push_back(entry.path().string());
      }
    }
    return found;
  }
  static json trials(const fs::path& summary) {
    json list = json::array();
    const json whole = json::parse(read(summary));  // outlives the loop
    for (const json& t : whole.at("trials")) {
      list.push_back({t.at("arm"), t.at("seed"), t.at("status"), t.at("weights_sha256")});
    }
    return list;
  }
  void expect_same_results(const std::string& out, const std::string& expected) const {
    for (const char* file : {"tables/history.csv", "tables/predictions.csv"}) {
      EXPECT_EQ(read(at(out) / "s" / file), read(at(expected) / "s" / file)) << file;
    }
    EXPECT_EQ(trials(at(expected) / "s/summary.json").size(), 4U);
    EXPECT_EQ(trials(at(out) / "s/summary.json"), trials(at(expected) / "s/summary.json"));
    EXPECT_EQ(difference(tree(at(out) / "s/models"), tree(at(expected) / "s/models")), "");
    EXPECT_EQ(temporaries(at(out)), std::vector<std::string>{});
    EXPECT_EQ(temporaries(at("cache")), std::vector<std::string>{});
  }
};

TEST_F(Interrupt, ControlCStopsCleanlyAndTheSameCommandGoesOn) {
  ASSERT_EQ(bioptic("run @s.toml --out @whole").code, 0);
  Program run(words("run @s.toml --out @runs"), folder_);
  wait_for_training("runs");
  run.signal(SIGINT);
  const Outcome stopped = run.wait();
  EXPECT_EQ(stopped.code, 130) << stopped.err;
  EXPECT_NE(stopped.err.find("Stopping"), std::string::npos) << stopped.err;
  EXPECT_NE(stopped.err.find("The same command goes on"), std::string::npos) << stopped.err;
  const json left = status("runs");
  EXPECT_EQ(left.at("running"), 0);
  EXPECT_GT(left.at("missing"), 0);
  const int collapsed = left.at("collapsed"), kept = left.at("done").get<int>() + collapsed;
  const std::string said =
      fmt::format("{} of 4 trials of s are done and kept{}. The same", kept,
                  collapsed > 0 ? fmt::format(", {} of them collapsed", collapsed) : "");
  EXPECT_NE(stopped.err.find(said), std::string::npos) << stopped.err;

  const Outcome report = bioptic("report @runs");
  EXPECT_EQ(report.code, 0) << report.err;
  EXPECT_NE(report.out.find("unfinished"), std::string::npos) << report.out;

  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  expect_same_results("runs", "whole");
}

TEST_F(Interrupt, SecondRunOnTheSameStoreIsRefused) {
  Program run(words("run @s.toml --out @runs"), folder_);
  wait_for_training("runs");
  const Outcome second = bioptic("run @s.toml --out @runs");
  EXPECT_EQ(second.code, 2);
  EXPECT_NE(second.err.find(fmt::format("process {}", run.pid())), std::string::npos) << second.err;
  EXPECT_NE(second.err.find("--out"), std::string::npos) << second.err;
  run.signal(SIGTERM);
  EXPECT_EQ(run.wait().code, 130);
}

TEST_F(Interrupt, KilledAtAnyMomentLosesAtMostTheTrialInFlight) {
  const auto begin = steady_clock::now();
  ASSERT_EQ(bioptic("run @s.toml --out @whole").code, 0);
  const double whole = std::chrono::duration<double>(steady_clock::now() - begin).count();
  std::mt19937 random(11);
  for (int round = 0; round < 2; ++round) {
    const std::string out = fmt::format("killed{}", round);
    fs::remove_all(at("cache"));  // the import is hit too
    int done = 0;
    for (int kill = 0; kill < 6; ++kill) {
      Program run(words("run @s.toml --out @" + out), folder_);
      // From the start (import) to beyond the end (figures) of what is left to do.
      const double share = std::uniform_real_distribution<double>(0, 0.6)(random);
      const auto end = steady_clock::now() + milliseconds(static_cast<int>(1000 * whole * share));
      while (run.running() && steady_clock::now() < end) {
        std::this_thread::sleep_for(milliseconds(1));
      }
      run.signal(SIGKILL);
      run.wait();
      const Outcome asked = bioptic("status @" + out + " --json");
      if (asked.code == 2) continue;  // killed before there was a store
      ASSERT_EQ(asked.code, 0) << asked.err;
      const json studies = json::parse(asked.out).at("studies");
      if (studies.empty()) continue;
      const json& s = studies.at(0);
      EXPECT_EQ(s.at("running"), 0);
      EXPECT_EQ(s.at("failed"), 0);
      const int now = s.at("done").get<int>() + s.at("collapsed").get<int>();
      EXPECT_GE(now, done);
      done = now;
    }
    const json last = json_of("run @s.toml --out @" + out);
    EXPECT_EQ(last.at("studies").at(0).at("found"), done);
    expect_same_results(out, "whole");
  }
}

}  // namespace
}  // namespace e2e
