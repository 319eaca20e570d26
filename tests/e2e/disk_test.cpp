// A disk that gives out or files that change under a running program: a message, exit code 1,
// nothing half-written, and the same command goes on once the cause is gone.
#include <fmt/format.h>
#include <sys/resource.h>
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

}  // namespace
}  // namespace e2e
