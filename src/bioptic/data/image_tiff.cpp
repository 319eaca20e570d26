#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "bioptic/data/image_decoders.h"
#include "bioptic/data/tiff_directory.h"
#include "bioptic/data/tiff_messages.h"
#include "bioptic/data/tiff_pages.h"

namespace bioptic {
namespace {

constexpr std::uint16_t kMostTiffSamples = 5;                     // CMYK and alpha
constexpr std::uint64_t kMostTiffPiece = std::uint64_t{4} << 20;  // of a tile around a small image

struct TiffFile {
  // Its place must not change: libtiff writes to it.
  std::unique_ptr<TiffMessages> messages = std::make_unique<TiffMessages>();
  std::unique_ptr<TIFF, void (*)(TIFF*)> tiff{nullptr, TIFFClose};
  std::uint32_t width = 0, height = 0;
  std::uint16_t bits = 1, samples = 1, photometric = PHOTOMETRIC_MINISBLACK;
  std::uint16_t format = SAMPLEFORMAT_UINT, planar = PLANARCONFIG_CONTIG;
  std::uint16_t compression = COMPRESSION_NONE, orientation = ORIENTATION_TOPLEFT;
  std::uint64_t pages_left_out = 0;
  bool says_polarity = true;

  TiffFile(const MappedFile& mapped, const std::filesystem::path& path, std::int64_t max_pixels) {
    open(path);
    TIFF* t = tiff.get();
    if (TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &width) != 1 ||
        TIFFGetField(t, TIFFTAG_IMAGELENGTH, &height) != 1) {
      fail_image(path, "is a TIFF without a size");
    }
    const bool says_bits = TIFFGetField(t, TIFFTAG_BITSPERSAMPLE, &bits) == 1;
    TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLESPERPIXEL, &samples);
    TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLEFORMAT, &format);
    TIFFGetFieldDefaulted(t, TIFFTAG_PLANARCONFIG, &planar);
    TIFFGetFieldDefaulted(t, TIFFTAG_COMPRESSION, &compression);
    says_polarity = TIFFGetField(t, TIFFTAG_PHOTOMETRIC, &photometric) == 1;
    TIFFGetField(t, TIFFTAG_ORIENTATION, &orientation);
    check_image_size(path, width, height, max_pixels);
    if (const std::string bad = messages->bad_tag(); !bad.empty()) {
      fail_image(path, "is a damaged TIFF (" + bad + "); mend the tag or write the file anew");
    }
    if (!says_bits && !grey()) {  // where it is missing, libtiff makes all pixels of a palette 0
      fail_image(path, "is a TIFF of colours that does not say how many bits they have");
    }
    std::array<const std::uint16_t*, 3> palette{};
    if (!says_polarity &&
        TIFFGetField(t, TIFFTAG_COLORMAP, &palette[0], &palette[1], &palette[2]) == 1) {
      fail_image(path,
                 "is a TIFF with a palette that does not say whether its values are entries of it "
                 "(PhotometricInterpretation is missing)");
    }
    check_samples(path);
    check_piece(path);
    check_entries(mapped, path);
    pages_left_out = left_out_pages(t, path);
    messages->clear();  // of other pages, and of the first again
  }
  // With the library's messages kept, which would go to standard error.
  void open(const std::filesystem::path& path) {
    const std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions*)> options(
        TIFFOpenOptionsAlloc(), TIFFOpenOptionsFree);
    TIFFOpenOptionsSetErrorHandlerExtR(options.get(), TiffMessages::take, messages.get());
    TIFFOpenOptionsSetWarningHandlerExtR(options.get(), TiffMessages::take, messages.get());
    // Not mapped ("m"): of a file that is cut off while the library reads it, nobody could name it.
    tiff.reset(TIFFOpenExt(path.c_str(), "rm", options.get()));
    if (!tiff) fail_image(path, "cannot be read as TIFF" + messages->last());
  }
  int colours() const {
    switch (photometric) {
      case PHOTOMETRIC_SEPARATED:
        return 4;
      case PHOTOMETRIC_RGB:
      case PHOTOMETRIC_YCBCR:
      case PHOTOMETRIC_CIELAB:
        return 3;
      default:
        return 1;
    }
  }
  // Values that no colour space and no alpha accounts for are channels of something else, of which
  // none may be left out in silence.
  void check_samples(const std::filesystem::path& path) const {
    const auto kind = [&](const std::string& what) {
      return "is a TIFF of " + what + std::to_string(bits) +
             "-bit values, which are not supported; ";
    };
    if (samples < 1 || samples > kMostTiffSamples) {
      fail_image(path, "is a TIFF of " + std::to_string(samples) + " values per pixel; 1 to " +
                           std::to_string(kMostTiffSamples) + " are supported");
    }
    if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID) {
      const bool numbers = format == SAMPLEFORMAT_INT || format == SAMPLEFORMAT_IEEEFP;
      fail_image(path, kind(format == SAMPLEFORMAT_INT ? "signed "
                            : numbers                  ? "float "
                                                       : "complex ") +
                           "save the images of a class as one .npy file (numpy.save), which keeps "
                           "every value of int16, and of float32 its place between the smallest "
                           "and the largest");
    }
    if (bits > 8 && bits != 16) {
      fail_image(path, kind("") + (bits < 16 ? "write its values in 16 bits"
                                             : "convert it to 16 bits by a range that you choose"));
    }
    if (samples < colours()) {
      fail_image(path, "is a damaged TIFF: it says " + std::to_string(samples) +
                           " values per pixel, but a kind of image that has " +
                           std::to_string(colours()));
    }
    if (samples == colours()) return;
    std::uint16_t extra = 0;
    const std::uint16_t* kinds = nullptr;
    TIFFGetField(tiff.get(), TIFFTAG_EXTRASAMPLES, &extra, &kinds);
    const bool alpha = samples == colours() + 1 && extra == 1 &&
                       (kinds[0] == EXTRASAMPLE_ASSOCALPHA || kinds[0] == EXTRASAMPLE_UNASSALPHA);
    if (!alpha) {
      fail_image(path,
                 "is a TIFF of " + std::to_string(samples) + " channels, " +
                     std::to_string(samples - colours()) +
                     " more than its kind of image has (and not alpha); keep only those that are "
                     "to be imported");
    }
    if (!direct()) {
      fail_image(path, "is a TIFF of a kind that is not supported with alpha; leave the alpha out");
    }
  }
  // libtiff makes room for one whole tile or strip, whose size the file states on its own.
  void check_piece(const std::filesystem::path& path) const {
    TIFF* t = tiff.get();
    const std::uint64_t piece = TIFFIsTiled(t) != 0 ? TIFFTileSize64(t) : TIFFStripSize64(t);
    if (piece == 0 || piece > std::max(image_bytes(), kMostTiffPiece)) {
      fail_image(path, "is a damaged TIFF: its tiles or strips are larger than the image");
    }
  }
  std::uint64_t image_bytes() const {
    return std::uint64_t{width} * height * samples * ((bits + 7U) / 8U);
  }
  // What stands in the directory beside what libtiff makes of it.
  void check_entries(const MappedFile& mapped, const std::filesystem::path& path) const {
    TIFF* t = tiff.get();
    const TiffEntries entries = read_tiff_entries(mapped);
    if (!entries.twice.empty()) {
      fail_image(path, "is a damaged TIFF: it has two values of the tag " + entries.twice);
    }
    if (says_polarity && entries.photometric && *entries.photometric != photometric) {
      fail_image(
          path,
          "is a damaged TIFF: what else it says contradicts its "
          "PhotometricInterpretation of " +
              std::to_string(*entries.photometric) +
              (*entries.photometric == PHOTOMETRIC_PALETTE ? " (a palette is missing)" : ""));
    }
    const std::uint64_t rows = std::min<std::uint64_t>(
        std::max<std::uint64_t>(entries.rows_per_strip.value_or(height), 1), height);
    const std::uint64_t planes = planar == PLANARCONFIG_SEPARATE ? samples : 1;
    const std::uint64_t expected =
        TIFFIsTiled(t) != 0 ? TIFFNumberOfTiles(t) : (height + rows - 1) / rows * planes;
    for (const std::uint64_t count : {entries.offsets, entries.byte_counts}) {
      if (count == 0 || count == expected) continue;
      fail_image(path, "is a damaged TIFF: it names " + std::to_string(count) +
                           " strips or tiles, but its size and their rows make " +
                           std::to_string(expected));
    }
    const std::uint64_t pieces = TIFFIsTiled(t) != 0 ? TIFFNumberOfTiles(t) : TIFFNumberOfStrips(t);
    for (std::uint64_t p = 0; p < pieces; ++p) {
      if (TIFFGetStrileOffset(t, static_cast<std::uint32_t>(p)) != 0) continue;
      fail_image(path, "is a damaged TIFF: strip or tile " + std::to_string(p) + " has no place");
    }
    constexpr std::array<std::uint16_t, 5> kPredicted = {COMPRESSION_LZW, COMPRESSION_DEFLATE,
                                                         COMPRESSION_ADOBE_DEFLATE,
                                                         COMPRESSION_LZMA, COMPRESSION_ZSTD};
    if (entries.predictor &&
        std::find(kPredicted.begin(), kPredicted.end(), compression) == kPredicted.end()) {
      fail_image(path,
                 "is a damaged TIFF: it has a Predictor, but its compression is none that has one");
    }
    if (compression != COMPRESSION_NONE) return;
    // Not packed, they take what they take; tiles are filled up at the edges.
    if (TIFFIsTiled(t) != 0 || bits < 8) return;
    std::uint64_t stored = 0;
    for (std::uint64_t p = 0; p < pieces; ++p) {
      stored += TIFFGetStrileByteCount(t, static_cast<std::uint32_t>(p));
    }
    if (photometric == PHOTOMETRIC_YCBCR && planar == PLANARCONFIG_CONTIG) {
      std::uint32_t rows_each = height;
      TIFFGetFieldDefaulted(t, TIFFTAG_ROWSPERSTRIP, &rows_each);
      rows_each = std::max(rows_each, 1U);
      std::uint64_t needed = 0;
      for (std::uint32_t y = 0; y < height; y += std::min(rows_each, height - y)) {
        needed += TIFFVStripSize64(t, std::min(rows_each, height - y));
      }
      if (stored > needed) {
        fail_image(path, "is a damaged TIFF: it holds " + std::to_string(stored) +
                             " bytes of brightness and colour, but the YCbCrSubsampling that it "
                             "says, or leaves out, makes " +
                             std::to_string(needed));
      }
    }
    if (stored / 2 >= image_bytes()) {
      fail_image(path, "holds " + std::to_string(stored / image_bytes()) +
                           " times the values of its image, as stacks do; one image per file is "
                           "expected: split it first");
    }
  }
  bool grey() const {
    return photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE;
  }
  // Values that are the image's as they are stored; below 8 bits, spread to 0..255.
  bool direct() const {
    const bool whole = bits == 8 || bits == 16;
    return (whole && (grey() || photometric == PHOTOMETRIC_RGB)) ||
           (grey() && samples == 1 && (bits == 1 || bits == 2 || bits == 4));
  }
  int channels() const { return grey() ? 1 : 3; }
};

// The values of a row of an image, as it is read from strips or tiles, into place.
class Rows {
 public:
  Rows(const TiffFile& file, Image& image) : file_(file), image_(image) {
    image.pixels.resize(std::size_t{file.width} * file.height * channels());
  }
  // Reads strip by strip, a plane after the other where they are apart.  False: damaged, in `row`.
  bool read_strips(std::uint32_t& row) {
    TIFF* t = file_.tiff.get();
    std::vector<std::uint8_t> line(static_cast<std::size_t>(TIFFScanlineSize(t)));
    if (line.size() < bytes_of(file_.width)) return false;
    for (std::uint16_t plane = 0; plane < planes(); ++plane) {
      for (row = 0; row < file_.height; ++row) {
        if (TIFFReadScanline(t, line.data(), row, plane) != 1) return false;
        put(line.data(), row, 0, file_.width, plane);
      }
    }
    return true;
  }
  bool read_tiles(std::uint32_t& row) {
    TIFF* t = file_.tiff.get();
    std::uint32_t across = 0, down = 0;
    TIFFGetField(t, TIFFTAG_TILEWIDTH, &across);
    TIFFGetField(t, TIFFTAG_TILELENGTH, &down);
    const auto stride = static_cast<std::size_t>(TIFFTileRowSize(t));
    std::vector<std::uint8_t> tile(static_cast<std::size_t>(TIFFTileSize(t)));
    if (across == 0 || down == 0 || stride < bytes_of(across) || tile.size() / down < stride) {
      return false;
    }
    for (std::uint16_t plane = 0; plane < planes(); ++plane) {
      for (row = 0; row < file_.height; row += std::min(down, file_.height - row)) {
        for (std::uint32_t x = 0; x < file_.width; x += std::min(across, file_.width - x)) {
          if (TIFFReadTile(t, tile.data(), x, row, 0, plane) < 0) return false;
          const std::uint32_t end = std::min(down, file_.height - row);
          for (std::uint32_t y = 0; y < end; ++y) {
            put(&tile[y * stride], row + y, x, std::min(across, file_.width - x), plane);
          }
        }
      }
    }
    return true;
  }

 private:
  std::size_t channels() const { return static_cast<std::size_t>(file_.channels()); }
  bool apart() const { return file_.planar == PLANARCONFIG_SEPARATE; }
  std::uint16_t planes() const { return apart() ? file_.samples : std::uint16_t{1}; }
  std::size_t bytes_of(std::uint32_t pixels) const {
    return (std::size_t{pixels} * (apart() ? 1U : file_.samples) * file_.bits + 7) / 8;
  }
  // Of 1, 2 or 4 bits, the first in the upper bits of a byte.
  std::uint16_t small_value(const std::uint8_t* from, std::size_t at) const {
    const unsigned bits = file_.bits, most = (1U << bits) - 1;
    const std::size_t bit = at * bits;
    const unsigned value = static_cast<unsigned>(from[bit / 8]) >> (8 - bits - bit % 8) & most;
    return static_cast<std::uint16_t>(value * (255 / most));
  }
  // A row's piece of `count` pixels from x on.
  void put(const std::uint8_t* from, std::uint32_t y, std::uint32_t x, std::uint32_t count,
           std::uint16_t plane) {
    const std::size_t step = apart() ? 1 : file_.samples, all = channels();
    const bool wide = file_.bits == 16;
    const std::uint16_t most = wide ? 65535 : 255;
    const bool inverted = file_.photometric == PHOTOMETRIC_MINISWHITE;
    const auto value_at = [&](std::size_t at) {
      if (file_.bits < 8) return small_value(from, at);
      std::uint16_t value = from[wide ? 0 : at];
      if (wide) std::memcpy(&value, &from[2 * at], 2);
      return value;
    };
    const std::size_t begin = apart() ? plane : 0, end = apart() ? plane + std::size_t{1} : step;
    std::uint16_t* to = &image_.pixels[(std::size_t{y} * file_.width + x) * all];
    for (std::size_t p = 0; p < count; ++p) {
      for (std::size_t c = begin; c < std::min(end, all); ++c) {
        const std::uint16_t value = value_at(p * step + c - begin);
        to[p * all + c] = inverted ? static_cast<std::uint16_t>(most - value) : value;
      }
    }
    if (end <= all) return;
    std::uint64_t& hidden = image_.losses[Loss::transparency];
    for (std::size_t p = 0; p < count; ++p) {
      hidden += value_at(p * step + all - begin) != most ? 1 : 0;
    }
  }

  const TiffFile& file_;
  Image& image_;
};

// Palettes and other colour spaces: the library's own conversion to 8-bit RGBA, rows as
// they are stored.
bool convert(const TiffFile& file, Image& image) {
  const std::size_t pixels = std::size_t{file.width} * file.height;
  const auto channels = static_cast<std::size_t>(image.channels);
  std::vector<std::uint32_t> raster(pixels);
  if (TIFFReadRGBAImageOriented(file.tiff.get(), file.width, file.height, raster.data(),
                                file.orientation, 1) != 1) {
    return false;
  }
  image.pixels.resize(pixels * channels);
  for (std::size_t p = 0; p < pixels; ++p) {
    const std::array<std::uint32_t, 3> rgb = {TIFFGetR(raster[p]), TIFFGetG(raster[p]),
                                              TIFFGetB(raster[p])};
    for (std::size_t c = 0; c < channels; ++c) {
      image.pixels[p * channels + c] = static_cast<std::uint16_t>(rgb[c]);
    }
  }
  return true;
}

}  // namespace

ImageHeader read_tiff_header(const MappedFile& mapped, const std::filesystem::path& path,
                             std::int64_t max_pixels) {
  const TiffFile tiff(mapped, path, max_pixels);
  return {static_cast<int>(tiff.width), static_cast<int>(tiff.height), tiff.channels(),
          tiff.bits == 16 ? 16 : 8,
          tiff.orientation >= 1 && tiff.orientation <= 8 ? tiff.orientation : 1};
}

Image decode_tiff(const MappedFile& mapped, const std::filesystem::path& path,
                  std::int64_t max_pixels) {
  const TiffFile file(mapped, path, max_pixels);
  Image image{static_cast<int>(file.width),
              static_cast<int>(file.height),
              file.channels(),
              file.bits == 16 ? 16 : 8,
              {}};
  image.losses[Loss::pages] = file.pages_left_out;
  image.losses[Loss::polarity] = file.says_polarity ? 0 : 1;
  if (file.direct()) {
    Rows rows(file, image);
    std::uint32_t row = 0;
    const bool tiled = TIFFIsTiled(file.tiff.get()) != 0;
    if (!(tiled ? rows.read_tiles(row) : rows.read_strips(row))) {
      fail_image(path,
                 "is damaged or cut off in row " + std::to_string(row) + file.messages->last());
    }
  } else if (file.bits > 8 || !convert(file, image)) {
    fail_image(path, "is damaged, cut off, or a TIFF of a kind that is not supported" +
                         file.messages->last());
  }
  // libtiff fills in what a damaged strip or tile lacks, and warns.
  if (const std::string bad = file.messages->bad_pixels(); !bad.empty()) {
    fail_image(path, "is damaged or cut off: " + bad);
  }
  return image;
}

}  // namespace bioptic
