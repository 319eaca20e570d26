// Images as the engines read them: pixels with the maps of a Normaliser.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bioptic/base/scratch.h"
#include "bioptic/data/dataset.h"
#include "bioptic/kernel/row.h"
#include "bioptic/train/normaliser.h"

namespace bioptic {

// The maps of a number of images.  Takes 16 bytes of memory per image and channel where each image
// has its own, else nothing per image; tables of many images lie in a file (base/scratch.h).
class ImageMaps {
 public:
  // `normaliser` must outlive this.
  ImageMaps(const Normaliser& normaliser, std::size_t images);

  // Makes the maps of an image from its pixels.  Needed before of() where each has its own.
  void set(std::size_t image, std::span<const std::uint8_t> pixels);
  // One map per channel; valid as long as this object.
  const PixelMap* of(std::size_t image) const {
    return maps_.empty() ? normaliser_->maps().data() : &maps_[image * normaliser_->channels()];
  }

 private:
  const Normaliser* normaliser_;
  std::vector<PixelMap> maps_;     // images x channels, empty where one set serves all
  std::vector<GreyTable> tables_;  // of few images
  ScratchMemory scratch_;          // of many
};

// The images of a dataset by row.
class NormalisedImages {
 public:
  // rows: those that will be asked for.  `dataset` and `normaliser` must outlive this.
  NormalisedImages(const Dataset& dataset, const Normaliser& normaliser,
                   std::span<const std::uint32_t> rows);

  const Dataset& dataset() const { return *dataset_; }
  // Pixels and maps, valid as long as this object.  Pixels changed by augmentation are read through
  // the same maps, those of the image as it is stored.
  Row row(std::uint32_t row) const { return {dataset_->image8(row).data(), maps_.of(row)}; }

 private:
  const Dataset* dataset_;
  ImageMaps maps_;
};

}  // namespace bioptic
