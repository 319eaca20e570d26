#include "bioptic/study/image_traits.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "bioptic/base/sha256.h"

namespace bioptic {
namespace {

std::uint64_t total(std::span<const std::uint64_t, 256> counts, bool squares) {
  std::uint64_t sum = 0;
  for (std::uint64_t v = 0; v < counts.size(); ++v) sum += counts[v] * v * (squares ? v : 1);
  return sum;
}

// Sum of the differences of neighbours in a row.
std::uint64_t steps_of(std::span<const std::uint8_t> pixels, std::size_t width) {
  std::uint64_t sum = 0;
  for (std::size_t row = 0; row < pixels.size(); row += width) {
    const std::uint8_t* p = &pixels[row];
    std::uint32_t of_row = 0;  // at most 255 x 32,767
    for (std::size_t x = 1; x < width; ++x) {
      of_row += static_cast<std::uint32_t>(std::abs(int{p[x]} - int{p[x - 1]}));
    }
    sum += of_row;
  }
  return sum;
}

std::uint64_t colour_of(std::span<const std::uint8_t> pixels) {
  const std::size_t plane = pixels.size() / 3;
  std::uint64_t sum = 0;
  for (std::size_t p = 0; p < plane; ++p) {
    const auto [low, high] = std::minmax({pixels[p], pixels[plane + p], pixels[2 * plane + p]});
    sum += static_cast<std::uint64_t>(high - low);
  }
  return sum;
}

// Rounded means of areas of whole pixels; a smaller image gives its pixels.
std::vector<std::uint8_t> layout_of(std::span<const std::uint8_t> pixels, std::size_t channels,
                                    std::size_t height, std::size_t width) {
  const std::size_t rows = std::min(kLayoutSide, height), columns = std::min(kLayoutSide, width);
  std::vector<std::uint8_t> layout;
  layout.reserve(channels * rows * columns);
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t r = 0; r < rows; ++r) {
      const std::size_t top = r * height / rows, bottom = (r + 1) * height / rows;
      for (std::size_t k = 0; k < columns; ++k) {
        const std::size_t left = k * width / columns, right = (k + 1) * width / columns;
        std::uint64_t sum = 0;
        for (std::size_t y = top; y < bottom; ++y) {
          const std::uint8_t* p = &pixels[(c * height + y) * width];
          for (std::size_t x = left; x < right; ++x) sum += p[x];
        }
        const std::uint64_t area = (bottom - top) * (right - left);
        layout.push_back(static_cast<std::uint8_t>((2 * sum + area) / (2 * area)));
      }
    }
  }
  return layout;
}

}  // namespace

std::uint64_t pixel_hash(std::span<const std::uint8_t> pixels) {
  const std::array<std::uint8_t, 32> digest = sha256_bytes(pixels.data(), pixels.size());
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < 8; ++i) hash = hash << 8U | digest[i];
  return hash;
}

ImageTraits traits_of(std::span<const std::uint8_t> pixels, int channels, int height, int width) {
  const auto h = static_cast<std::size_t>(height), w = static_cast<std::size_t>(width);
  std::array<std::uint64_t, 256> counts{};
  for (const std::uint8_t p : pixels) ++counts[p];
  const auto n = static_cast<double>(pixels.size());
  const double mean = static_cast<double>(total(counts, false)) / n;
  const double square = static_cast<double>(total(counts, true)) / n;
  const double steps = n * static_cast<double>(w - 1) / static_cast<double>(w);  // their number

  ImageTraits traits;
  const auto set = [&](Trait trait, double value) {
    traits.values[static_cast<std::size_t>(trait)] = value;
  };
  set(Trait::mean, mean);
  set(Trait::contrast, std::sqrt(std::max(0.0, square - mean * mean)));
  set(Trait::black, static_cast<double>(counts.front()) / n);
  set(Trait::white, static_cast<double>(counts.back()) / n);
  if (w > 1) set(Trait::steps, static_cast<double>(steps_of(pixels, w)) / steps);
  if (channels == 3) set(Trait::colour, static_cast<double>(colour_of(pixels)) * 3 / n);
  traits.layout = layout_of(pixels, static_cast<std::size_t>(channels), h, w);
  traits.hash = pixel_hash(pixels);
  return traits;
}

}  // namespace bioptic
