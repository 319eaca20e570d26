#include "bioptic/report/sheet.h"

#include <fmt/format.h>

#include <string_view>

#include "bioptic/base/files.h"

namespace bioptic {
namespace {

// Side of a thumbnail in pixels: 300 dpi at some 16 mm.
constexpr std::size_t kThumb = 192;

}  // namespace

Sheet::Sheet(std::size_t columns, std::size_t rows)
    : width_(columns * kThumb), pixels_(3 * width_ * rows * kThumb, 255) {}

void Sheet::put(std::size_t column, std::size_t row, std::size_t height, std::size_t width,
                const std::function<std::uint8_t(std::size_t, std::size_t, std::size_t)>& pixel) {
  constexpr std::size_t kGap = 3;
  for (std::size_t y = kGap; y < kThumb - kGap; ++y) {
    for (std::size_t x = kGap; x < kThumb - kGap; ++x) {
      const std::size_t sy = (y - kGap) * height / (kThumb - 2 * kGap);
      const std::size_t sx = (x - kGap) * width / (kThumb - 2 * kGap);
      for (std::size_t c = 0; c < 3; ++c) {
        pixels_[3 * ((row * kThumb + y) * width_ + column * kThumb + x) + c] = pixel(c, sy, sx);
      }
    }
  }
}

void Sheet::put_pixels(std::size_t column, std::size_t row, const DatasetInfo& info,
                       std::span<const std::uint8_t> pixels) {
  const auto h = static_cast<std::size_t>(info.height), w = static_cast<std::size_t>(info.width);
  const bool colour = info.channels == 3;
  put(column, row, h, w, [&](std::size_t c, std::size_t y, std::size_t x) {
    return pixels[((colour ? c : 0) * h + y) * w + x];
  });
}

std::string Sheet::plot(const std::filesystem::path& scratch, const std::string& name) const {
  write_file(scratch / name,
             std::string_view(reinterpret_cast<const char*>(pixels_.data()), pixels_.size()));
  const std::size_t height = pixels_.size() / 3 / width_;
  const double pixel = 1.0 / static_cast<double>(kThumb);
  return fmt::format(
      "'{}' binary array=({},{}) format='%uchar' dx={} dy={} origin=({},{}) using 1:2:3 with "
      "rgbimage notitle",
      name, width_, height, pixel, pixel, pixel / 2, pixel / 2);
}

}  // namespace bioptic
