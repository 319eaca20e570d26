// Writing PNG files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace bioptic {

// The bytes of a PNG.  Pixels interleaved, height x width x channels (1 = grey, 3 = RGB), host byte
// order.
std::string png_bytes(int width, int height, int channels, std::span<const std::uint8_t> pixels);
std::string png_bytes(int width, int height, int channels, std::span<const std::uint16_t> pixels);

}  // namespace bioptic
