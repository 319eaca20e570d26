// The plain form of the augmentation kernels: what every other form must equal, bit for bit.
#include <algorithm>

#include "bioptic/base/random.h"
#include "bioptic/kernel/augment.h"

namespace bioptic::kernel {
namespace {

void make_quads(const std::uint8_t* pixels, std::size_t height, std::size_t width,
                std::uint32_t* quads) {
  for (std::size_t y = 0; y < height; ++y) {
    const std::uint8_t* const row = pixels + y * width;
    const std::uint8_t* const below = pixels + std::min(y + 1, height - 1) * width;
    for (std::size_t x = 0; x < width; ++x) {
      const std::size_t right = std::min(x + 1, width - 1);
      quads[y * width + x] = row[x] | std::uint32_t{row[right]} << 8 |
                             std::uint32_t{below[x]} << 16 | std::uint32_t{below[right]} << 24;
    }
  }
}

float pixel(std::uint32_t quad, int byte) { return static_cast<float>(quad >> (8 * byte) & 255U); }

// To the nearest whole number, ties to even: floats of this size have no digits behind the point.
// 0 <= v <= 255.
float rounded(float v) { return (v + 0x1.8p23F) - 0x1.8p23F; }

std::uint8_t toned(float v, const Tone& tone, const std::int16_t* noise, std::size_t x) {
  v = tone.gain * v + tone.bias;
  if (noise != nullptr) v += static_cast<float>(noise[x]) * (1.0F / kNoiseUnits);
  return static_cast<std::uint8_t>(rounded(std::min(std::max(v, 0.0F), 255.0F)));
}

void warp_row(const std::uint32_t* quads, std::size_t height, std::size_t width, const RowMap& map,
              const Tone& tone, const std::int16_t* noise, std::uint8_t* out) {
  const auto right = static_cast<float>(width - 1), bottom = static_cast<float>(height - 1);
  for (std::size_t x = 0; x < width; ++x) {
    const auto at = static_cast<float>(x);
    const float sx = std::min(std::max(map.x0 + map.dx * at, 0.0F), right);
    const float sy = std::min(std::max(map.y0 + map.dy * at, 0.0F), bottom);
    const auto ix = static_cast<std::int32_t>(sx), iy = static_cast<std::int32_t>(sy);
    const float fx = sx - static_cast<float>(ix), fy = sy - static_cast<float>(iy);
    const std::uint32_t quad =
        quads[static_cast<std::size_t>(iy) * width + static_cast<std::size_t>(ix)];
    const float upper = pixel(quad, 0) + fx * (pixel(quad, 1) - pixel(quad, 0));
    const float lower = pixel(quad, 2) + fx * (pixel(quad, 3) - pixel(quad, 2));
    out[x] = toned(upper + fy * (lower - upper), tone, noise, x);
  }
}

void tone_row(const std::uint8_t* pixels, std::size_t width, const Tone& tone,
              const std::int16_t* noise, std::uint8_t* out) {
  for (std::size_t x = 0; x < width; ++x) {
    out[x] = toned(static_cast<float>(pixels[x]), tone, noise, x);
  }
}

void draw_noise(const std::array<std::uint32_t, 2>& key, std::uint64_t first_block,
                const NoiseTable& table, std::size_t count, std::int16_t* noise) {
  for (std::size_t i = 0; i < count; i += kNoisePerBlock) {
    const std::uint64_t block = first_block + i / kNoisePerBlock;
    const std::array<std::uint32_t, 4> words = philox4x32(
        {static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), 0, 0}, key);
    for (std::size_t k = 0; k < std::min(kNoisePerBlock, count - i); ++k) {
      noise[i + k] = table[words[k / 2] >> (16 * (k % 2)) & 0xFFFFU];
    }
  }
}

}  // namespace

const AugmentKernels kScalarAugment{"portable", make_quads, warp_row, tone_row, draw_noise};

}  // namespace bioptic::kernel
