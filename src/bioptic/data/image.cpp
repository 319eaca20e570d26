#include "bioptic/data/image.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <string>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/data/image_decoders.h"

namespace bioptic {

void fail_image(const std::filesystem::path& path, const std::string& why) {
  throw InputError(path.string() + ": " + why);
}

void check_image_size(const std::filesystem::path& path, std::int64_t width, std::int64_t height,
                      std::int64_t max_pixels) {
  if (width < 1 || height < 1) fail_image(path, "has no pixels");
  if (width > max_pixels / height) {
    fail_image(path, "has " + std::to_string(width) + " x " + std::to_string(height) +
                         " pixels, more than " + std::to_string(max_pixels) +
                         "; raise --max-pixels if that is right");
  }
}

namespace {

enum class Format { jpeg, png, tiff };

Format format_of(const MappedFile& file, const std::filesystem::path& path) {
  const std::uint8_t* d = file.data();
  if (file.size() == 0) fail_image(path, "is empty");
  if (file.size() >= 3 && d[0] == 0xFF && d[1] == 0xD8 && d[2] == 0xFF) return Format::jpeg;
  if (file.size() >= 8 && std::memcmp(d, "\x89PNG\r\n\x1a\n", 8) == 0) return Format::png;
  if (file.size() >= 4 && (std::memcmp(d, "II*\0", 4) == 0 || std::memcmp(d, "MM\0*", 4) == 0 ||
                           std::memcmp(d, "II+\0", 4) == 0 || std::memcmp(d, "MM\0+", 4) == 0)) {
    return Format::tiff;
  }
  fail_image(path, "is not a JPEG, PNG or TIFF image (by its first bytes)");
}

}  // namespace

bool is_image_name(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png" || ending == ".tif" ||
         ending == ".tiff";
}

ImageHeader read_image_header(const std::filesystem::path& path, std::int64_t max_pixels) {
  const MappedFile file(path);
  switch (format_of(file, path)) {
    case Format::jpeg:
      return read_jpeg_header(file, path, max_pixels);
    case Format::png:
      return read_png_header(file, path, max_pixels);
    case Format::tiff:
      return read_tiff_header(file, path, max_pixels);
  }
  return {};
}

Image decode_image(const std::filesystem::path& path, std::int64_t max_pixels, Wanted wanted) {
  const MappedFile file(path);
  switch (format_of(file, path)) {
    case Format::jpeg:
      return decode_jpeg(file, path, max_pixels, wanted);
    case Format::png:
      return decode_png(file, path, max_pixels);
    case Format::tiff:
      return decode_tiff(file, path, max_pixels);
  }
  return {};
}

Image to_grey(Image image) {
  if (image.channels == 1) return image;
  const std::size_t n = image.pixels.size() / 3;
  for (std::size_t i = 0; i < n; ++i) {
    // 65,535 x 65,536 + 0x8000 is below 2^32
    const std::uint32_t r = image.pixels[3 * i], g = image.pixels[3 * i + 1],
                        b = image.pixels[3 * i + 2];
    image.pixels[i] = static_cast<std::uint16_t>((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16);
  }
  image.pixels.resize(n);
  image.channels = 1;
  return image;
}

Image to_rgb(Image image) {
  if (image.channels == 3) return image;
  std::vector<std::uint16_t> rgb(3 * image.pixels.size());
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = image.pixels[i];
  }
  image.pixels = std::move(rgb);
  image.channels = 3;
  return image;
}

}  // namespace bioptic
