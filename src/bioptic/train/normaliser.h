// How stored grey values become a network's inputs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bioptic/data/clahe.h"
#include "bioptic/data/dataset.h"
#include "bioptic/kernel/row.h"
#include "bioptic/model/spec.h"

namespace bioptic {

using GreyTable = std::array<std::uint8_t, 256>;    // grey value -> grey value
using GreyCounts = std::array<std::uint64_t, 256>;  // pixels by grey value

// Adds the pixels to `counts`.
void count_greys(std::span<const std::uint8_t> pixels, GreyCounts& counts);

// The table that gives an image with the histogram `image` the histogram `reference`: a grey value
// becomes the one at the same share of darker or equal pixels, interpolated between those that the
// reference has, as scikit-image's exposure.match_histograms; rounded, halves up.  So the brightest
// value of an image, and the only one of an image that has one, becomes the reference's brightest.
// Both need at least one pixel.
GreyTable matching_table(const GreyCounts& image, const GreyCounts& reference);

// The parameters of kind `clahe`.
Clahe clahe_of(const NormalisationSpec& spec);

// Fitted on training images, and then a function of one image's pixels alone.  Formulas and sources
// are in docs/normalisation.md.
//
// The pixels that it is asked about are 8 bit, and for `clahe` already equalized (data/clahe.h):
// that depends on no other image, so it is done once, not per trial.
class Normaliser {
 public:
  // rows: of the training split, at least one.  Reads these images and no others.  Throws
  // std::logic_error for `clahe` when the dataset is not of equalized images.
  static Normaliser fit(const NormalisationSpec& spec, const Dataset& dataset,
                        std::span<const std::uint32_t> rows);
  // From what fitted() gave.  Throws InputError when it does not belong to `spec` and `channels`.
  Normaliser(const NormalisationSpec& spec, std::size_t channels, const std::string& fitted);

  // JSON object text, "{}" where nothing is fitted.
  // training: {"mean": [...], "sd": [...]}, in grey values, by channel.
  // histogram: {"counts": [[256 numbers], ...]}, the training split's pixels, by channel.
  std::string fitted() const;

  std::size_t channels() const { return channels_; }
  // Whether images differ in their maps; if not, these are the maps of all.
  bool per_image() const;
  std::span<const PixelMap> maps() const { return maps_; }
  // Whether per-image maps have tables.
  bool has_tables() const { return spec_.kind == NormalisationKind::histogram; }

  // One image's own maps.  pixels: C x H x W; maps: C; tables: C, or empty without has_tables().
  // The maps point into `tables`.  Only for per_image().
  void fit_image(std::span<const std::uint8_t> pixels, std::span<PixelMap> maps,
                 std::span<GreyTable> tables) const;

 private:
  Normaliser(const NormalisationSpec& spec, std::size_t channels);
  void make_maps();

  NormalisationSpec spec_;
  std::size_t channels_ = 1;
  std::vector<double> mean_, sd_;   // training: grey values, by channel
  std::vector<GreyCounts> counts_;  // histogram: by channel
  std::vector<PixelMap> maps_;
};

}  // namespace bioptic
