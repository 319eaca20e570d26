#include "bioptic/data/clahe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "bioptic/base/files.h"
#include "bioptic/base/random.h"
#include "bioptic/data/test_images.h"

namespace bioptic {
namespace {

std::vector<std::uint8_t> from_hex(const std::string& text) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 2 <= text.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::vector<std::uint8_t> equalized(const Clahe& clahe, const std::vector<int>& shape,
                                    const std::vector<std::uint8_t>& pixels) {
  std::vector<std::uint8_t> out(pixels.size());
  equalize(clahe, shape[0], shape[1], shape[2], pixels, out);
  return out;
}

// The same steps in the same order, so the same levels; a difference of one grey value could come
// from rounding a half.
TEST(Clahe, IsWithinOneGreyLevelOfScikitImage) {
  const auto golden = nlohmann::json::parse(read_file("tests/golden/normalisation.json"));
  std::size_t pixels_seen = 0, different = 0;
  for (const auto& one : golden.at("clahe")) {
    const auto shape = one.at("shape").get<std::vector<int>>();
    const Clahe clahe{one.at("clip_limit"), one.at("tiles")};
    const auto pixels = from_hex(one.at("pixels")), expected = from_hex(one.at("equalized"));
    const auto got = equalized(clahe, shape, pixels);
    ASSERT_EQ(got.size(), expected.size());
    int worst = 0;
    for (std::size_t p = 0; p < got.size(); ++p) {
      const int off = std::abs(static_cast<int>(got[p]) - static_cast<int>(expected[p]));
      worst = std::max(worst, off);
      different += off > 0 ? 1U : 0U;
    }
    pixels_seen += got.size();
    EXPECT_LE(worst, 1) << one.at("name") << ", clip limit " << clahe.clip_limit << ", tiles "
                        << clahe.tiles;
  }
  EXPECT_GT(pixels_seen, 20000U);
  EXPECT_LE(different, pixels_seen / 1000);
}

TEST(Clahe, AnImageOfOneGreyValueStays) {
  for (const int grey : {0, 90, 255}) {
    const std::vector<std::uint8_t> flat(3 * 12 * 10, static_cast<std::uint8_t>(grey));
    EXPECT_EQ(equalized({}, {3, 12, 10}, flat), flat);
    EXPECT_EQ(equalized({}, {1, 36, 10}, flat), flat);
  }
  // Every tile is one pixel, which is the darker half and all of its tile.
  const std::vector<std::uint8_t> tiny = {1, 2, 3, 4};
  EXPECT_EQ(equalized({1, 8}, {1, 2, 2}, tiny), tiny);
}

TEST(Clahe, WritesTheSameDatasetOnAnyNumberOfThreads) {
  const TestFolder folder;
  DatasetInfo info;
  info.width = 20;
  info.height = 16;
  info.channels = 3;
  info.classes = {"a", "b"};
  info.preprocessing = R"({"fit":"pad"})";
  info.provenance = "{}";
  RandomStream random(3, "pixels");
  {
    DatasetWriter writer(folder / "data", info);
    for (int i = 0; i < 7; ++i) {
      std::vector<std::uint8_t> pixels(3 * 20 * 16);
      for (auto& p : pixels) p = static_cast<std::uint8_t>(random.below(200));
      const std::string source = std::to_string(i);
      writer.add(std::span<const std::uint8_t>(pixels), {{}, source, i % 2, "train", "g"});
    }
    writer.finish();
  }
  const Dataset data = Dataset::open(folder / "data");
  const Clahe clahe{0.02, 4};
  std::size_t done = 0;
  const DatasetInfo one = equalize_dataset(data, clahe, folder / "one", 1,
                                           [&](std::size_t n, std::size_t) { done = n; });
  const DatasetInfo three = equalize_dataset(data, clahe, folder / "three", 3);
  EXPECT_EQ(done, 7U);
  EXPECT_EQ(one.content_hash, three.content_hash);
  EXPECT_NE(one.content_hash, data.info().content_hash);
  const Dataset equal = Dataset::open(folder / "one", true);
  EXPECT_TRUE(is_equalized(equal.info(), clahe));
  EXPECT_FALSE(is_equalized(equal.info(), {0.01, 4}));
  EXPECT_FALSE(is_equalized(data.info(), clahe));
  for (std::size_t row = 0; row < data.size(); ++row) {
    const auto before = data.image8(row), after = equal.image8(row);
    EXPECT_EQ(std::vector(after.begin(), after.end()),
              equalized(clahe, {3, 16, 20}, {before.begin(), before.end()}));
    EXPECT_EQ(equal.record(row).source, data.record(row).source);
    EXPECT_EQ(equal.label(row), data.label(row));
  }
}

}  // namespace
}  // namespace bioptic
