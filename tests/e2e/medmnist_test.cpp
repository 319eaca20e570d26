// A set as MedMNIST ships them: three channels, eight classes, its own validation split.
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <map>
#include <random>

#include "workspace.h"

namespace e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kSide = 28, kClasses = 8;

std::string npy(const std::string& shape, const std::string& bytes) {
  std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': " + shape + ", }";
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size() & 0xFFU) +
         static_cast<char>(header.size() >> 8) + header + bytes;
}

// A zip archive, stored and not compressed.
class Archive {
 public:
  void add(const std::string& name, const std::string& content) {
    std::string entry;
    number(entry, crc(content), 4);
    number(entry, content.size(), 4);
    number(entry, content.size(), 4);
    number(entry, name.size(), 2);
    number(entry, 0, 2);
    std::string head("\x14\0\0\0\0\0\0\0\0\0", 10);  // version 2.0, no flags, stored, no time
    number(central_, 0x02014b50, 4);
    number(central_, 20, 2);
    central_ += head + entry;
    number(central_, 0, 2);  // comment
    number(central_, 0, 4);  // disk, attributes
    number(central_, 0, 4);
    number(central_, bytes_.size(), 4);
    central_ += name;
    number(bytes_, 0x04034b50, 4);
    bytes_ += head + entry + name + content;
    ++entries_;
  }
  std::string bytes() const {
    std::string end;
    number(end, 0x06054b50, 4);
    number(end, 0, 4);
    number(end, entries_, 2);
    number(end, entries_, 2);
    number(end, central_.size(), 4);
    number(end, bytes_.size(), 4);
    number(end, 0, 2);
    return bytes_ + central_ + end;
  }

 private:
  static void number(std::string& to, std::size_t value, int size) {
    for (int b = 0; b < size; ++b) to += static_cast<char>(value >> (8 * b) & 0xFFU);
  }
  static std::uint32_t crc(const std::string& bytes) {
    std::uint32_t c = 0xFFFFFFFFU;
    for (const char byte : bytes) {
      c ^= static_cast<unsigned char>(byte);
      for (int b = 0; b < 8; ++b) c = (c >> 1) ^ ((c & 1U) != 0 ? 0xEDB88320U : 0);
    }
    return ~c;
  }
  std::string bytes_, central_;
  std::size_t entries_ = 0;
};

// Cells on a pale ground: the class is the colour of a disc (4) and its size (2), place and shade
// are chance.
void add_split(Archive& archive, const std::string& split, int images, std::mt19937& engine) {
  const auto below = [&](unsigned n) { return static_cast<int>(engine() % n); };
  constexpr std::array<std::array<int, 3>, 4> kColours = {
      {{150, 60, 140}, {200, 90, 80}, {90, 110, 180}, {120, 150, 90}}};
  std::string pixels, labels;
  for (int i = 0; i < images; ++i) {
    const int label = i % kClasses;
    labels += static_cast<char>(label);
    const auto& colour = kColours[static_cast<std::size_t>(label % 4)];
    const int radius = (label < 4 ? 4 : 8) + below(2), x0 = 12 + below(5), y0 = 12 + below(5);
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        const bool inside = (x - x0) * (x - x0) + (y - y0) * (y - y0) < radius * radius;
        for (const int c : colour) {
          pixels += static_cast<char>((inside ? c : 215) + below(40));
        }
      }
    }
  }
  archive.add(split + "_images.npy",
              npy(fmt::format("({}, {}, {}, 3)", images, kSide, kSide), pixels));
  archive.add(split + "_labels.npy", npy(fmt::format("({}, 1)", images), labels));
}

TEST_F(Workspace, EightClassesInColourFromTheArchiveToThePredictions) {
  Archive archive;
  std::mt19937 engine(3);
  add_split(archive, "train", 320, engine);
  add_split(archive, "val", 120, engine);
  add_split(archive, "test", 160, engine);
  write(at("cells.npz"), archive.bytes());
  ASSERT_EQ(bioptic("data import @cells.npz @dataset").code, 0);
  const json info = json_of("data info @dataset");
  EXPECT_EQ(info.at("channels"), 3);
  EXPECT_EQ(info.at("classes").size(), 8U);
  EXPECT_EQ(info.at("splits").at("val").at("images").at("7"), 15);

  write(at("cells.toml"), R"([study]
name = "cells"
seeds = 2

[data]
source = "dataset"

[train]
epochs = 12
batch_size = 16
loss = "cross_entropy"
optimizer = { kind = "adam", lr = 0.002 }

[[arm]]
name = "plain"
[[arm]]
name = "balanced"
loss = { kind = "cross_entropy", class_weight = "balanced" }
sampler = "balanced"
)");
  const Outcome outcome = bioptic("run @cells.toml --out @runs");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("28 x 28, RGB"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("320 to train, 120 to validate, 160 to test"), std::string::npos);

  const json summary = json::parse(read(at("runs/cells/summary.json")));
  for (const json& arm : summary.at("arms")) {
    const json& metrics = arm.at("metrics");
    EXPECT_GT(metrics.at("test_accuracy").at("mean").get<double>(), 0.6) << arm.at("name");
    EXPECT_GT(metrics.at("test_auroc").at("mean").get<double>(), 0.9);
    EXPECT_EQ(metrics.at("test_auroc").at("seeds"), 2);
    const json& confusion = arm.at("confusion").at("test");
    ASSERT_EQ(confusion.size(), 8U);
    double diagonal = 0;
    for (std::size_t c = 0; c < 8; ++c) {
      double row = 0;
      for (const json& n : confusion.at(c)) row += n.get<double>();
      EXPECT_NEAR(row, 20, 1e-9);  // images of the class
      diagonal += confusion.at(c).at(c).get<double>();
    }
    EXPECT_NEAR(diagonal / 160, metrics.at("test_accuracy").at("mean").get<double>(), 1e-9);
  }
  const fs::path figures = at("runs/cells/figures");
  for (const char* figure : {"confusion", "roc", "roc-by-class", "montage", "most-wrong"}) {
    EXPECT_TRUE(fs::exists(figures / (std::string(figure) + ".png"))) << figure;
  }

  // The saved model gives the study's numbers on the archive itself and on the images as files.
  const std::string model = "@runs/cells/models/plain-seed0.safetensors";
  const json eval = json_of("eval " + model + " --data @cells.npz");
  const json* first = nullptr;
  for (const json& trial : summary.at("trials")) {
    if (trial.at("arm") == "plain" && trial.at("seed") == 0) first = &trial;
  }
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(eval.at("accuracy"), first->at("metrics").at("test_accuracy"));
  EXPECT_EQ(eval.at("loss"), first->at("metrics").at("test_loss"));

  // predictions.csv by image
  std::map<std::string, std::map<std::string, std::string>> stored;
  for (const auto& row : read_table(at("runs/cells/tables/predictions.csv"))) {
    if (row.at("arm") == "plain" && row.at("seed") == "0") stored[row.at("image")] = row;
  }
  ASSERT_EQ(bioptic("data export @dataset @png").code, 0);
  const Table manifest = read_table(at("png/manifest.csv"));
  const Table index = read_table(at("dataset/index.csv"));
  ASSERT_EQ(manifest.size(), index.size());
  int compared = 0;
  for (std::size_t i = 0; i < manifest.size(); ++i) {
    if (manifest[i].at("split") != "test" || ++compared > 5) continue;
    const json one =
        json_of("predict " + model + " @png/" + manifest[i].at("path")).at("predictions").at(0);
    ASSERT_EQ(one.at("scores").size(), 8U);
    for (const auto& [name, score] : one.at("scores").items()) {
      EXPECT_EQ(score.get<float>(), std::stof(stored.at(index[i].at("id")).at("score_" + name)));
    }
  }
  EXPECT_GT(compared, 5);
}

}  // namespace
}  // namespace e2e
