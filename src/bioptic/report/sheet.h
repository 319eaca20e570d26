// Images side by side in one figure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "bioptic/data/dataset.h"

namespace bioptic {

// A sheet of thumbnails, RGB, white where nothing stands.
class Sheet {
 public:
  Sheet(std::size_t columns, std::size_t rows);

  // pixel(c, y, x) of an image of height x width, c < 3; nearest neighbour.
  void put(std::size_t column, std::size_t row, std::size_t height, std::size_t width,
           const std::function<std::uint8_t(std::size_t, std::size_t, std::size_t)>& pixel);
  // pixels: an image of the size that `info` has, C x H x W.
  void put_pixels(std::size_t column, std::size_t row, const DatasetInfo& info,
                  std::span<const std::uint8_t> pixels);
  void put_image(std::size_t column, std::size_t row, const Dataset& dataset, std::size_t image) {
    put_pixels(column, row, dataset.info(), dataset.image8(image));
  }
  // The commands' plot of the whole sheet, from a file in `scratch`; one thumbnail = one unit, y
  // down.
  std::string plot(const std::filesystem::path& scratch, const std::string& name) const;

 private:
  std::size_t width_;
  std::vector<std::uint8_t> pixels_;
};

}  // namespace bioptic
