// Augmentation in a study: the same bytes however it is run, a figure of it, and clear refusals.
#include <signal.h>

#include <chrono>
#include <thread>

#include "workspace.h"

namespace e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kAugment =
    "augment = { shift = 0.1, rotate = 15, scale = 0.1, flip = true, brightness = 0.1, "
    "contrast = 0.2, noise = 5 }\n";

class Augmentation : public Workspace {
 protected:
  void SetUp() override {
    Workspace::SetUp();
    make_images("images");
  }
  // Two arms that augment and one that does not.
  void make(const std::string& epochs) const {
    const fs::path file =
        make_study("s", "save_models = \"all\"", "epochs = " + epochs + "\n" + kAugment);
    write(file, read(file) + "\n[[arm]]\nname = \"plain\"\naugment = false\n");
  }
  // What must be the same however a study was run.
  Tree results(const std::string& out) const {
    Tree found = tree(at(out) / "s/models");
    for (const char* file : {"tables/history.csv", "tables/predictions.csv"}) {
      found[file] = read(at(out) / "s" / file);
    }
    found["weights"] = "";
    const json summary = json::parse(read(at(out) / "s/summary.json"));
    for (const json& t : summary.at("trials")) {
      found["weights"] += t.at("weights_sha256").get<std::string>() + "\n";
    }
    return found;
  }
};

TEST_F(Augmentation, HasTheSameBytesOnAnyThreadsJobsAndInstructionSet) {
  make("3");
  ASSERT_EQ(bioptic("run @s.toml --out @one --jobs 1 --threads 1").code, 0);
  const Tree one = results("one");
  ASSERT_GT(one.at("weights").size(), 6 * 64U);
  int run = 0;
  for (const char* how : {"--jobs 1 --threads 3", "--jobs 3 --threads 4 --isa portable"}) {
    const std::string out = "many" + std::to_string(run++);
    ASSERT_EQ(bioptic("run @s.toml --out @" + out + " " + how).code, 0) << how;
    EXPECT_EQ(difference(results(out), one), "") << how;
  }
}

TEST_F(Augmentation, GoesOnAfterAKillToTheSameBytes) {
  make("150");
  ASSERT_EQ(bioptic("run @s.toml --out @whole").code, 0);
  const auto done = [&] {
    const Outcome outcome = bioptic("status @runs --json");
    if (outcome.code != 0) return 0;
    const json studies = json::parse(outcome.out).at("studies");
    return studies.empty() ? 0 : studies.at(0).at("done").get<int>();
  };
  Program run(words("run @s.toml --out @runs --jobs 1"), folder_);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (done() == 0 && run.running() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  run.signal(SIGKILL);
  run.wait();
  ASSERT_GE(done(), 1);
  ASSERT_LT(done(), 6) << "not killed in the middle";
  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  EXPECT_EQ(difference(results("runs"), results("whole")), "");
}

TEST_F(Augmentation, IsShownInTheReportAndChangesOnlyTheArmsThatAskForIt) {
  make("2");
  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  EXPECT_TRUE(fs::exists(at("runs") / "s/figures/augmented.png"));
  EXPECT_NE(read(at("runs") / "s/report.html").find("as each arm that augments shows it"),
            std::string::npos);
  // Without augmentation anywhere there is no figure, and the plain arm's trials are those of a
  // study that never heard of it.
  make_study("t", "save_models = \"all\"", "epochs = 2");
  const json again = json_of("run @t.toml --out @runs");
  EXPECT_EQ(again.at("studies").at(0).at("found"), 2);
  EXPECT_EQ(again.at("studies").at(0).at("trained"), 2);
  EXPECT_FALSE(fs::exists(at("runs") / "t/figures/augmented.png"));
  const auto weights = [&](const std::string& study, const std::string& arm) {
    std::string text;
    const json summary = json::parse(read(at("runs") / study / "summary.json"));
    for (const json& t : summary.at("trials")) {
      if (t.at("arm") == arm) text += t.at("weights_sha256").get<std::string>() + "\n";
    }
    return text;
  };
  EXPECT_EQ(weights("s", "plain").size(), 2 * 65U);
  EXPECT_EQ(weights("s", "plain"), weights("t", "constant"));
  EXPECT_NE(weights("s", "constant"), weights("t", "constant"));
}

TEST_F(Augmentation, AMistakeIsOneLineThatSaysWhatWasExpected) {
  write(at("s.toml"), read(make_study("s", "", "epochs = 2\naugment = { rotate = 200 }")));
  const Outcome outcome = bioptic("run @s.toml --out @runs");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("[train] augment.rotate = 200: expected a number in [0, 180]"),
            std::string::npos)
      << outcome.err;
}

}  // namespace
}  // namespace e2e
