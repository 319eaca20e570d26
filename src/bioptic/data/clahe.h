// Contrast limited adaptive histogram equalization (K. Zuiderveld, Graphics Gems IV, 1994), with
// the bins, clipping and interpolation of scikit-image's exposure.equalize_adapthist.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>

#include "bioptic/data/dataset.h"

namespace bioptic {

// Of the pixels that equalize() gives.  A change of them changes this and must change the ids of
// trials that use it.
inline constexpr int kClaheVersion = 1;

struct Clahe {
  double clip_limit = 0.01;  // largest share of a tile's pixels in one of 256 bins, (0, 1]
  int tiles = 8;             // per axis; a tile is max(1, size / tiles) pixels, rounded down
};

inline bool operator==(const Clahe& a, const Clahe& b) {
  return a.clip_limit == b.clip_limit && a.tiles == b.tiles;
}

// One image, C x H x W.  The image's own grey values are first spread over all bins, and the result
// over 0..255, halves up.  Three channels: the largest of the three is equalized, and all three are
// multiplied by what it was multiplied by (hue and saturation stay).  An image of one grey value,
// or whose result is of one, stays as it is.
void equalize(const Clahe& clahe, int channels, int height, int width,
              std::span<const std::uint8_t> pixels, std::span<std::uint8_t> out);

// Writes the dataset of equalized images at `folder`; its record names the parameters and the
// source's hash.  `progress` gets images done and of all.
DatasetInfo equalize_dataset(const Dataset& dataset, const Clahe& clahe,
                             const std::filesystem::path& folder, int threads,
                             const std::function<void(std::size_t, std::size_t)>& progress = {});

// Whether the dataset is one that equalize_dataset made with these parameters.
bool is_equalized(const DatasetInfo& info, const Clahe& clahe);

}  // namespace bioptic
