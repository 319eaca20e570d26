#include <spng.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bioptic/data/image_decoders.h"

namespace bioptic {
namespace {

constexpr std::size_t kSignature = 8;  // bytes before the first chunk
constexpr std::size_t kAround = 12;    // of a chunk beside its content: length, name, checksum
// Of one chunk beside the pixels, and of all.  Those that are kept have 256 values at most.
constexpr std::size_t kMostPngExtra = std::size_t{1} << 20;

// The chunks of a file: which of them the pixels need, and how many frames it has (APNG).
class PngChunks {
 public:
  explicit PngChunks(const MappedFile& file) : file_(file) {
    const std::uint8_t* d = file.data();
    bool image = false;  // its first chunk was met
    std::size_t at = kSignature;
    while (file.size() - at >= kAround) {
      const std::size_t length = std::size_t{d[at]} << 24U | std::size_t{d[at + 1]} << 16U |
                                 std::size_t{d[at + 2]} << 8U | d[at + 3];
      const std::string_view name(reinterpret_cast<const char*>(d) + at + 4, 4);
      if (length > file.size() - at - kAround || !is_name(name)) break;
      image = image || name == "IDAT";
      if (name == "fcTL") ++(image ? frames_after_ : frames_before_);
      const std::size_t end = at + kAround + length;
      // A lower-case letter: a chunk that a decoder may leave out.
      const bool needed = std::isupper(static_cast<unsigned char>(name[0])) != 0 || name == "tRNS";
      if (!needed) leave_out(at, end);
      at = end;
    }
    if (!kept_.empty()) keep(rest_, file.size());
  }
  // The file without the chunks that no pixel needs, which may be damaged, of any size, or packed
  // to a fraction of it.
  const std::uint8_t* data() const { return kept_.empty() ? file_.data() : kept_.data(); }
  std::size_t size() const { return kept_.empty() ? file_.size() : kept_.size(); }
  // Frames beside the image.
  std::uint64_t further_frames() const {
    return frames_after_ + frames_before_ - std::min<std::uint64_t>(frames_before_, 1);
  }

 private:
  static bool is_name(std::string_view name) {
    return std::all_of(name.begin(), name.end(),
                       [](unsigned char c) { return std::isalpha(c) != 0; });
  }
  void keep(std::size_t begin, std::size_t end) {
    kept_.insert(kept_.end(), file_.data() + begin, file_.data() + end);
  }
  void leave_out(std::size_t begin, std::size_t end) {
    keep(rest_, begin);
    rest_ = end;
  }

  const MappedFile& file_;
  std::vector<std::uint8_t> kept_;  // empty where nothing is left out
  std::size_t rest_ = 0;            // where what is neither kept nor left out begins
  std::uint64_t frames_before_ = 0, frames_after_ = 0;
};

struct PngFile {
  PngChunks chunks;
  std::unique_ptr<spng_ctx, void (*)(spng_ctx*)> context{spng_ctx_new(0), spng_ctx_free};
  spng_ihdr header{};

  PngFile(const MappedFile& file, const std::filesystem::path& path, std::int64_t max_pixels)
      : chunks(file) {
    int error = context == nullptr
                    ? SPNG_EMEM
                    : spng_set_png_buffer(context.get(), chunks.data(), chunks.size());
    if (error == 0) error = spng_set_chunk_limits(context.get(), kMostPngExtra, kMostPngExtra);
    if (error == 0) error = spng_get_ihdr(context.get(), &header);
    if (error != 0) fail_image(path, std::string("cannot be read as PNG: ") + spng_strerror(error));
    check_image_size(path, header.width, header.height, max_pixels);
  }
  bool grey() const {
    return header.color_type == SPNG_COLOR_TYPE_GRAYSCALE ||
           header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
  }
  bool palette() const { return header.color_type == SPNG_COLOR_TYPE_INDEXED; }
  bool alpha() const {
    return header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA ||
           header.color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA;
  }
  // What each pixel is decoded to.
  int channels() const { return grey() ? 1 : 3; }
  bool wide() const { return header.bit_depth == 16; }
};

// The colour that stands for "transparent" (tRNS), in the values that are decoded.
std::vector<std::uint16_t> transparent_colour(const PngFile& png, const spng_trns& said) {
  if (!png.grey()) return {said.red, said.green, said.blue};
  const unsigned most = (1U << std::min<unsigned>(png.header.bit_depth, 8)) - 1;
  const unsigned scale = png.wide() ? 1 : 255 / most;  // below 8 bits, the library fills 8
  return {static_cast<std::uint16_t>(said.gray * scale)};
}

}  // namespace

ImageHeader read_png_header(const MappedFile& file, const std::filesystem::path& path,
                            std::int64_t max_pixels) {
  const PngFile png(file, path, max_pixels);
  return {static_cast<int>(png.header.width), static_cast<int>(png.header.height), png.channels(),
          png.wide() ? 16 : 8};
}

Image decode_png(const MappedFile& file, const std::filesystem::path& path,
                 std::int64_t max_pixels) {
  const PngFile png(file, path, max_pixels);
  const spng_ihdr& header = png.header;
  const bool wide = png.wide();
  Image image{static_cast<int>(header.width),
              static_cast<int>(header.height),
              png.channels(),
              wide ? 16 : 8,
              {}};
  image.losses[Loss::pages] = png.chunks.further_frames();
  const auto channels = static_cast<std::size_t>(image.channels);
  spng_trns said{};  // only read where it is there and no damage
  const bool transparent = spng_get_trns(png.context.get(), &said) == 0;
  // SPNG_FMT_PNG: the file's own channels in host byte order.  Below 8 bits and for palettes the
  // library expands.
  int format = SPNG_FMT_PNG, flags = 0;
  bool alpha = png.alpha();
  if (png.palette()) {
    format = transparent ? SPNG_FMT_RGBA8 : SPNG_FMT_RGB8;
    flags = transparent ? SPNG_DECODE_TRNS : 0;
    alpha = transparent;
  } else if (header.bit_depth < 8) {
    format = SPNG_FMT_G8;
  }
  const std::size_t stored = channels + (alpha ? 1 : 0);
  std::size_t bytes = 0;
  int error = spng_decoded_image_size(png.context.get(), format, &bytes);
  const std::size_t pixels = static_cast<std::size_t>(header.width) * header.height;
  if (error == 0 && bytes != pixels * stored * (wide ? 2 : 1)) {
    fail_image(path, "is a PNG of a kind that is not supported");
  }
  std::vector<std::uint8_t> buffer(bytes);
  if (error == 0) {
    error = spng_decode_image(png.context.get(), buffer.data(), bytes, format, flags);
  }
  if (error != 0) fail_image(path, std::string("is damaged or cut off: ") + spng_strerror(error));

  const auto value_at = [&](std::size_t at) {
    std::uint16_t value = buffer[wide ? 0 : at];
    if (wide) std::memcpy(&value, &buffer[2 * at], 2);
    return value;
  };
  image.pixels.resize(pixels * channels);
  for (std::size_t p = 0; p < pixels; ++p) {
    for (std::size_t c = 0; c < channels; ++c) {
      image.pixels[p * channels + c] = value_at(p * stored + c);
    }
  }
  std::uint64_t& hidden = image.losses[Loss::transparency];
  if (alpha) {
    const std::uint16_t opaque = wide ? 65535 : 255;
    for (std::size_t p = 0; p < pixels; ++p) {
      hidden += value_at(p * stored + channels) != opaque ? 1 : 0;
    }
  } else if (transparent) {
    const std::vector<std::uint16_t> colour = transparent_colour(png, said);
    for (std::size_t p = 0; p < pixels; ++p) {
      hidden += std::equal(colour.begin(), colour.end(), &image.pixels[p * channels]) ? 1 : 0;
    }
  }
  return image;
}

}  // namespace bioptic
