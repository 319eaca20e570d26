// The decoders of the three formats, behind image.h: image.cpp calls the one that a file's first
// bytes ask for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "bioptic/base/files.h"
#include "bioptic/data/image.h"

namespace bioptic {

// Throws InputError: the file's name and `why`.
[[noreturn]] void fail_image(const std::filesystem::path& path, const std::string& why);

// Throws InputError where there is no pixel, or more than max_pixels.
void check_image_size(const std::filesystem::path& path, std::int64_t width, std::int64_t height,
                      std::int64_t max_pixels);

// As read_image_header and decode_image; `path` names the file in messages.
ImageHeader read_jpeg_header(const MappedFile& file, const std::filesystem::path& path,
                             std::int64_t max_pixels);
Image decode_jpeg(const MappedFile& file, const std::filesystem::path& path,
                  std::int64_t max_pixels, Wanted wanted);

ImageHeader read_png_header(const MappedFile& file, const std::filesystem::path& path,
                            std::int64_t max_pixels);
Image decode_png(const MappedFile& file, const std::filesystem::path& path,
                 std::int64_t max_pixels);

// libtiff reads the file itself, not its map: of a file that is cut off while the library reads a
// map, nobody could name it.
ImageHeader read_tiff_header(const MappedFile& file, const std::filesystem::path& path,
                             std::int64_t max_pixels);
Image decode_tiff(const MappedFile& file, const std::filesystem::path& path,
                  std::int64_t max_pixels);

// The orientation in the Exif part of a JPEG file, 1 where it has none or is damaged: the pixels do
// not depend on it.
int exif_orientation(const MappedFile& file);

}  // namespace bioptic
