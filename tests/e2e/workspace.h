// A folder with images and study files for one test.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "program.h"

namespace e2e {

std::string read(const std::filesystem::path& file);
void write(const std::filesystem::path& file, const std::string& text);

// A grey TIFF, not compressed.  bits: 8 or 16.
void write_tiff(const std::filesystem::path& file, int width, int height, int bits,
                const std::vector<unsigned>& pixels);

// Rows of a CSV file (no quoted fields) by column name.
using Table = std::vector<std::map<std::string, std::string>>;
Table read_table(const std::filesystem::path& file);

// Every file below `folder` with its bytes; without PDFs, in which cairo writes the time.
using Tree = std::map<std::string, std::string>;
Tree tree(const std::filesystem::path& folder);
// The names of files that only one has, or that differ; empty when the two are the same.
std::string difference(const Tree& a, const Tree& b);

class Workspace : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  std::filesystem::path at(const std::string& name) const { return folder_ / name; }
  // Runs the program; `arguments` as a person types them, without spaces inside a word.
  Outcome bioptic(const std::string& arguments) const;
  std::vector<std::string> words(const std::string& arguments) const;
  nlohmann::json json_of(const std::string& arguments) const;
  // status --json of the first study.
  nlohmann::json status(const std::string& out) const;

  // train/ and test/ of two classes of noise, 24 high, in which class "sick" has a brighter corner:
  // learnable, but not without errors.
  void make_images(const std::string& name, int per_class = 30, int bits = 8, int width = 24) const;
  // A study of two arms on those images; `extra` goes into [study], `train` into [train].
  std::filesystem::path make_study(const std::string& name, const std::string& extra = "",
                                   const std::string& train = "epochs = 2") const;

  std::filesystem::path folder_;
};

}  // namespace e2e
