#include "bioptic/data/source_extent.h"

#include <gtest/gtest.h>

#include "bioptic/data/import.h"
#include "bioptic/data/test_images.h"

namespace bioptic {
namespace {

TEST(SourceExtent, ColourIsTheDifferenceOfTheChannels) {
  Image image{2, 1, 3, 8, {10, 30, 20, 200, 200, 200}};
  EXPECT_DOUBLE_EQ(shape_of(image).colour, 10);
  image.bits = 16;
  for (std::uint16_t& v : image.pixels) v = static_cast<std::uint16_t>(v * 257);
  EXPECT_DOUBLE_EQ(shape_of(image).colour, 10) << "in grey values of 8 bits";
  EXPECT_DOUBLE_EQ(shape_of({2, 1, 1, 8, {10, 200}}).colour, 0);
  EXPECT_DOUBLE_EQ(shape_of(image).aspect(), 2);
}

TEST(SourceExtent, GoesFromTheSmallestToTheLargestAndBack) {
  SourceExtent extent;
  extent.add({200, 100, 0});
  extent.add({50, 80, 7.5});
  const auto read = SourceExtent::read(extent.text());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->images, 2U);
  EXPECT_EQ(read->width.low, 50);
  EXPECT_EQ(read->width.high, 200);
  EXPECT_EQ(read->height.low, 80);
  EXPECT_EQ(read->aspect.low, 0.625);
  EXPECT_EQ(read->aspect.high, 2);
  EXPECT_EQ(read->colour.high, 7.5);
  for (const char* bad : {"", "[]", "{}", R"({"count":1,"width":[1],"height":[1,2]})",
                          R"({"count":-1})", R"({"count":1,"width":["a","b"]})"}) {
    EXPECT_FALSE(SourceExtent::read(bad)) << bad;
  }
}

// What became of them afterwards, grey and of one size, does not count.
TEST(SourceExtent, StandsInTheProvenanceOfAnImport) {
  const TestFolder folder;
  std::vector<std::uint8_t> colour;
  for (int p = 0; p < 40 * 20; ++p) colour.insert(colour.end(), {90, 60, 40});
  write_png(folder / "src/a/1.png", 40, 20, 3, colour);
  write_png(folder / "src/b/2.png", 30, 30, 1, std::vector<std::uint8_t>(900, 5));
  ImportOptions options;
  options.size = 16;
  options.channels = 1;
  import_source(folder / "src", folder / "out", options);
  const auto extent = source_extent(Dataset::open(folder / "out").info().provenance);
  ASSERT_TRUE(extent);
  EXPECT_EQ(extent->images, 2U);
  EXPECT_EQ(extent->width.low, 30);
  EXPECT_EQ(extent->width.high, 40);
  EXPECT_EQ(extent->height.low, 20);
  EXPECT_EQ(extent->aspect.high, 2);
  EXPECT_EQ(extent->colour.low, 0);
  EXPECT_EQ(extent->colour.high, 50);
  EXPECT_FALSE(source_extent("{}")) << "an import before this was kept";
}

}  // namespace
}  // namespace bioptic
