// A disk that gives out or files that change under a running program: a message, exit code 1,
// nothing half-written, and the same command goes on once the cause is gone.
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "workspace.h"

namespace e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Names of files that are there but not whole, by how their kind ends or parses.
std::string half_written(const fs::path& folder) {
  std::string names;
  const auto ends_with = [](const std::string& text, std::string_view end) {
    return text.size() >= end.size() &&
           text.compare(text.size() - end.size(), end.size(), end) == 0;
  };
  for (const auto& [name, bytes] : tree(folder)) {
    if (name.find(".bioptic-tmp-") != std::string::npos) continue;
    const std::string kind = fs::path(name).extension().string();
    const bool whole = kind == ".json"   ? json::accept(bytes)
                       : kind == ".html" ? ends_with(bytes, "</html>\n")
                       : kind == ".png"
                           ? ends_with(bytes, std::string_view("IEND\xae\x42\x60\x82", 8))
                       : kind == ".csv" || kind == ".txt" || kind == ".md" || kind == ".tex"
                           ? bytes.empty() || bytes.back() == '\n'
                           : true;
    if (!whole) names += name + " ";
  }
  return names;
}

// Writes a byte of a file in place: the file is never shorter.
void write_byte(const fs::path& file, std::size_t at, char byte) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(byte);
}

class Disk : public Workspace {
 protected:
  void SetUp() override {
    Workspace::SetUp();
    make_images("images");
  }
  void wait_for_trials(const std::string& out, int done) const {
    const auto end = steady_clock::now() + std::chrono::seconds(60);
    while (steady_clock::now() < end) {
      const Outcome outcome = bioptic("status @" + out + " --json");
      if (outcome.code == 0) {
        const json studies = json::parse(outcome.out).at("studies");
        if (studies.size() == 1 && studies.at(0).at("running") >= 1 &&
            studies.at(0).at("done").get<int>() + studies.at(0).at("collapsed").get<int>() >=
                done) {
          return;
        }
      }
      std::this_thread::sleep_for(milliseconds(10));
    }
    FAIL() << "the trials were not reached";
  }
  fs::path images_file(const std::string& cache) const {
    for (const auto& entry : fs::directory_iterator(at(cache))) {
      const fs::path file = entry.path() / "dataset/images.npy";
      if (fs::exists(file)) return file;
    }
    return {};
  }
  void expect_same_results(const std::string& out, const std::string& expected) const {
    for (const char* file : {"tables/history.csv", "tables/predictions.csv"}) {
      EXPECT_EQ(read(at(out) / "s" / file), read(at(expected) / "s" / file)) << file;
    }
    EXPECT_EQ(difference(tree(at(out) / "s/models"), tree(at(expected) / "s/models")), "");
    EXPECT_EQ(half_written(at(out)), "");
  }
};

TEST_F(Disk, ImagesThatAreCutOffDuringARun) {
  make_study("s", "save_models = \"all\"", "epochs = 150");
  ASSERT_EQ(bioptic("run @s.toml --out @whole").code, 0);
  const fs::path file = images_file("cache");
  ASSERT_FALSE(file.empty());
  fs::copy(file, at("kept.npy"));

  Program run(words("run @s.toml --out @runs --jobs 1"), folder_);
  wait_for_trials("runs", 1);
  fs::resize_file(file, 200);
  const Outcome cut = run.wait();
  EXPECT_EQ(cut.code, 1) << cut.err;
  EXPECT_NE(cut.err.find(file.string() + ": was cut off while it was read"), std::string::npos)
      << cut.err;

  const json left = status("runs");
  EXPECT_GE(left.at("done").get<int>() + left.at("collapsed").get<int>(), 1);
  EXPECT_GE(left.at("missing").get<int>(), 1);
  EXPECT_EQ(left.at("failed"), 0);
  EXPECT_EQ(half_written(at("runs")), "");
  const Outcome still = bioptic("run @s.toml --out @runs");
  EXPECT_EQ(still.code, 2);
  EXPECT_NE(still.err.find("is cut off"), std::string::npos) << still.err;
  fs::copy(at("kept.npy"), file, fs::copy_options::overwrite_existing);
  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  expect_same_results("runs", "whole");
}

TEST_F(Disk, ImagesThatAreOverwrittenDuringARun) {
  make_study("s", "save_models = \"all\"", "epochs = 150");
  ASSERT_EQ(bioptic("run @s.toml --out @whole").code, 0);
  const fs::path file = images_file("cache");
  const std::string bytes = read(file);

  Program run(words("run @s.toml --out @runs --jobs 1"), folder_);
  wait_for_trials("runs", 1);
  const std::size_t place = bytes.size() - 5;
  write_byte(file, place, static_cast<char>(bytes[place] ^ 1));
  const Outcome changed = run.wait();
  EXPECT_EQ(changed.code, 1) << changed.err;
  EXPECT_NE(changed.err.find(file.string() + ": was changed while it was read"), std::string::npos)
      << changed.err;
  EXPECT_EQ(status("runs").at("failed"), 0);
  EXPECT_EQ(bioptic("run @s.toml --out @runs").code, 2);  // by its hash

  write_byte(file, place, bytes[place]);
  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  expect_same_results("runs", "whole");

  fs::remove_all(at("runs"));  // touched only: nothing has changed
  Program again(words("run @s.toml --out @runs --jobs 1"), folder_);
  wait_for_trials("runs", 1);
  write_byte(file, place, bytes[place]);
  EXPECT_EQ(again.wait().code, 0);
  expect_same_results("runs", "whole");
}

// A file system of `kib` KiB on `folder`; false where none may be mounted.
bool mount_small(const fs::path& folder, int kib) {
  return ::mount("none", folder.c_str(), "tmpfs", 0, fmt::format("size={}k", kib).c_str()) == 0;
}

class FullDisk : public Disk {
 protected:
  void SetUp() override {
    Disk::SetUp();
    fs::create_directories(at("small"));
    if (!mount_small(at("small"), 16)) GTEST_SKIP() << "no file system may be mounted here";
    mounted_ = true;
  }
  void TearDown() override {
    if (mounted_) ::umount2(at("small").c_str(), MNT_DETACH);
    Disk::TearDown();
  }
  void resize(int kib) const {
    ASSERT_EQ(::mount("none", at("small").c_str(), "tmpfs", MS_REMOUNT,
                      fmt::format("size={}k", kib).c_str()),
              0);
  }
  // A file that leaves `left` KiB of the disk.
  void fill(int left) const {
    {
      std::ofstream ballast(at("small/ballast"), std::ios::binary);
      const std::string block(1 << 12, 'x');
      while (ballast.write(block.data(), 1 << 12).flush()) {
      }
    }
    fs::resize_file(at("small/ballast"),
                    fs::file_size(at("small/ballast")) - static_cast<std::uintmax_t>(left) * 1024);
  }
  static void expect_full(const Outcome& outcome) {
    EXPECT_EQ(outcome.code, 1) << outcome.err;
    const bool says = outcome.err.find("No space left") != std::string::npos ||
                      outcome.err.find("disk is full") != std::string::npos;
    EXPECT_TRUE(says) << outcome.err;
    EXPECT_NE(outcome.err.find("/small/"), std::string::npos) << outcome.err;
  }
  bool mounted_ = false;
};

TEST_F(FullDisk, ImportLeavesNothingAndGoesOnWithSpace) {
  ASSERT_EQ(bioptic("data import @images @whole").code, 0);
  int refused = 0;
  for (int kib = 16; kib < 400; kib += 12) {
    resize(kib);
    const Outcome outcome = bioptic("data import @images @small/d");
    if (outcome.code == 0) break;
    ++refused;
    expect_full(outcome);
    EXPECT_TRUE(fs::is_empty(at("small"))) << kib;
  }
  EXPECT_GE(refused, 2);
  EXPECT_EQ(difference(tree(at("small/d")), tree(at("whole"))), "");
}

// A run asks for room before it begins (exit code 2); here the room goes while it trains.
TEST_F(FullDisk, RunGoesOnWithSpace) {
  make_study("s", "save_models = \"all\"", "epochs = 600");
  ASSERT_EQ(bioptic("run @s.toml --out @whole").code, 0);
  resize(16'000);
  EXPECT_EQ(bioptic("run @s.toml --out @small/runs").code, 2);
  resize(40'000);
  for (const int left : {0, 40, 300}) {  // KiB
    Program run(words("run @s.toml --out @small/runs --jobs 1"), folder_);
    wait_for_trials("small/runs", 0);
    fill(left);
    expect_full(run.wait());
    EXPECT_EQ(half_written(at("small")), "") << left;
    fs::remove(at("small/ballast"));
    EXPECT_EQ(status("small/runs").at("failed"), 0);
  }
  ASSERT_EQ(bioptic("run @s.toml --out @small/runs").code, 0);
  expect_same_results("small/runs", "whole");

  for (const int left : {0, 150, 400}) {  // the report alone: its tables, its figures
    fill(left);
    expect_full(bioptic("report @small/runs/s"));
    EXPECT_EQ(half_written(at("small/runs")), "") << left;
    fs::remove(at("small/ballast"));
  }
  ASSERT_EQ(bioptic("report @small/runs/s").code, 0);
  expect_same_results("small/runs", "whole");
}

// Without any right to mount: a limit on the size of files (ulimit -f), which is an error of the
// write.
TEST_F(Disk, FilesThatMayNotGrow) {
  const auto limited = [&](const std::string& arguments, rlim_t bytes) {
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit limit{bytes, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const Outcome outcome = bioptic(arguments);
    ::setrlimit(RLIMIT_FSIZE, &before);
    return outcome;
  };
  const Outcome import = limited("data import @images @d", 20'000);
  EXPECT_EQ(import.code, 1) << import.err;
  EXPECT_NE(import.err.find("images.npy: cannot be written: File too large"), std::string::npos)
      << import.err;
  EXPECT_FALSE(fs::exists(at("d")));
  ASSERT_EQ(bioptic("data import @images @d").code, 0);

  make_study("s", "save_models = \"all\"");
  ASSERT_EQ(bioptic("run @s.toml --out @whole").code, 0);  // fills the cache, too
  for (const rlim_t bytes : {2'000U, 10'000U, 40'000U, 60'000U}) {
    const Outcome run = limited("run @s.toml --out @runs --quiet", bytes);
    EXPECT_TRUE(run.code == 1 || run.code == 2) << bytes << " " << run.code << run.err;
    EXPECT_NE(run.err.find("bioptic: error: "), std::string::npos) << run.err;
    EXPECT_EQ(half_written(at("runs")), "") << bytes;
  }
  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  expect_same_results("runs", "whole");
}

// What was printed is on its way when the program ends; that it does not arrive is an error.
TEST_F(Disk, OutputThatCannotBeWritten) {
  ASSERT_EQ(bioptic("data import @images @dataset").code, 0);
  make_study("s", "save_models = \"all\"");
  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  const std::string model = at("runs/s/models/cosine-seed0.safetensors").string();
  for (const std::string& arguments :
       {"data info --json " + at("dataset").string(), "data info " + at("dataset").string(),
        "data audit --json --no-near " + at("dataset").string(),
        "data import --quiet " + at("images").string() + " " + at("second").string(),
        "eval " + model + " --json --data " + at("dataset").string(),
        "predict " + model + " " + at("images/test/sick/person0_0.tiff").string(),
        "status " + at("runs").string(), std::string("--help"), std::string("--version")}) {
    const std::string command =
        fmt::format("{} {} > /dev/full 2> {}", BIOPTIC_PROGRAM, arguments, at("said").string());
    const int status = std::system(command.c_str());
    EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 1) << arguments;
    EXPECT_NE(read(at("said")).find("standard output cannot be written"), std::string::npos)
        << arguments << "\n"
        << read(at("said"));
  }
}

}  // namespace
}  // namespace e2e
