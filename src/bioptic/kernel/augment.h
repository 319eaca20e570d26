// The arithmetic of augmentation on one channel of one image: bilinear resampling along an affine
// map, brightness and contrast, and noise.  It exists once per instruction set, beside a plain form
// (augment_scalar.cpp) that every other must equal bit for bit.
//
// The same bits everywhere: pixels are independent of each other, so no sum runs across lanes; no
// form uses a fused multiply-add, so that every product and sum rounds on its own, in float32 and
// in the order in which augment_scalar.cpp writes them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace bioptic::kernel {

// Noise is handed around in units of 1/64 grey level.
inline constexpr int kNoiseUnits = 64;
// What a random 16-bit number is turned into: entry k is the (k + 1/2) / 65536 quantile of the
// noise.
using NoiseTable = std::array<std::int16_t, 65536>;

// Row of an output image: pixel x is read at source column x0 + dx x and source row y0 + dy x.
struct RowMap {
  float x0 = 0, dx = 1, y0 = 0, dy = 0;
};

// v becomes gain v + bias, in grey levels.
struct Tone {
  float gain = 1, bias = 0;
};

struct AugmentKernels {
  const char* isa;  // "portable", "avx2", "avx512", "neon"

  // quads[y][x] = the pixels (y, x), (y, x+1), (y+1, x), (y+1, x+1), the first in the lowest byte;
  // beyond the last row or column the last one counts again.  pixels, quads: (height, width).
  void (*make_quads)(const std::uint8_t* pixels, std::size_t height, std::size_t width,
                     std::uint32_t* quads);

  // out[x], x < width: the source where `map` says, interpolated linearly in both directions
  // between pixel centres (whole numbers; positions beyond the outer centres count as on them),
  // then `tone`, then plus noise[x] / kNoiseUnits where noise is not null, rounded to nearest (ties
  // to even) and limited to 0 .. 255.  quads: (height, width), height and width at most 4096.
  void (*warp_row)(const std::uint32_t* quads, std::size_t height, std::size_t width,
                   const RowMap& map, const Tone& tone, const std::int16_t* noise,
                   std::uint8_t* out);

  // The same for a row that stays where it is: out[x] from pixels[x].
  void (*tone_row)(const std::uint8_t* pixels, std::size_t width, const Tone& tone,
                   const std::int16_t* noise, std::uint8_t* out);

  // noise[i] = table[bits i], i < count: the 16-bit halves, low one first, of the words of
  // Philox4x32-10 under `key` (base/random.h), whose blocks are counted from first_block.
  void (*draw_noise)(const std::array<std::uint32_t, 2>& key, std::uint64_t first_block,
                     const NoiseTable& table, std::size_t count, std::int16_t* noise);
};

// 16-bit numbers that one Philox block gives.
inline constexpr std::size_t kNoisePerBlock = 8;

// The plain form; also what "portable" is.
extern const AugmentKernels kScalarAugment;

// Those this processor can run, best first; the names are those of kernels.h.
std::vector<const AugmentKernels*> available_augment_kernels();

// `isa` "" = the best.  Throws InputError for an unknown name or one this processor lacks.
const AugmentKernels& choose_augment_kernels(std::string_view isa);

}  // namespace bioptic::kernel
