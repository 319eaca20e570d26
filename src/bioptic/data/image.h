// One decoded image, and the decoders.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "bioptic/data/loss.h"

namespace bioptic {

// Pixels interleaved, height x width x channels, 8-bit values as they are (0..255) also for bits
// = 8.
struct Image {
  int width = 0, height = 0, channels = 1;  // 1 = grey, 3 = RGB
  int bits = 8;                             // 8 or 16: the range of `pixels`
  std::vector<std::uint16_t> pixels;
  Losses losses{};  // what decoding left out or changed
};

// What the file's header says.
struct ImageHeader {
  int width = 0, height = 0, channels = 1, bits = 8;
  int orientation = 1;  // of JPEG (Exif) and TIFF: 1 = upright, 2 to 8 = turned or mirrored
};

// True for the endings that decode_image knows: jpg, jpeg, png, tif, tiff in any case.
bool is_image_name(const std::filesystem::path& path);

// JPEG by libjpeg-turbo, PNG by libspng, TIFF by libtiff; which one is decided by the first bytes.
// Palettes become RGB, alpha is left out, MinIsWhite is inverted, an orientation is not applied
// (but by libtiff's conversion of palettes, tiles and planes: mirrored ones).  Throws InputError
// naming the file and the fault: not an image, damaged or cut off, more than max_pixels pixels
// (from the header, before anything is decoded), a kind that is not supported.
ImageHeader read_image_header(const std::filesystem::path& path, std::int64_t max_pixels);
enum class Wanted { as_stored, grey };
// Wanted::grey, where to_grey() follows: a colour JPEG without any colour in it may come back grey,
// which is quicker; to_grey() gives the same values either way.
Image decode_image(const std::filesystem::path& path, std::int64_t max_pixels,
                   Wanted wanted = Wanted::as_stored);

// ITU-R 601 luma with 16-bit weights, as Pillow's convert("L"); a grey image is returned as it is.
Image to_grey(Image image);
// A grey image three times; an RGB image is returned as it is.
Image to_rgb(Image image);

}  // namespace bioptic
