// `init` and `schedule`, called as the program calls them.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/cli/command.h"
#include "bioptic/study/spec.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

// A folder that is removed again.
class StudyCommands : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / temporary_beside(info->name()).filename();
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  // What the command prints.  CLI11 takes the arguments last first.
  static std::string call(std::vector<std::string> arguments) {
    CLI::App app;
    Command run;
    register_init(app, run);
    register_schedule(app, run);
    std::reverse(arguments.begin(), arguments.end());
    app.parse(arguments);
    ::testing::internal::CaptureStdout();
    try {
      EXPECT_EQ(run(), 0);
    } catch (...) {
      ::testing::internal::GetCapturedStdout();
      throw;
    }
    return ::testing::internal::GetCapturedStdout();
  }

  fs::path folder_;
};

TEST_F(StudyCommands, InitWritesAStudyThatParsesAndOverwritesNothing) {
  call({"init", "phantom", "--vary", "batch_size=10,50", "--out", path("mine.toml")});
  const StudySpec study = parse_study(path("mine.toml"));
  EXPECT_EQ(study.name, "mine");
  EXPECT_EQ(study.arms.size(), 2U);
  EXPECT_EQ(study.data.positive, "PNEUMONIA");
  EXPECT_THROW(call({"init", "phantom", "--out", path("mine.toml")}), InputError);
  EXPECT_EQ(parse_study(path("mine.toml")).arms.size(), 2U);
  call({"init", "phantom", "--out", path("mine.toml"), "--force"});
  EXPECT_EQ(parse_study(path("mine.toml")).arms.size(), 1U);
}

TEST_F(StudyCommands, InitFindsTheClassesOfAFolder) {
  for (const char* name :
       {"images/train/cat", "images/train/dog", "images/val/cat", "images/val/dog", "one/cat"}) {
    fs::create_directories(folder_ / name);
    write_file(folder_ / name / "1.png", "not looked at");
  }
  call({"init", path("images"), "--out", path("sub/mine.toml")});
  const StudySpec study = parse_study(path("sub/mine.toml"));
  EXPECT_EQ(study.data.positive, "dog");
  EXPECT_EQ(study.data.source, "../images");  // relative to the study file
  EXPECT_THROW(call({"init", path("one"), "--out", path("q.toml")}), InputError);
  EXPECT_THROW(call({"init", path("nothing"), "--out", path("q.toml")}), InputError);
  EXPECT_FALSE(fs::exists(path("q.toml")));
}

TEST_F(StudyCommands, ScheduleListsEveryStep) {
  write_file(path("s.toml"),
             "[train]\nepochs = 3\nbatch_size = 4\n"
             "[[arm]]\nname = \"a, b\"\nscheduler = { kind = \"exponential\", gamma = 0.5 }\n"
             "[[arm]]\nname = \"p\"\nscheduler = \"plateau\"\n");
  // 9 images in batches of 4: 3 steps per epoch, the last batch smaller.
  const std::string csv = call({"schedule", path("s.toml"), "--train-images", "9", "--csv"});
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 2 * 9);
  EXPECT_EQ(csv.find("arm,epoch,step,lr,momentum\n\"a, b\",1,1,0.001,\n"), 0U);
  EXPECT_NE(csv.find("\"a, b\",2,4,0.0005,\n"), std::string::npos);
  const std::string json = call({"schedule", path("s.toml"), "--train-images", "9", "--json"});
  EXPECT_NE(json.find("\"depends_on_validation\": true"), std::string::npos);
  EXPECT_THROW(call({"schedule", path("s.toml"), "--train-images", "3", "--csv"}), InputError);
}

TEST_F(StudyCommands, ScheduleCountsThePhantom) {
  const std::string json = call({"schedule", "studies/batch_size.toml", "--json"});
  EXPECT_NE(json.find("\"train_images\": 1600"), std::string::npos);
  EXPECT_NE(json.find("\"steps_per_epoch\": 160"), std::string::npos);
}

TEST_F(StudyCommands, ScheduleRefusesASearchThatRunRefuses) {
  write_file(path("s.toml"), "[data]\ngroup = '(?=person)'\n[[arm]]\nname = 'a'\n");
  try {
    call({"schedule", path("s.toml"), "--train-images", "9", "--csv", "--out", path("runs")});
    FAIL() << "taken";
  } catch (const InputError& e) {
    const std::string said = e.what();
    EXPECT_NE(said.find("[data] group = '(?=person)': a search with it may take for ever"),
              std::string::npos)
        << said;
  }
}

TEST_F(StudyCommands, ScheduleNeedsToKnowTheNumberOfImages) {
  fs::create_directories(folder_ / "images");
  write_file(path("s.toml"), "[data]\nsource = 'images'\n[[arm]]\nname = 'a'\n");
  EXPECT_THROW(call({"schedule", path("s.toml")}), InputError);
  EXPECT_THROW(call({"schedule", path("s.toml"), "--data", path("nothing")}), InputError);
}

}  // namespace
}  // namespace bioptic
