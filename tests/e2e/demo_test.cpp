// The demo: from nothing to a page of answers.
#include "workspace.h"

namespace e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Demo : public Workspace {};

TEST_F(Demo, TrainsTheReportsStudiesAndWritesOnePage) {
  const Outcome first = bioptic("demo --seeds 1 --out @demo");
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_NE(first.out.find("Is it the setting, or the seed?"), std::string::npos);
  EXPECT_NE(first.out.find("Not yet: 1 of the 5 seeds"), std::string::npos) << first.out;
  const std::string page = read(at("demo") / "index.html");
  for (const char* id : {"A1", "B1", "B2", "B3", "B4", "C1", "C2", "C3", "C4", "C5", "D1"}) {
    EXPECT_NE(page.find(std::string("#claim-") + id + "\""), std::string::npos) << id;
  }
  for (int figure = 1; figure <= 8; ++figure) {
    EXPECT_NE(page.find("<h3>Fig. " + std::to_string(figure) + " "), std::string::npos) << figure;
  }
  for (const char* name : {"loss", "batch_size", "scheduler", "gap"}) {
    EXPECT_TRUE(fs::exists(at("demo") / name / "report.html")) << name;
  }

  // Its studies can be run by themselves; nothing is trained again, the page stays the same.
  const json again = json_of("run @demo/studies/loss.toml --seeds 1 --out @demo --json");
  EXPECT_EQ(again.at("studies").at(0).at("trained"), 0);
  EXPECT_EQ(again.at("studies").at(0).at("found"), 3);
  EXPECT_EQ(read(at("demo") / "index.html"), page);

  // A study that was changed is someone's work.
  write(at("demo") / "studies" / "loss.toml", "# mine\n");
  const Outcome refused = bioptic("demo --seeds 1 --out @demo");
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("--out"), std::string::npos) << refused.err;
  EXPECT_EQ(read(at("demo") / "studies" / "loss.toml"), "# mine\n");
}

TEST_F(Demo, SeveralStudiesOfAnyKindGetAPage) {
  make_images("images");
  make_study("one");
  make_study("two");
  ASSERT_EQ(bioptic("run @one.toml --quiet --out @runs").code, 0);
  EXPECT_FALSE(fs::exists(at("runs") / "index.html"));
  const Outcome run = bioptic("run @two.toml --out @runs");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_NE(run.out.find("index.html"), std::string::npos);
  const std::string page = read(at("runs") / "index.html");
  EXPECT_NE(page.find("one/report.html"), std::string::npos);
  EXPECT_NE(page.find("two/report.html"), std::string::npos);
  fs::remove(at("runs") / "index.html");
  ASSERT_EQ(bioptic("report @runs").code, 0);
  EXPECT_EQ(read(at("runs") / "index.html"), page);
}

}  // namespace
}  // namespace e2e
