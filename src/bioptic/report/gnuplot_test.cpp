#include "bioptic/report/gnuplot.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "bioptic/base/files.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

class Gnuplot : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / temporary_beside("gnuplot").filename();
    fs::create_directories(folder_ / "scratch");
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string draw(const std::vector<Figure>& figures) {
    return draw_figures(figures, folder_ / "scratch", folder_ / "figures");
  }
  bool drawn(const std::string& name) const {
    return fs::exists(folder_ / "figures" / (name + ".svg")) &&
           fs::exists(folder_ / "figures" / (name + ".png")) &&
           fs::exists(folder_ / "figures" / (name + ".pdf"));
  }
  fs::path folder_;
};

Figure figure(const std::string& name, const std::string& body) {
  Figure f;
  f.name = name;
  f.body = body;
  return f;
}

TEST_F(Gnuplot, OneThatFailsTakesNoOtherWithIt) {
  const std::string said =
      draw({figure("a", "plot x"), figure("b", "plot nonsense("), figure("c", "plot -x")});
  EXPECT_NE(said.find("b"), std::string::npos) << said;
  EXPECT_TRUE(drawn("a"));
  EXPECT_FALSE(drawn("b"));
  EXPECT_TRUE(drawn("c"));
}

TEST_F(Gnuplot, AnOldDrawingDoesNotPassForOneThatFails) {
  EXPECT_EQ(draw({figure("a", "plot x")}), "");
  EXPECT_TRUE(drawn("a"));
  EXPECT_NE(draw({figure("a", "plot nonsense(")}), "");
  EXPECT_FALSE(fs::exists(folder_ / "figures/a.svg"));
}

// A figure that has a row for each of many arms: cairo draws no picture of so many pixels.
TEST_F(Gnuplot, AFigureAsTallAsAHouseIsDrawn) {
  Figure tall = figure("a", "plot x");
  tall.height_mm = 3000;  // 35,433 pixels at 300 dpi
  EXPECT_EQ(draw({tall}), "");
  EXPECT_TRUE(drawn("a"));
}

TEST_F(Gnuplot, NamesAreNotCommands) {
  const std::string name = "a\"; system('touch oops') \\ `touch oops` {/Bold x} %d\n'";
  EXPECT_EQ(draw({figure("a", "plot x title " + gnuplot_quote(name))}), "");
  EXPECT_TRUE(drawn("a"));
  EXPECT_FALSE(fs::exists(folder_ / "scratch/oops"));
}

TEST_F(Gnuplot, WhatNoDrawingMayHoldIsShownByItsNumber) {
  EXPECT_EQ(draw({figure("a", "plot x title " + gnuplot_quote("M\xFCller \x01."))}), "");
  EXPECT_NE(read_file(folder_ / "figures/a.svg").find("M\\xFCller \\x01."), std::string::npos);
}

// The label of a tic is a format to gnuplot: "10% contrast" became "10ontrast".
TEST_F(Gnuplot, APercentSignInTheLabelOfATicIsNoFormat) {
  for (const std::string name : {"10% contrast", "50%", "5% less noise", "100 %%"}) {
    EXPECT_EQ(draw({figure("a", "set ytics (" + gnuplot_tic(name) + " 0)\nplot x")}), "") << name;
    EXPECT_NE(read_file(folder_ / "figures/a.svg").find(name), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace bioptic
