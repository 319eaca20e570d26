#include "bioptic/data/area_means.h"

#include <gtest/gtest.h>

#include "bioptic/data/test_images.h"

namespace bioptic {
namespace {

// One image of the given size whose pixel at (channel, y, x) is 100 channel + 10 y + x.
Dataset one_image(const std::filesystem::path& folder, int channels, int height, int width) {
  DatasetInfo info;
  info.channels = channels;
  info.height = height;
  info.width = width;
  info.classes = {"a", "b"};
  info.preprocessing = info.provenance = "{}";
  std::vector<std::uint8_t> pixels;
  for (int c = 0; c < channels; ++c) {
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        pixels.push_back(static_cast<std::uint8_t>(100 * c + 10 * y + x));
      }
    }
  }
  DatasetWriter writer(folder, info);
  writer.add(std::span<const std::uint8_t>(pixels), {{}, "x", 0, "", ""});
  writer.finish();
  return Dataset::open(folder);
}

TEST(AreaMeans, MeansOfWholePixels) {
  const TestFolder folder;
  const Dataset even = one_image(folder / "even", 2, 4, 4);
  EXPECT_EQ(area_means(even, 0, 2),
            (std::vector<double>{5.5, 7.5, 25.5, 27.5, 105.5, 107.5, 125.5, 127.5}));
  // 5 columns in 2 areas: 2 and 3.
  const Dataset odd = one_image(folder / "odd", 1, 2, 5);
  EXPECT_EQ(area_means(odd, 0, 2), (std::vector<double>{0.5, 3, 10.5, 13}));
  // Smaller than the grid: its own pixels.
  EXPECT_EQ(area_means(odd, 0), (std::vector<double>{0, 1, 2, 3, 4, 10, 11, 12, 13, 14}));
}

}  // namespace
}  // namespace bioptic
