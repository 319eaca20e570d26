// Bad input: one line that names the thing and the remedy, exit code 2, nothing touched.
#include <fmt/format.h>

#include <algorithm>

#include "workspace.h"

namespace e2e {
namespace {

namespace fs = std::filesystem;

class Input : public Workspace {
 protected:
  void SetUp() override {
    Workspace::SetUp();
    make_images("images", 10);
    make_study("s");
  }
  // The study file with one text replaced by another.
  void edit(const std::string& from, const std::string& to) const {
    make_study("s");
    std::string text = read(at("s.toml"));
    const std::size_t place = text.find(from);
    ASSERT_NE(place, std::string::npos) << from;
    text.replace(place, from.size(), to);
    write(at("s.toml"), text);
  }
  void expect_refused(const std::string& arguments, const std::vector<std::string>& said) const {
    const Outcome outcome = bioptic(arguments);
    EXPECT_EQ(outcome.code, 2) << arguments << "\n" << outcome.out << outcome.err;
    EXPECT_TRUE(outcome.err.starts_with("bioptic: error: ")) << outcome.err;
    EXPECT_LE(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 2) << outcome.err;
    for (const std::string& words : said) {
      EXPECT_NE(outcome.err.find(words), std::string::npos)
          << arguments << ": '" << words << "' is not in: " << outcome.err;
    }
    EXPECT_FALSE(fs::exists(at("runs"))) << arguments << " wrote something";
  }
  void expect_study_refused(const std::vector<std::string>& said) const {
    expect_refused("run @s.toml --out @runs", said);
  }
};

TEST_F(Input, CommandLine) {
  expect_refused("rnu @s.toml", {"unknown command 'rnu'", "run"});
  expect_refused("run @s.toml --thread 2", {"--thread", "--threads"});
  expect_refused("data import @images @d --siz 24", {"unknown option '--siz'", "'--size'"});
  expect_refused("data import @images @d --siz=24", {"unknown option '--siz", "'--size'"});
  expect_refused("run", {"STUDY"});
  expect_refused("run @nowhere.toml --out @runs", {"nowhere.toml"});
  expect_refused("run @s.toml --out @runs --isa mmx", {"mmx", "portable"});
  expect_refused("run @s.toml --out @runs --engine torch", {"torch"});
  expect_refused("run @s.toml @s.toml --out @runs", {"twice"});
  expect_refused("run @s.toml --out @runs --data @missing", {"missing", "does not exist"});
  expect_refused("run @s.toml --out /proc/runs", {"/proc/runs", "--out"});
  expect_refused("status @images", {"bioptic.sqlite"});
  expect_refused("report @images/train", {"bioptic.sqlite"});
  expect_refused("eval @none.safetensors --data @images", {"none.safetensors"});
  EXPECT_EQ(bioptic("--version").code, 0);
  EXPECT_NE(bioptic("--version").out.find("portable"), std::string::npos);
  for (const char* command : {"", "run", "status", "report", "eval", "predict", "data",
                              "data import", "data info", "data phantom", "init", "schedule"}) {
    const Outcome help = bioptic(std::string(command) + " --help");
    EXPECT_EQ(help.code, 0) << command;
    EXPECT_NE(help.out.find("Usage"), std::string::npos) << command;
  }
}

TEST_F(Input, NumbersThatAreNotFinite) {
  ASSERT_EQ(bioptic("data import @images @plain").code, 0);
  for (const char* number : {"nan", "inf", "-inf", "1e999"}) {
    for (const char* option : {"--detect ", "--val-fraction ", "--test-fraction "}) {
      expect_refused(std::string("data audit @plain --no-near ") + option + number, {number});
    }
    expect_refused(std::string("data phantom @p --shift ") + number, {"--shift", number});
    expect_refused(std::string("data phantom @p --seed ") + number, {"--seed", number});
    expect_refused(std::string("data phantom @p --train ") + number, {"--train", number});
    expect_refused(std::string("schedule @s.toml --train-images ") + number,
                   {"--train-images", number});
  }
}

// Before anything is searched with them, in every command that reads a new study.
TEST_F(Input, SearchesThatMayNotEnd) {
  edit("group = '(person\\d+)'", "group = '(?=sick)'");
  const std::vector<std::string> said = {"[data] group = '(?=sick)'", "may take for ever"};
  expect_study_refused(said);
  expect_refused("run @s.toml --out @runs --dry-run", said);
  expect_refused("schedule @s.toml --out @runs --train-images 40", said);
}

TEST_F(Input, StudyFiles) {
  edit("batch_size = 10", "batchsize = 10");
  expect_study_refused({"s.toml:", "batchsize", "batch_size"});
  edit("batch_size = 10", "batch_size = 0");
  expect_study_refused({"s.toml:", "batch_size"});
  edit("batch_size = 10", "batch_size = 1000");
  expect_study_refused({"batch_size = 1000", "16"});
  edit("name = \"cosine\"", "name = \"constant\"");
  expect_study_refused({"s.toml:", "two arms are named 'constant'"});
  edit("loss = \"bce_with_logits\"", "loss = \"bce_logits\"");
  expect_study_refused({"bce_logits", "bce_with_logits"});
  edit("[data]", "[data]\npositive = \"sik\"");
  expect_study_refused({"sik", "sick"});
  edit("[data]", "[data]\nval_fraction = 0.001");
  expect_study_refused({"val"});
  make_study("s");
  std::string text = read(at("s.toml"));
  write(at("s.toml"), text.substr(0, text.find("[[arm]]")));
  expect_study_refused({"s.toml", "arm"});
}

TEST_F(Input, Images) {
  const fs::path sick = at("images/train/sick");
  const fs::path one = sick / "person0_0.tiff";
  const std::string bytes = read(one);

  write(one, bytes.substr(0, bytes.size() / 2));
  expect_study_refused({"person0_0.tiff"});
  write(one, "no image");
  expect_study_refused({"person0_0.tiff"});
  write_tiff(one, 20, 20, 8, std::vector<unsigned>(400, 5));
  expect_study_refused({"size"});
  write(one, bytes);

  fs::create_directories(at("images/train/unknown"));
  expect_study_refused({"unknown"});
  fs::remove_all(at("images/train/unknown"));

  fs::create_directories(at("single/train"));
  fs::copy(sick, at("single/train/sick"), fs::copy_options::recursive);
  expect_refused("run @s.toml --out @runs --data @single", {"class"});
}

TEST_F(Input, ASearchThatWouldHaveNoEffect) {
  expect_refused("data import @images @d --group patient(\\d+)",
                 {"--group 'patient(\\d+)'", "matches none of 30 file names", "person0_0.tiff"});
  EXPECT_FALSE(fs::exists(at("d")));
  expect_refused("data audit @images --group zzz", {"--group 'zzz'", "matches no file name"});
  ASSERT_EQ(bioptic("data import @images @grouped --group (person\\d+)").code, 0);
  expect_refused("data audit @grouped --group (person\\d+)", {"have their groups already"});
  ASSERT_EQ(bioptic("data import @images @plain").code, 0);
  const Outcome audit = bioptic("data audit @plain --no-near");
  EXPECT_EQ(audit.code, 0);
  EXPECT_NE(audit.out.find("not done  groups (patients)"), std::string::npos) << audit.out;
  EXPECT_NE(bioptic("data audit @plain --no-near --group (person\\d+)").out.find("of 5 groups"),
            std::string::npos);
}

TEST_F(Input, WhatIsLeftOutOfASourceIsToldAlsoToTheQuiet) {
  write(at("images/train/sick/more.webp"), "-");
  write(at("images/train/person.txt"), "-");
  write(at("images/test/over.png"), "-");
  const Outcome quiet = bioptic("data import @images @d --quiet");
  EXPECT_EQ(quiet.code, 0) << quiet.err;
  EXPECT_NE(quiet.err.find("left out: .webp 1"), std::string::npos) << quiet.err;
  EXPECT_NE(quiet.err.find("1 images lie beside the class folders"), std::string::npos);
  EXPECT_NE(quiet.err.find("images/test/over.png"), std::string::npos) << quiet.err;
  const Outcome window = bioptic("data import @images @d2 --window percentile");
  EXPECT_NE(window.err.find("--window and --group-key are for DICOM files"), std::string::npos);
}

TEST_F(Input, AnAuditNamesTheSourceAndNotItsCopy) {
  // A test split that lacks a class, of which the audit can say only that it cannot look.
  write(at("list.csv"),
        "path,label,split\nimages/train/sick/person0_0.tiff,a,train\n"
        "images/train/sick/person1_2.tiff,b,train\nimages/test/sick/person0_0.tiff,a,test\n");
  const Outcome text = bioptic("data audit @list.csv --no-near");
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_NE(text.out.find("not looked at: " + at("list.csv").string()), std::string::npos)
      << text.out;
  for (const Outcome& o : {text, bioptic("data audit @list.csv --no-near --json")}) {
    EXPECT_EQ(o.out.find(".bioptic-tmp"), std::string::npos) << o.out;
    EXPECT_EQ(o.out.find("audit."), std::string::npos) << o.out;
  }
}

TEST_F(Input, ExportToAFileThatIsNone) {
  ASSERT_EQ(bioptic("data import @images @dataset").code, 0);
  expect_refused("data export @dataset @d.zip", {"d.zip", "FILE.npz"});
  EXPECT_EQ(bioptic("data export @dataset @d.NPZ").code, 0);
  EXPECT_TRUE(fs::is_regular_file(at("d.NPZ")));
}

TEST_F(Input, DatasetThatDoesNotFitTheStudy) {
  ASSERT_EQ(bioptic("data import @images @dataset --size 16").code, 0);
  edit("[data]", "[data]\nsize = 24");
  expect_refused("run @s.toml --out @runs --data @dataset", {"16 x 16", "24", "--size 24"});
  edit("[data]", "[data]\nchannels = 3");
  expect_refused("run @s.toml --out @runs --data @dataset", {"channels", "--rgb"});
}

TEST_F(Input, NothingStoredIsTouched) {
  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  const auto before = tree(at("runs"));
  edit("batch_size = 10", "batch_size = 1000");
  EXPECT_EQ(bioptic("run @s.toml --out @runs").code, 2);
  EXPECT_EQ(difference(tree(at("runs")), before), "");
  write(at("runs2/bioptic.sqlite"), "this is no database, whatever its name says");
  make_study("s");
  const Outcome outcome = bioptic("run @s.toml --out @runs2");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("bioptic.sqlite"), std::string::npos) << outcome.err;
  EXPECT_EQ(read(at("runs2/bioptic.sqlite")), "this is no database, whatever its name says");
}

}  // namespace
}  // namespace e2e
