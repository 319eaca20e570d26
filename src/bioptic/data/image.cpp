#include "bioptic/data/image.h"

#include <spng.h>
#include <tiffio.h>
#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"

namespace bioptic {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& why) {
  throw InputError(path.string() + ": " + why);
}

void check_size(const std::filesystem::path& path, std::int64_t width, std::int64_t height,
                std::int64_t max_pixels) {
  if (width < 1 || height < 1) fail(path, "has no pixels");
  if (width > max_pixels / height) {
    fail(path, "has " + std::to_string(width) + " x " + std::to_string(height) +
                   " pixels, more than " + std::to_string(max_pixels) +
                   "; raise --max-pixels if that is right");
  }
}

// ------------------------------------------------------------------------------------------- JPEG

struct JpegFile {
  std::unique_ptr<void, int (*)(tjhandle)> handle{tjInitDecompress(), tjDestroy};
  int width = 0, height = 0, sampling = 0, space = 0;
  bool grey = false;

  JpegFile(const MappedFile& file, const std::filesystem::path& path, std::int64_t max_pixels) {
    if (tjDecompressHeader3(handle.get(), file.data(), file.size(), &width, &height, &sampling,
                            &space) != 0) {
      fail(path, std::string("cannot be read as JPEG: ") + tjGetErrorStr2(handle.get()));
    }
    if (space == TJCS_CMYK || space == TJCS_YCCK) {
      fail(path, "is a CMYK JPEG; convert it to RGB or grey first");
    }
    grey = space == TJCS_GRAY;
    check_size(path, width, height, max_pixels);
  }
};

// The orientation in the Exif part of a JPEG file, 1 where it has none or is damaged: the pixels do
// not depend on it.
int exif_orientation(const std::uint8_t* d, std::size_t size) {
  const auto big = [&](std::size_t at) { return d[at] << 8U | d[at + 1]; };
  std::size_t at = 2;                                             // behind the start of the image
  while (at + 4 <= size && d[at] == 0xFF && d[at + 1] != 0xDA) {  // up to the scan
    const std::size_t end = at + 2 + static_cast<std::size_t>(big(at + 2));
    constexpr std::size_t kBefore = 10;  // marker, length, "Exif", two zeros
    if (end > size) return 1;
    if (d[at + 1] == 0xE1 && end - at >= kBefore + 8 && std::memcmp(d + at + 4, "Exif\0", 6) == 0) {
      const std::uint8_t* tiff = d + at + kBefore;
      const std::size_t length = end - at - kBefore;
      const bool little = tiff[0] == 'I';
      const auto number = [&](std::size_t place, std::size_t bytes) {
        std::size_t value = 0;
        for (std::size_t b = 0; b < bytes; ++b) {
          value |= std::size_t{tiff[place + b]} << 8 * (little ? b : bytes - 1 - b);
        }
        return value;
      };
      const std::size_t directory = number(4, 4);
      if (directory > length || length - directory < 2) return 1;
      const std::size_t entries = std::min(number(directory, 2), (length - directory - 2) / 12);
      for (std::size_t e = 0; e < entries; ++e) {
        const std::size_t entry = directory + 2 + 12 * e;
        constexpr std::size_t kOrientation = 0x0112;
        if (number(entry, 2) != kOrientation) continue;
        const std::size_t value = number(entry + 8, 2);
        return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
      }
      return 1;
    }
    at = end;
  }
  return 1;
}

// The brightness of an image of brightness and two colour components, where these say "no colour"
// (128) everywhere: the conversion to RGB then gives the brightness three times, and the grey value
// of that is the brightness.  Nothing for any other image, and for a damaged one.
std::optional<Image> decode_colourless(const JpegFile& jpeg, const MappedFile& file) {
  if (jpeg.space != TJCS_YCbCr) return std::nullopt;
  std::array<std::vector<std::uint8_t>, 3> planes;
  std::array<unsigned char*, 3> places{};
  for (int c = 0; c < 3; ++c) {
    const int width = tjPlaneWidth(c, jpeg.width, jpeg.sampling),
              height = tjPlaneHeight(c, jpeg.height, jpeg.sampling);
    if (width < 1 || height < 1) return std::nullopt;
    auto& plane = planes[static_cast<std::size_t>(c)];
    plane.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    places[static_cast<std::size_t>(c)] = plane.data();
  }
  if (tjDecompressToYUVPlanes(jpeg.handle.get(), file.data(), file.size(), places.data(),
                              jpeg.width, nullptr, jpeg.height, TJFLAG_ACCURATEDCT) != 0) {
    return std::nullopt;
  }
  for (const auto* colour : {&planes[1], &planes[2]}) {
    unsigned differs = 0;
    for (const std::uint8_t v : *colour) differs |= v ^ 128U;
    if (differs != 0) return std::nullopt;
  }
  Image image{jpeg.width, jpeg.height, 1, 8, {}};
  const auto width = static_cast<std::size_t>(jpeg.width),
             height = static_cast<std::size_t>(jpeg.height);
  const auto stride = static_cast<std::size_t>(tjPlaneWidth(0, jpeg.width, jpeg.sampling));
  image.pixels.resize(width * height);
  for (std::size_t y = 0; y < height; ++y) {
    std::copy_n(&planes[0][y * stride], width, &image.pixels[y * width]);
  }
  return image;
}

Image decode_jpeg(const MappedFile& file, const std::filesystem::path& path,
                  std::int64_t max_pixels, Wanted wanted) {
  const JpegFile jpeg(file, path, max_pixels);
  if (wanted == Wanted::grey) {
    if (std::optional<Image> image = decode_colourless(jpeg, file)) return std::move(*image);
  }
  Image image{jpeg.width, jpeg.height, jpeg.grey ? 1 : 3, 8, {}};
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(image.width) *
                                  static_cast<std::size_t>(image.height) *
                                  static_cast<std::size_t>(image.channels));
  // Warnings count as errors: libjpeg-turbo fills what a cut-off file lacks with grey and only
  // warns.
  if (tjDecompress2(jpeg.handle.get(), file.data(), file.size(), bytes.data(), image.width, 0,
                    image.height, jpeg.grey ? TJPF_GRAY : TJPF_RGB, TJFLAG_ACCURATEDCT) != 0) {
    fail(path, std::string("is damaged or cut off: ") + tjGetErrorStr2(jpeg.handle.get()));
  }
  image.pixels.assign(bytes.begin(), bytes.end());
  return image;
}

// -------------------------------------------------------------------------------------------- PNG

constexpr std::size_t kMostPngExtra = std::size_t{4} << 20;  // bytes beside the pixels

struct PngFile {
  std::unique_ptr<spng_ctx, void (*)(spng_ctx*)> context{spng_ctx_new(0), spng_ctx_free};
  spng_ihdr header{};

  PngFile(const MappedFile& file, const std::filesystem::path& path, std::int64_t max_pixels) {
    int error = context == nullptr ? SPNG_EMEM
                                   : spng_set_png_buffer(context.get(), file.data(), file.size());
    // Texts and profiles are packed, and could unpack to anything.
    if (error == 0) error = spng_set_chunk_limits(context.get(), kMostPngExtra, kMostPngExtra);
    if (error == 0) error = spng_get_ihdr(context.get(), &header);
    if (error != 0) fail(path, std::string("cannot be read as PNG: ") + spng_strerror(error));
    check_size(path, header.width, header.height, max_pixels);
  }
  bool grey() const {
    return header.color_type == SPNG_COLOR_TYPE_GRAYSCALE ||
           header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
  }
};

Image decode_png(const MappedFile& file, const std::filesystem::path& path,
                 std::int64_t max_pixels) {
  const PngFile png(file, path, max_pixels);
  const spng_ihdr& header = png.header;
  const bool wide = header.bit_depth == 16;
  const bool alpha = header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA ||
                     header.color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA;
  Image image{static_cast<int>(header.width),
              static_cast<int>(header.height),
              png.grey() ? 1 : 3,
              wide ? 16 : 8,
              {}};
  // SPNG_FMT_PNG: the file's own channels in host byte order.  Below 8 bits and for palettes the
  // library expands.
  int format = SPNG_FMT_PNG;
  std::size_t stored = static_cast<std::size_t>(image.channels) + (alpha ? 1 : 0);
  if (header.color_type == SPNG_COLOR_TYPE_INDEXED) {
    format = SPNG_FMT_RGB8;
    stored = 3;
  } else if (header.bit_depth < 8) {
    format = SPNG_FMT_G8;
    stored = 1;
  }
  std::size_t bytes = 0;
  int error = spng_decoded_image_size(png.context.get(), format, &bytes);
  const std::size_t pixels = static_cast<std::size_t>(header.width) * header.height;
  if (error == 0 && bytes != pixels * stored * (wide ? 2 : 1)) {
    fail(path, "is a PNG of a kind that is not supported");
  }
  std::vector<std::uint8_t> buffer(bytes);
  if (error == 0) {
    error = spng_decode_image(png.context.get(), buffer.data(), bytes, format, 0);
  }
  if (error != 0) fail(path, std::string("is damaged or cut off: ") + spng_strerror(error));

  const auto channels = static_cast<std::size_t>(image.channels);
  image.pixels.resize(pixels * channels);
  for (std::size_t p = 0; p < pixels; ++p) {
    for (std::size_t c = 0; c < channels; ++c) {
      const std::size_t at = p * stored + c;
      std::uint16_t value = buffer[wide ? 0 : at];
      if (wide) std::memcpy(&value, &buffer[2 * at], 2);
      image.pixels[p * channels + c] = value;
    }
  }
  return image;
}

// ------------------------------------------------------------------------------------------- TIFF

constexpr std::uint16_t kMostTiffSamples = 5;                     // CMYK and alpha
constexpr std::uint64_t kMostTiffPiece = std::uint64_t{4} << 20;  // of a tile around a small image

struct TiffFile {
  std::unique_ptr<TIFF, void (*)(TIFF*)> tiff{nullptr, TIFFClose};
  std::uint32_t width = 0, height = 0;
  std::uint16_t bits = 1, samples = 1, photometric = PHOTOMETRIC_MINISBLACK;
  std::uint16_t format = SAMPLEFORMAT_UINT, planar = PLANARCONFIG_CONTIG;
  std::uint16_t orientation = ORIENTATION_TOPLEFT;

  TiffFile(const std::filesystem::path& path, std::int64_t max_pixels) {
    // The library's messages would go to standard error; ours name the file instead.
    TIFFSetErrorHandler(nullptr);
    TIFFSetWarningHandler(nullptr);
    // Not mapped ("m"): of a file that is cut off while the library reads it, nobody could name it.
    tiff.reset(TIFFOpen(path.c_str(), "rm"));
    if (!tiff) fail(path, "cannot be read as TIFF");
    TIFF* t = tiff.get();
    if (TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &width) != 1 ||
        TIFFGetField(t, TIFFTAG_IMAGELENGTH, &height) != 1) {
      fail(path, "is a TIFF without a size");
    }
    TIFFGetFieldDefaulted(t, TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLESPERPIXEL, &samples);
    TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLEFORMAT, &format);
    TIFFGetFieldDefaulted(t, TIFFTAG_PLANARCONFIG, &planar);
    TIFFGetField(t, TIFFTAG_PHOTOMETRIC, &photometric);
    TIFFGetField(t, TIFFTAG_ORIENTATION, &orientation);
    check_size(path, width, height, max_pixels);
    if (samples < 1 || samples > kMostTiffSamples) {
      fail(path, "is a TIFF of " + std::to_string(samples) + " values per pixel; 1 to " +
                     std::to_string(kMostTiffSamples) + " are supported");
    }
    check_samples(path);
    check_piece(path);
    if (TIFFNumberOfDirectories(t) > 1) {
      fail(path, "has " + std::to_string(TIFFNumberOfDirectories(t)) +
                     " pages; one image per file is expected: split it first");
    }
    TIFFSetDirectory(t, 0);
  }
  // Values that no colour space and no alpha accounts for are channels of something else, of which
  // none may be left out in silence.
  void check_samples(const std::filesystem::path& path) const {
    if (format == SAMPLEFORMAT_INT && bits <= 8) {
      fail(path, "is a TIFF of signed " + std::to_string(bits) +
                     "-bit values, which are not supported; convert it to unsigned ones");
    }
    const int colours = photometric == PHOTOMETRIC_SEPARATED ? 4
                        : photometric == PHOTOMETRIC_RGB || photometric == PHOTOMETRIC_YCBCR ||
                                photometric == PHOTOMETRIC_CIELAB
                            ? 3
                            : 1;
    if (samples <= colours) return;
    std::uint16_t extra = 0;
    const std::uint16_t* kinds = nullptr;
    TIFFGetField(tiff.get(), TIFFTAG_EXTRASAMPLES, &extra, &kinds);
    const bool alpha = samples == colours + 1 && extra == 1 &&
                       (kinds[0] == EXTRASAMPLE_ASSOCALPHA || kinds[0] == EXTRASAMPLE_UNASSALPHA);
    if (alpha) return;
    fail(path,
         "is a TIFF of " + std::to_string(samples) + " channels, " +
             std::to_string(samples - colours) +
             " more than its kind of image has (and not alpha); keep only those that are to be "
             "imported");
  }
  // libtiff makes room for one whole tile or strip, whose size the file states on its own.
  void check_piece(const std::filesystem::path& path) const {
    TIFF* t = tiff.get();
    const std::uint64_t piece = TIFFIsTiled(t) != 0 ? TIFFTileSize64(t) : TIFFStripSize64(t);
    const std::uint64_t image = std::uint64_t{width} * height * samples * ((bits + 7U) / 8U);
    if (piece == 0 || piece > std::max(image, kMostTiffPiece)) {
      fail(path, "is a damaged TIFF: its tiles or strips are larger than the image");
    }
  }
  bool grey() const {
    return photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE;
  }
  // Rows that can be read as they are stored.
  bool plain() const {
    return (bits == 8 || bits == 16) && format == SAMPLEFORMAT_UINT &&
           planar == PLANARCONFIG_CONTIG && TIFFIsTiled(tiff.get()) == 0 &&
           ((grey() && samples >= 1 && samples <= 2) ||
            (photometric == PHOTOMETRIC_RGB && samples >= 3 && samples <= 4));
  }
};

Image decode_tiff(const std::filesystem::path& path, std::int64_t max_pixels) {
  const TiffFile file(path, max_pixels);
  TIFF* t = file.tiff.get();
  Image image{
      static_cast<int>(file.width), static_cast<int>(file.height), file.grey() ? 1 : 3, 8, {}};
  const auto channels = static_cast<std::size_t>(image.channels);
  const std::size_t pixels = static_cast<std::size_t>(file.width) * file.height;
  if (file.plain()) {
    image.bits = file.bits;
    image.pixels.resize(pixels * channels);
    const std::size_t row_bytes =
        static_cast<std::size_t>(file.width) * file.samples * file.bits / 8;
    if (static_cast<std::size_t>(TIFFScanlineSize(t)) < row_bytes) fail(path, "is a damaged TIFF");
    std::vector<std::uint8_t> row(static_cast<std::size_t>(TIFFScanlineSize(t)));
    const std::uint16_t white = file.bits == 8 ? 255 : 65535;
    for (std::uint32_t y = 0; y < file.height; ++y) {
      if (TIFFReadScanline(t, row.data(), y) != 1) {
        fail(path, "is damaged or cut off in row " + std::to_string(y));
      }
      for (std::size_t x = 0; x < file.width; ++x) {
        for (std::size_t c = 0; c < channels; ++c) {
          const std::size_t at = x * file.samples + c;
          std::uint16_t value = row[file.bits == 8 ? at : 0];
          if (file.bits == 16) std::memcpy(&value, &row[2 * at], 2);
          if (file.photometric == PHOTOMETRIC_MINISWHITE) {
            value = static_cast<std::uint16_t>(white - value);
          }
          image.pixels[(y * static_cast<std::size_t>(file.width) + x) * channels + c] = value;
        }
      }
    }
    return image;
  }
  if (file.bits > 8) {
    fail(path, "is a " + std::to_string(file.bits) + "-bit TIFF of a kind that is not supported " +
                   "(tiled, planar, float or signed); convert it to plain 8 or 16 bit");
  }
  // Palettes, tiles, planes, bilevel: the library's own conversion to 8-bit RGBA, top row first.
  std::vector<std::uint32_t> raster(pixels);
  if (TIFFReadRGBAImageOriented(t, file.width, file.height, raster.data(), ORIENTATION_TOPLEFT,
                                1) != 1) {
    fail(path, "is damaged, cut off, or a TIFF of a kind that is not supported");
  }
  image.pixels.resize(pixels * channels);
  for (std::size_t p = 0; p < pixels; ++p) {
    const std::array<std::uint32_t, 3> rgb = {TIFFGetR(raster[p]), TIFFGetG(raster[p]),
                                              TIFFGetB(raster[p])};
    for (std::size_t c = 0; c < channels; ++c) {
      image.pixels[p * channels + c] = static_cast<std::uint16_t>(rgb[c]);
    }
  }
  return image;
}

enum class Format { jpeg, png, tiff };

Format format_of(const MappedFile& file, const std::filesystem::path& path) {
  const std::uint8_t* d = file.data();
  if (file.size() == 0) fail(path, "is empty");
  if (file.size() >= 3 && d[0] == 0xFF && d[1] == 0xD8 && d[2] == 0xFF) return Format::jpeg;
  if (file.size() >= 8 && std::memcmp(d, "\x89PNG\r\n\x1a\n", 8) == 0) return Format::png;
  if (file.size() >= 4 && (std::memcmp(d, "II*\0", 4) == 0 || std::memcmp(d, "MM\0*", 4) == 0 ||
                           std::memcmp(d, "II+\0", 4) == 0 || std::memcmp(d, "MM\0+", 4) == 0)) {
    return Format::tiff;
  }
  fail(path, "is not a JPEG, PNG or TIFF image (by its first bytes)");
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
    case Format::jpeg: {
      const JpegFile jpeg(file, path, max_pixels);
      return {jpeg.width, jpeg.height, jpeg.grey ? 1 : 3, 8,
              exif_orientation(file.data(), file.size())};
    }
    case Format::png: {
      const PngFile png(file, path, max_pixels);
      return {static_cast<int>(png.header.width), static_cast<int>(png.header.height),
              png.grey() ? 1 : 3, png.header.bit_depth == 16 ? 16 : 8};
    }
    case Format::tiff: {
      const TiffFile tiff(path, max_pixels);
      return {static_cast<int>(tiff.width), static_cast<int>(tiff.height), tiff.grey() ? 1 : 3,
              tiff.plain() && tiff.bits == 16 ? 16 : 8,
              tiff.orientation >= 1 && tiff.orientation <= 8 ? tiff.orientation : 1};
    }
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
      return decode_tiff(path, max_pixels);
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
