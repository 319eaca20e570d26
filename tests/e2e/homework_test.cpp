// The homework from a folder of images and from four arrays, with one command each.
#include <fmt/format.h>

#include "workspace.h"

namespace e2e {
namespace {

namespace fs = std::filesystem;

class Homework : public Workspace {
 protected:
  static constexpr const char* kStudies[] = {"loss", "batch_size", "scheduler", "gap"};
  // An array of so many images of 8 x 8 pixels of one grey value each.
  void make_array(const std::string& name, int images, int grey) const {
    std::string header =
        fmt::format("{{'descr': '|u1', 'fortran_order': False, 'shape': ({}, 8, 8), }}", images);
    header.resize(117, ' ');
    header += '\n';
    std::string bytes = std::string("\x93NUMPY\x01\x00", 8) + std::string("\x76\x00", 2) + header;
    for (int i = 0; i < images; ++i) bytes += std::string(64, static_cast<char>(grey + i));
    write(at(name), bytes);
  }
};

TEST_F(Homework, AFolderOfImages) {
  make_images("images", 80);
  const Outcome made = bioptic("init @images --template homework --size 24 --out @hw");
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_NE(made.out.find("healthy, sick; positive: sick"), std::string::npos) << made.out;
  EXPECT_NE(made.out.find("bioptic run "), std::string::npos) << made.out;
  std::string files;
  for (const char* study : kStudies) files += std::string(" @hw/") + study + ".toml";
  // Relative to the study file, wherever the program is started.
  EXPECT_NE(read(at("hw/loss.toml")).find("source = \"../images\""), std::string::npos);
  const Outcome plan = bioptic("run" + files + " --dry-run --out @runs");
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_NE(plan.out.find("Nothing was trained"), std::string::npos);

  write(at("hw/gap.toml"), "mine");
  const Outcome again = bioptic("init @images --template homework --out @hw");
  EXPECT_EQ(again.code, 2);
  EXPECT_NE(again.err.find("exists already"), std::string::npos) << again.err;
  EXPECT_EQ(read(at("hw/gap.toml")), "mine");
  EXPECT_EQ(bioptic("init @images --template homework --out @hw --force").code, 0);
  EXPECT_NE(read(at("hw/gap.toml")), "mine");
}

TEST_F(Homework, FourArrays) {
  make_array("a.npy", 40, 10);
  make_array("b.npy", 40, 150);
  make_array("c.npy", 10, 20);
  make_array("d.npy", 10, 160);
  const std::string arrays = "--class normal=" + at("a.npy").string() +
                             " --class pneumonia=" + at("b.npy").string() +
                             " --test-class normal=" + at("c.npy").string() +
                             " --test-class pneumonia=" + at("d.npy").string();
  const Outcome made = bioptic("init " + arrays + " --template homework --out @hw");
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_TRUE(fs::exists(at("hw/images/dataset.json")));
  EXPECT_NE(read(at("hw/loss.toml")).find("size = 8"), std::string::npos);
  // What the report said stays beside its own classes.
  EXPECT_NE(read(at("hw/batch_size.toml")).find("\nreported = "), std::string::npos);
  const Outcome run = bioptic("run @hw/loss.toml --seeds 1 --quiet --out @runs");
  EXPECT_EQ(run.code, 0) << run.err;
  // The arrays are there already: nothing is overwritten, also with --force.
  const Outcome again = bioptic("init " + arrays + " --template homework --force --out @hw");
  EXPECT_EQ(again.code, 2);
  EXPECT_NE(again.err.find("give it as DATA"), std::string::npos) << again.err;
  EXPECT_EQ(bioptic("init @hw/images --template homework --force --out @hw").code, 0);
  const Outcome one = bioptic("init " + at("a.npy").string() + " --template homework --out @x");
  EXPECT_EQ(one.code, 2);
  EXPECT_NE(one.err.find("--class NAME=FILE.npy"), std::string::npos) << one.err;
}

TEST_F(Homework, AnUnknownTemplateIsToldWhatThereIs) {
  const Outcome made = bioptic("init --template homwork --out @hw");
  EXPECT_EQ(made.code, 2);
  EXPECT_NE(made.err.find("homework"), std::string::npos) << made.err;
}

}  // namespace
}  // namespace e2e
