#include "bioptic/data/tiff_messages.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace bioptic {
namespace {

constexpr std::size_t kMostMessages = 256;  // of a file; more say nothing new

// As libtiff calls them.
constexpr std::array<std::string_view, 27> kPixelTags = {"SubfileType",
                                                         "OldSubfileType",
                                                         "ImageWidth",
                                                         "ImageLength",
                                                         "BitsPerSample",
                                                         "Compression",
                                                         "PhotometricInterpretation",
                                                         "FillOrder",
                                                         "StripOffsets",
                                                         "SamplesPerPixel",
                                                         "RowsPerStrip",
                                                         "StripByteCounts",
                                                         "PlanarConfiguration",
                                                         "Group3Options",
                                                         "Group4Options",
                                                         "Predictor",
                                                         "ColorMap",
                                                         "TileWidth",
                                                         "TileLength",
                                                         "TileOffsets",
                                                         "TileByteCounts",
                                                         "SubIFD",
                                                         "ExtraSamples",
                                                         "SampleFormat",
                                                         "JPEGTables",
                                                         "YCbCrSubsampling",
                                                         "YCbCrCoefficients"};

// What libtiff works out by itself and rightly: of strips that are not packed, by the image's size.
constexpr std::string_view kWorkedOut = "calculating from imagelength";
// A palette of 8 bits in place of 16, by a mistake that many programs made.
constexpr std::string_view kPaletteOf8Bits = "Assuming 8-bit colormap";

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

bool of_pixel_tag(const std::string& text) {
  return std::any_of(kPixelTags.begin(), kPixelTags.end(),
                     [&](std::string_view tag) { return has(text, '"' + std::string(tag) + '"'); });
}

}  // namespace

int TiffMessages::take(TIFF*, void* messages, const char*, const char* format,
                       std::va_list values) {
  auto& texts = static_cast<TiffMessages*>(messages)->texts_;
  if (texts.size() == kMostMessages) return 1;
  std::array<char, 512> text{};
  std::vsnprintf(text.data(), text.size(), format, values);
  texts.emplace_back(text.data());
  return 1;
}

std::string TiffMessages::last() const { return texts_.empty() ? "" : " (" + texts_.back() + ")"; }

std::string TiffMessages::bad_tag() const {
  const auto found = std::find_if(texts_.begin(), texts_.end(), [](const std::string& text) {
    return !has(text, kWorkedOut) && (of_pixel_tag(text) || has(text, "assum"));
  });
  return found == texts_.end() ? "" : *found;
}

std::string TiffMessages::bad_pixels() const {
  const auto found = std::find_if(texts_.begin(), texts_.end(), [](const std::string& text) {
    return !has(text, kPaletteOf8Bits);
  });
  return found == texts_.end() ? "" : *found;
}

}  // namespace bioptic
