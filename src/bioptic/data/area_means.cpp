#include "bioptic/data/area_means.h"

#include <algorithm>

namespace bioptic {

std::vector<double> area_means(const Dataset& dataset, std::size_t row, std::size_t side) {
  const DatasetInfo& info = dataset.info();
  const auto height = static_cast<std::size_t>(info.height),
             width = static_cast<std::size_t>(info.width);
  const std::size_t rows = std::min(side, height), columns = std::min(side, width);
  const auto pixels = dataset.image8(row);
  std::vector<double> means;
  means.reserve(static_cast<std::size_t>(info.channels) * rows * columns);
  for (std::size_t c = 0; c < static_cast<std::size_t>(info.channels); ++c) {
    for (std::size_t r = 0; r < rows; ++r) {
      const std::size_t top = r * height / rows, bottom = (r + 1) * height / rows;
      for (std::size_t k = 0; k < columns; ++k) {
        const std::size_t left = k * width / columns, right = (k + 1) * width / columns;
        std::size_t sum = 0;
        for (std::size_t y = top; y < bottom; ++y) {
          for (std::size_t x = left; x < right; ++x) sum += pixels[(c * height + y) * width + x];
        }
        means.push_back(static_cast<double>(sum) /
                        static_cast<double>((bottom - top) * (right - left)));
      }
    }
  }
  return means;
}

}  // namespace bioptic
