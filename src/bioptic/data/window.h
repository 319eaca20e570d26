// 16 bit to 8: a declared window maps grey values to 0..255, once, into a cached uint8 dataset.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "bioptic/data/dataset.h"

namespace bioptic {

enum class WindowKind { range, percentile, fixed };

struct WindowSpec {
  WindowKind kind = WindowKind::range;  // smallest to largest over the training images;
                                        // percentile: 0.5 to 99.5 % of their pixels
  double low = 0, high = 0;             // for fixed
};

struct Window {
  std::uint16_t low = 0, high = 65535;  // high > low
};

// `rows`: the images that the source does not call test (train + val).
Window find_window(const Dataset& dataset, std::span<const std::uint32_t> rows,
                   const WindowSpec& spec);

// round(255 (v - low) / (high - low)), clamped, halves up.
std::uint8_t apply_window(std::uint16_t value, Window window);

// Writes the uint8 dataset at `folder`; its record names the window and the source's hash.
DatasetInfo window_dataset(const Dataset& dataset, Window window,
                           const std::filesystem::path& folder);

}  // namespace bioptic
