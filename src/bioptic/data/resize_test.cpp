#include "bioptic/data/resize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "bioptic/base/random.h"

namespace bioptic {
namespace {

// What resample() means, pixel by pixel: along an axis, what share of each input pixel an output
// pixel takes.
std::vector<float> shares(int in, int out, int o, int& first) {
  std::vector<float> weights;
  const double scale = static_cast<double>(in) / out;
  if (out < in) {
    const double begin = o * scale, end = std::min((o + 1) * scale, static_cast<double>(in));
    first = static_cast<int>(std::floor(begin));
    for (int i = first; i < end && i < in; ++i) {
      const double overlap = std::min(i + 1.0, end) - std::max(static_cast<double>(i), begin);
      if (overlap > 0) weights.push_back(static_cast<float>(overlap / (end - begin)));
    }
  } else {
    const double at = std::clamp((o + 0.5) * scale - 0.5, 0.0, static_cast<double>(in - 1));
    first = static_cast<int>(std::floor(at));
    const auto share = static_cast<float>(at - first);
    weights.push_back(1 - share);
    if (share > 0) weights.push_back(share);
  }
  return weights;
}

std::uint16_t plain_value(const Image& image, int width, int height, int y, int x, int channel) {
  int top = 0, left = 0;
  const std::vector<float> down = shares(image.height, height, y, top);
  const std::vector<float> across = shares(image.width, width, x, left);
  float sum = 0;
  for (std::size_t i = 0; i < down.size(); ++i) {
    float of_row = 0;
    for (std::size_t k = 0; k < across.size(); ++k) {
      const std::size_t at =
          (static_cast<std::size_t>(top) + i) * static_cast<std::size_t>(image.width) +
          static_cast<std::size_t>(left) + k;
      of_row += across[k] *
                static_cast<float>(image.pixels[at * static_cast<std::size_t>(image.channels) +
                                                static_cast<std::size_t>(channel)]);
    }
    sum += down[i] * of_row;
  }
  return static_cast<std::uint16_t>(
      std::min(static_cast<int>(sum + 0.5F), image.bits == 8 ? 255 : 65535));
}

// Bit for bit, in every combination of growing and shrinking, and with heights that leave rows over
// from the bands that are resampled at once.
TEST(Resample, IsThePlainFormInEveryPixel) {
  RandomStream stream(1, "resample test");
  const auto below = [&](std::uint64_t n) { return static_cast<int>(stream.below(n)); };
  for (int trial = 0; trial < 60; ++trial) {
    Image image{1 + below(40), 1 + below(40), trial % 2 == 0 ? 1 : 3, trial % 3 == 0 ? 16 : 8, {}};
    const int largest = image.bits == 8 ? 255 : 65535;
    for (int i = 0; i < image.width * image.height * image.channels; ++i) {
      const int value = below(5) == 0 ? largest : below(static_cast<std::uint64_t>(largest));
      image.pixels.push_back(static_cast<std::uint16_t>(value));
    }
    const int width = 1 + below(40), height = 1 + below(40);
    const Image out = resample(image, width, height);
    const std::string where = std::to_string(image.width) + " x " + std::to_string(image.height) +
                              " to " + std::to_string(width) + " x " + std::to_string(height);
    ASSERT_EQ(out.width, width);
    ASSERT_EQ(out.height, height);
    std::size_t at = 0;
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        for (int c = 0; c < image.channels; ++c) {
          ASSERT_EQ(out.pixels[at++], plain_value(image, width, height, y, x, c)) << where;
        }
      }
    }
  }
}

Image drawn(int width, int height) {
  RandomStream stream(2, "resize test");
  Image image{width, height, 1, 8, {}};
  for (int i = 0; i < width * height; ++i) {
    image.pixels.push_back(static_cast<std::uint16_t>(stream.below(256)));
  }
  return image;
}

// More rows than are held at once.
TEST(Resample, IsThePlainFormWhereRowsAreTakenInPieces) {
  const Image image = drawn(2, 3000);
  for (const int height : {1500, 3001, 7}) {
    const Image out = resample(image, 2000, height);
    for (int y = 0; y < height; y += height < 10 ? 1 : 13) {
      for (int x = 0; x < 2000; x += 37) {
        ASSERT_EQ(out.pixels[static_cast<std::size_t>(y) * 2000 + static_cast<std::size_t>(x)],
                  plain_value(image, 2000, height, y, x, 0))
            << height << " " << y << " " << x;
      }
    }
  }
}

// Scaled as a whole, this image would have 224 x 14,679,840 pixels.
TEST(Fit, ANarrowImageIsCroppedWithoutTheRest) {
  const Image image = drawn(1, 65'535);
  const Image out = fit_square(image, 224, Fit::crop);
  ASSERT_EQ(out.pixels.size(), 224U * 224U);
  const int all = 65'535 * 224, top = (all - 224) / 2;
  for (int y = 0; y < 224; ++y) {
    ASSERT_EQ(out.pixels[static_cast<std::size_t>(y) * 224 + 5],
              plain_value(image, 224, all, top + y, 5, 0))
        << y;
  }
}

}  // namespace
}  // namespace bioptic
