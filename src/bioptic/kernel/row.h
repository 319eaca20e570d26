// One image as the kernels read it: stored bytes and how a byte becomes an input.
#pragma once

#include <cstdint>

namespace bioptic {

// How one channel's stored pixel p becomes an input: scale * (table ? table[p] : p) + offset, one
// fused multiply-add in float32.
struct PixelMap {
  float scale = 1.0F / 255;
  float offset = 0;
  const std::uint8_t* table = nullptr;  // 256 entries, or null for the identity
};

struct Row {
  const std::uint8_t* pixels = nullptr;  // C x H x W
  const PixelMap* maps = nullptr;        // one per channel
};

}  // namespace bioptic
