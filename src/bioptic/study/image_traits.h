// What is measured of an image to tell whether it is one of a kind, and which image it is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace bioptic {

// In the order of ImageTraits::values.
enum class Trait : std::size_t {
  mean,      // of the grey values
  contrast,  // their standard deviation
  black,     // share of pixels that are 0
  white,     // share of pixels that are 255
  steps,     // mean difference of neighbours in a row, in grey values
  colour     // mean difference between the strongest and the weakest channel, in grey values
};
inline constexpr std::size_t kTraits = 6;

// Areas of a layout along each side.  Of 8 x 8 as much was found as of 16 x 16, in a quarter of the
// bytes.
inline constexpr std::size_t kLayoutSide = 8;

struct ImageTraits {
  std::array<double, kTraits> values{};
  std::vector<std::uint8_t> layout;  // means of areas, channel by channel, rounded
  std::uint64_t hash = 0;            // the first 64 bits of the pixels' SHA-256
};

// pixels: C x H x W, as a network gets them before they are normalised.
ImageTraits traits_of(std::span<const std::uint8_t> pixels, int channels, int height, int width);

// The hash alone.
std::uint64_t pixel_hash(std::span<const std::uint8_t> pixels);

}  // namespace bioptic
