#include "bioptic/data/tiff_directory.h"

#include <tiff.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

namespace bioptic {
namespace {

struct Tag {
  std::uint64_t number;
  const char* name;
};

// Of a single value each, that decides how bytes become pixels.
constexpr std::array<Tag, 17> kTags = {{{TIFFTAG_IMAGEWIDTH, "ImageWidth"},
                                        {TIFFTAG_IMAGELENGTH, "ImageLength"},
                                        {TIFFTAG_BITSPERSAMPLE, "BitsPerSample"},
                                        {TIFFTAG_COMPRESSION, "Compression"},
                                        {TIFFTAG_PHOTOMETRIC, "PhotometricInterpretation"},
                                        {TIFFTAG_FILLORDER, "FillOrder"},
                                        {TIFFTAG_STRIPOFFSETS, "StripOffsets"},
                                        {TIFFTAG_SAMPLESPERPIXEL, "SamplesPerPixel"},
                                        {TIFFTAG_ROWSPERSTRIP, "RowsPerStrip"},
                                        {TIFFTAG_PLANARCONFIG, "PlanarConfiguration"},
                                        {TIFFTAG_PREDICTOR, "Predictor"},
                                        {TIFFTAG_COLORMAP, "ColorMap"},
                                        {TIFFTAG_TILEWIDTH, "TileWidth"},
                                        {TIFFTAG_TILELENGTH, "TileLength"},
                                        {TIFFTAG_TILEOFFSETS, "TileOffsets"},
                                        {TIFFTAG_EXTRASAMPLES, "ExtraSamples"},
                                        {TIFFTAG_SAMPLEFORMAT, "SampleFormat"}}};

// Numbers of a file in its byte order.
class Reader {
 public:
  explicit Reader(const MappedFile& file)
      : file_(file), little_(file.size() > 0 && file.data()[0] == 'I') {}
  bool holds(std::uint64_t at, std::uint64_t bytes) const {
    return at <= file_.size() && bytes <= file_.size() - at;
  }
  std::uint64_t number(std::uint64_t at, std::uint64_t bytes) const {
    std::uint64_t value = 0;
    for (std::uint64_t b = 0; b < bytes; ++b) {
      value |= std::uint64_t{file_.data()[at + b]} << 8 * (little_ ? b : bytes - 1 - b);
    }
    return value;
  }

 private:
  const MappedFile& file_;
  bool little_;
};

}  // namespace

TiffEntries read_tiff_entries(const MappedFile& file) {
  TiffEntries found;
  const Reader reader(file);
  constexpr std::uint64_t kBigVersion = 43;
  if (!reader.holds(0, 16)) return found;
  const bool big = reader.number(2, 2) == kBigVersion;
  // Bytes of an offset, of the number of entries, and of an entry: tag, type, count, value.
  const std::uint64_t word = big ? 8 : 4, counter = big ? 8 : 2, entry = 4 + 2 * word;
  const std::uint64_t directory = reader.number(big ? 8 : 4, word);
  if (!reader.holds(directory, counter)) return found;
  const std::uint64_t most = (file.size() - directory - counter) / entry;
  const std::uint64_t entries = std::min(reader.number(directory, counter), most);
  std::map<std::uint64_t, std::uint64_t> met;  // tag: where its entry is
  for (std::uint64_t e = 0; e < entries; ++e) {
    const std::uint64_t at = directory + counter + e * entry;
    const std::uint64_t tag = reader.number(at, 2), count = reader.number(at + 4, word);
    if (tag == TIFFTAG_STRIPOFFSETS || tag == TIFFTAG_TILEOFFSETS) found.offsets = count;
    if (tag == TIFFTAG_STRIPBYTECOUNTS || tag == TIFFTAG_TILEBYTECOUNTS) found.byte_counts = count;
    const std::uint64_t type = reader.number(at + 2, 2);
    const std::uint64_t bytes = type == TIFF_BYTE    ? 1
                                : type == TIFF_SHORT ? 2
                                : type == TIFF_LONG  ? 4
                                : type == TIFF_LONG8 ? 8
                                                     : 0;
    if (count == 1 && bytes > 0 && bytes <= word) {
      const std::uint64_t value = reader.number(at + 4 + word, bytes);
      if (tag == TIFFTAG_PREDICTOR) found.predictor = value > 1;
      if (tag == TIFFTAG_ROWSPERSTRIP) found.rows_per_strip = value;
      if (tag == TIFFTAG_PHOTOMETRIC && !found.photometric) found.photometric = value;
    }
    const auto [first, is_new] = met.emplace(tag, at);
    if (is_new || std::memcmp(file.data() + first->second, file.data() + at, entry) == 0) continue;
    const auto* known =
        std::find_if(kTags.begin(), kTags.end(), [&](const Tag& t) { return t.number == tag; });
    if (known != kTags.end() && found.twice.empty()) found.twice = known->name;
  }
  return found;
}

}  // namespace bioptic
