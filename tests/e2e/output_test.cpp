// What a command leaves behind and what it does not write over; stores that cannot be written,
// that bring names of their own, or that are damaged.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "workspace.h"

namespace e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::steady_clock;

class Output : public Workspace {
 protected:
  void SetUp() override {
    Workspace::SetUp();
    make_images("images", 8);
    make_study("s");
  }
  void expect_refused(const std::string& arguments, const std::string& said) const {
    const Outcome outcome = bioptic(arguments);
    EXPECT_EQ(outcome.code, 2) << arguments << "\n" << outcome.err;
    EXPECT_NE(outcome.err.find(said), std::string::npos) << arguments << "\n" << outcome.err;
  }
};

TEST_F(Output, ARunThatIsRefusedLeavesNothing) {
  write(at("runs/s/report.html"), "mine");
  const Tree before = tree(at("runs"));
  expect_refused("run @s.toml --out @runs", "runs/s/report.html exists already");
  EXPECT_EQ(difference(tree(at("runs")), before), "");
  expect_refused("report @s --out @x", "holds no runs");
  EXPECT_FALSE(fs::exists(at("x")));
  ASSERT_EQ(bioptic("run @s.toml --out @runs --force").code, 0);
  EXPECT_EQ(bioptic("run @s.toml --out @runs").code, 0);
}

// A report that was stopped leaves its tables; the next run makes it anew, without being asked to.
TEST_F(Output, ATornReportIsMadeAgain) {
  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  fs::remove(at("runs/s/report.html"));
  const Outcome again = bioptic("run @s.toml --out @runs");
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_TRUE(fs::exists(at("runs/s/report.html")));
}

// Fewer seeds leave trials that no report shows: they are told, kept, and found again.
TEST_F(Output, TrialsThatNoStudyShowsAreTold) {
  EXPECT_EQ(bioptic("run @s.toml --out @runs --seeds 3").out.find("no study now"),
            std::string::npos);
  const std::string said = "trials in the store belong to no study now";
  const Outcome fewer = bioptic("run @s.toml --out @runs --seeds 2");
  EXPECT_NE(fewer.out.find(said), std::string::npos) << fewer.out;
  EXPECT_NE(bioptic("report @runs").out.find(said), std::string::npos);
  EXPECT_NE(bioptic("status @runs").out.find(said), std::string::npos);
  EXPECT_EQ(json_of("status @runs").at("unplaced_trials"), 2);
  const Outcome again = bioptic("run @s.toml --out @runs --seeds 3");
  EXPECT_NE(again.out.find("0 trials trained"), std::string::npos) << again.out;
  EXPECT_EQ(again.out.find("no study now"), std::string::npos) << again.out;
}

TEST_F(Output, NothingIsOverwrittenUnasked) {
  write(at("plots/power.svg"), "mine");
  const std::string plan =
      "plan --detect 0.02 --sd-seeds 0.01 --sd-cases 0.3 --figure @plots/power";
  expect_refused(plan, "plots/power.svg exists already");
  EXPECT_EQ(read(at("plots/power.svg")), "mine");
  EXPECT_EQ(bioptic(plan + " --force").code, 0);
  EXPECT_NE(read(at("plots/power.svg")), "mine");

  const std::string schedule = "schedule @s.toml --train-images 30 --out @o";
  write(at("o/s/schedule/schedule.csv"), "mine");
  expect_refused(schedule, "schedule.csv exists already");
  EXPECT_EQ(read(at("o/s/schedule/schedule.csv")), "mine");
  EXPECT_EQ(bioptic(schedule + " --force").code, 0);
  EXPECT_EQ(bioptic(schedule).code, 0);  // its own is made again

  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  const std::string compare = "compare @runs/s/tables/predictions.csv --figure @plots/power";
  expect_refused(compare, "plots/power.svg exists already");
}

TEST_F(Output, ReportsAndTheirFiguresHaveTheSameBytesAgain) {
  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  ASSERT_EQ(bioptic("report @runs --out @one").code, 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // another second
  ASSERT_EQ(bioptic("report @runs --out @two").code, 0);
  EXPECT_EQ(difference(tree(at("one")), tree(at("two"))), "");
  std::size_t drawn = 0;
  for (const auto& entry : fs::directory_iterator(at("one/s/figures"))) {
    if (entry.path().extension() != ".pdf") continue;
    ++drawn;
    EXPECT_TRUE(read(entry.path()) == read(at("two/s/figures") / entry.path().filename()))
        << entry.path();
  }
  EXPECT_GT(drawn, 2U);
}

TEST_F(Output, AStoreThatCannotBeWrittenIsRead) {
  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  const json before = json_of("status @runs");
  if (::mount(at("runs").c_str(), at("runs").c_str(), nullptr, MS_BIND, nullptr) != 0) {
    GTEST_SKIP() << "nothing may be mounted here";
  }
  ASSERT_EQ(
      ::mount(nullptr, at("runs").c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), 0);
  EXPECT_EQ(json_of("status @runs"), before);
  EXPECT_EQ(bioptic("check @runs").code, 0);
  const Outcome plan = bioptic("plan --from @runs --detect 0.05");
  EXPECT_EQ(plan.err.find("cannot be"), std::string::npos) << plan.err;
  const Outcome report = bioptic("report @runs --out @elsewhere");
  EXPECT_EQ(report.code, 0) << report.err;
  EXPECT_TRUE(fs::exists(at("elsewhere/s/report.html")));
  EXPECT_EQ(bioptic("run @s.toml --out @runs --seeds 3").code, 2);
  ::umount2(at("runs").c_str(), MNT_DETACH);
  EXPECT_EQ(read(at("elsewhere/s/summary.json")), read(at("runs/s/summary.json")));
}

TEST_F(Output, ARunWhoseFolderIsRemovedFails) {
  make_study("long", "", "epochs = 100");
  Program run(words("run @long.toml --out @runs --jobs 1"), folder_);
  const auto end = steady_clock::now() + std::chrono::seconds(60);
  const auto training = [&] {
    const Outcome outcome = bioptic("status @runs --json");
    if (outcome.code != 0) return false;
    const json studies = json::parse(outcome.out).at("studies");
    return studies.size() == 1 && studies.at(0).at("running") >= 1;
  };
  while (!training() && steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::error_code raced;
  fs::remove_all(at("runs"), raced);
  fs::remove_all(at("runs"), raced);
  const Outcome outcome = run.wait();
  EXPECT_EQ(outcome.code, 1) << outcome.err;
  EXPECT_NE(outcome.err.find("was removed or replaced while it was written"), std::string::npos)
      << outcome.err;
}

TEST_F(Output, OneReportAtATime) {
  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  const int folder = ::open(at("runs/s").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(::flock(folder, LOCK_EX), 0);  // as a report that is being written
  fs::remove(at("runs/s/summary.json"));
  Program report(words("report @runs"), folder_);
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  EXPECT_TRUE(report.running());
  EXPECT_FALSE(fs::exists(at("runs/s/summary.json")));
  ::close(folder);
  EXPECT_EQ(report.wait().code, 0);
  EXPECT_TRUE(fs::exists(at("runs/s/summary.json")));
}

TEST_F(Output, LeftoversOfAKilledInitGo) {
  write(at(".mine.toml.bioptic-tmp-999999999-0"), "half");
  write(at(".other.toml.bioptic-tmp-999999999-0"), "not ours to remove");
  ASSERT_EQ(bioptic("init phantom --out @mine.toml").code, 0);
  EXPECT_FALSE(fs::exists(at(".mine.toml.bioptic-tmp-999999999-0")));
  EXPECT_TRUE(fs::exists(at(".other.toml.bioptic-tmp-999999999-0")));
}

TEST_F(Output, DamageThatLeavesADatabaseIsRefusedAndTold) {
  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  EXPECT_EQ(bioptic("check @runs").code, 0);
  const std::string path = at("runs/bioptic.sqlite").string();
  std::string bytes = read(path);
  const std::size_t arm = bytes.rfind("person3");  // a group of an image
  ASSERT_NE(arm, std::string::npos);
  bytes[arm + 6] = '4';
  write(path, bytes);
  const Outcome report = bioptic("report @runs");
  EXPECT_EQ(report.code, 1);
  EXPECT_NE(report.err.find("is damaged: it has not the SHA-256"), std::string::npos) << report.err;
  const Outcome check = bioptic("check @runs --json");
  EXPECT_EQ(check.code, 1);
  EXPECT_EQ(json::parse(check.out).at("damaged"), 1);
}

TEST_F(Output, AStoresNameLeadsNowhereElse) {
  ASSERT_EQ(bioptic("run @s.toml --out @a/b/runs").code, 0);
  const std::string path = at("a/b/runs/bioptic.sqlite").string();
  const std::string sql = "sqlite3 " + path +
                          " \"UPDATE studies SET name = '../../../evil';"
                          "UPDATE study_images SET study = '../../../evil';"
                          "UPDATE study_trials SET study = '../../../evil'\"";
  if (std::system(sql.c_str()) != 0) GTEST_SKIP() << "there is no sqlite3 program here";
  const Outcome report = bioptic("report @a/b/runs");
  EXPECT_EQ(report.code, 1);
  EXPECT_NE(report.err.find("cannot be a folder's name"), std::string::npos) << report.err;
  EXPECT_FALSE(fs::exists(at("evil")));
}

}  // namespace
}  // namespace e2e
