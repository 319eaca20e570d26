// jpeglib.h needs the first, jerror.h the second.
#include <cstdio>

#include <jpeglib.h>

#include <jerror.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <optional>
#include <utility>

#include "bioptic/data/image_decoders.h"

namespace bioptic {
namespace {

// Warnings of libjpeg after which every pixel is the file's own.  After all others (an end too
// early, codes that are none, restart markers out of order) it fills in what it lacks.
constexpr std::array<int, 4> kHarmless = {
    JWRN_EXTRANEOUS_DATA,  // bytes between two parts; counted as a loss
    JWRN_JFIF_MAJOR,       // JFIF 2.x: only the header's own layout could differ
    JWRN_NOT_SEQUENTIAL,   // parameters of the scan that only progressive files have
    JWRN_ADOBE_XFORM,      // an unknown colour transform is YCbCr, as for every reader
};

// One JPEG file being decoded.  libjpeg reports by a jump out of its functions; in what is guarded
// here, nothing may have a destructor.
class JpegDecoder {
 public:
  JpegDecoder(const MappedFile& file, const std::filesystem::path& path, std::int64_t max_pixels)
      : path_(path) {
    info_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = [](j_common_ptr info) { errors_of(info).jump(info); };
    errors_.base.emit_message = on_message;
    guarded("cannot be read as JPEG: ", [&] {
      jpeg_create_decompress(&info_);
      jpeg_mem_src(&info_, file.data(), file.size());
      jpeg_read_header(&info_, TRUE);
    });
    if (info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK) {
      fail_image(path_, "is a CMYK JPEG; convert it to RGB or grey first");
    }
    if (info_.num_components != 1 && info_.num_components != 3) {
      fail_image(path_, "is a JPEG of " + std::to_string(info_.num_components) +
                            " channels; 1 (grey) and 3 (colour) are supported");
    }
    check_image_size(path_, info_.image_width, info_.image_height, max_pixels);
  }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  int width() const { return static_cast<int>(info_.image_width); }
  int height() const { return static_cast<int>(info_.image_height); }
  bool grey() const { return info_.jpeg_color_space == JCS_GRAYSCALE; }

  Image decode();
  std::optional<Image> decode_colourless();

 private:
  struct Errors {
    jpeg_error_mgr base;  // first, so that libjpeg's pointer is one to this
    std::jmp_buf out;
    int code;                   // of what it jumped out for
    std::uint64_t spare_bytes;  // between the parts of the file
    std::array<char, JMSG_LENGTH_MAX> message;

    [[noreturn]] void jump(j_common_ptr info) {
      base.format_message(info, message.data());
      code = base.msg_code;
      std::longjmp(out, 1);  // NOLINT(cert-err52-cpp): an exception may not cross C functions
    }
  };
  static Errors& errors_of(j_common_ptr info) { return *reinterpret_cast<Errors*>(info->err); }

  // level: -1 for warnings, else what only a debugger asks for.
  static void on_message(j_common_ptr info, int level) {
    if (level >= 0) return;
    Errors& errors = errors_of(info);
    const int code = errors.base.msg_code;
    if (std::find(kHarmless.begin(), kHarmless.end(), code) == kHarmless.end()) errors.jump(info);
    if (code == JWRN_EXTRANEOUS_DATA) {
      errors.spare_bytes += static_cast<unsigned>(errors.base.msg_parm.i[0]);
    }
  }

  [[noreturn]] void fail(const char* what) const {
    switch (errors_.code) {
      case JERR_BAD_PRECISION:
        fail_image(path_,
                   "is a JPEG of " + std::to_string(info_.data_precision) +
                       " bits, which is not supported; convert it to PNG or TIFF of 16 bits, "
                       "which hold every value");
      case JERR_SOF_UNSUPPORTED:
      case JERR_ARITH_NOTIMPL:
        fail_image(path_,
                   "is a lossless or arithmetically coded JPEG, which is not supported; convert it "
                   "to PNG or TIFF, which hold every value");
      default:
        fail_image(path_, std::string(what) + errors_.message.data());
    }
  }

  template <typename Work>
  void guarded(const char* what, const Work& work) {
    if (setjmp(errors_.out) != 0) fail(what);  // NOLINT(cert-err52-cpp)
    work();
  }

  void start() {
    guarded(kDamaged, [&] { jpeg_start_decompress(&info_); });
    for (int c = 0; c < info_.num_components; ++c) {
      // libjpeg fills a component without a scan with grey, without a word.
      if (info_.comp_info[c].quant_table == nullptr) {
        fail_image(path_, std::string(kDamaged) + "one of its colours has no scan");
      }
    }
  }
  void finish(Image& image) {
    guarded(kDamaged, [&] { jpeg_finish_decompress(&info_); });
    image.losses[Loss::spare_bytes] = errors_.spare_bytes;
  }

  static constexpr const char* kDamaged = "is damaged or cut off: ";

  const std::filesystem::path& path_;
  Errors errors_{};
  // Destroyed also where the constructor throws; before it is created there is nothing to destroy.
  struct Info : jpeg_decompress_struct {
    Info() : jpeg_decompress_struct{} {}
    ~Info() { jpeg_destroy_decompress(this); }
    Info(const Info&) = delete;
    Info& operator=(const Info&) = delete;
  };
  Info info_;
};

Image JpegDecoder::decode() {
  // Accurate inverse transform and smooth upsampling of colours: libjpeg's defaults.
  info_.out_color_space = grey() ? JCS_GRAYSCALE : JCS_RGB;
  Image image{width(), height(), grey() ? 1 : 3, 8, {}};
  start();
  const std::size_t row_size =
      static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.channels);
  // Into bytes first, and from there in one go: quicker than row by row.
  std::vector<std::uint8_t> bytes(row_size * static_cast<std::size_t>(image.height));
  while (info_.output_scanline < info_.output_height) {
    std::array<JSAMPROW, MAX_SAMP_FACTOR> rows{};  // at most so many come out at a time
    const unsigned count =
        std::min<unsigned>(MAX_SAMP_FACTOR, info_.output_height - info_.output_scanline);
    for (unsigned r = 0; r < count; ++r) rows[r] = &bytes[(info_.output_scanline + r) * row_size];
    guarded(kDamaged, [&] { jpeg_read_scanlines(&info_, rows.data(), count); });
  }
  image.pixels.assign(bytes.begin(), bytes.end());
  finish(image);
  return image;
}

// The brightness of an image of brightness and two colour components, where these say "no colour"
// (128) everywhere: the conversion to RGB then gives the brightness three times, and the grey value
// of that is the brightness.  Nothing for any other image.
std::optional<Image> JpegDecoder::decode_colourless() {
  if (info_.jpeg_color_space != JCS_YCbCr) return std::nullopt;
  const jpeg_component_info& brightness = info_.comp_info[0];
  int most_across = 0, most_down = 0;
  for (int c = 0; c < 3; ++c) {
    most_across = std::max(most_across, info_.comp_info[c].h_samp_factor);
    most_down = std::max(most_down, info_.comp_info[c].v_samp_factor);
  }
  if (brightness.h_samp_factor != most_across || brightness.v_samp_factor != most_down) {
    return std::nullopt;  // the brightness itself is to be enlarged
  }
  info_.out_color_space = JCS_YCbCr;
  info_.raw_data_out = TRUE;
  info_.do_fancy_upsampling = FALSE;
  start();
  // The planes of a row of blocks of all components.
  const auto rows_at_once = static_cast<unsigned>(most_down) * DCTSIZE;
  std::array<std::vector<std::uint8_t>, 3> planes;
  std::array<std::array<JSAMPROW, MAX_SAMP_FACTOR * DCTSIZE>, 3> rows{};
  std::array<JSAMPARRAY, 3> places{};
  std::array<std::size_t, 3> strides{};
  for (std::size_t c = 0; c < 3; ++c) {
    const jpeg_component_info& component = info_.comp_info[c];
    strides[c] = std::size_t{component.width_in_blocks} * DCTSIZE;
    const auto height = static_cast<std::size_t>(component.v_samp_factor) * DCTSIZE;
    planes[c].resize(strides[c] * height, 128);
    for (std::size_t r = 0; r < height; ++r) rows[c][r] = &planes[c][r * strides[c]];
    places[c] = rows[c].data();
  }
  Image image{width(), height(), 1, 8, {}};
  const auto width = static_cast<std::size_t>(image.width);
  image.pixels.reserve(width * static_cast<std::size_t>(image.height));
  while (info_.output_scanline < info_.output_height) {
    const unsigned first = info_.output_scanline;
    guarded(kDamaged, [&] { jpeg_read_raw_data(&info_, places.data(), rows_at_once); });
    unsigned differs = 0;
    for (std::size_t c = 1; c < 3; ++c) {  // without what fills the last blocks up
      const jpeg_component_info& component = info_.comp_info[c];
      const auto down = static_cast<unsigned>(component.v_samp_factor) * DCTSIZE;
      const unsigned above = first / rows_at_once * down;
      for (unsigned r = 0; r < std::min(down, component.downsampled_height - above); ++r) {
        for (unsigned x = 0; x < component.downsampled_width; ++x) differs |= rows[c][r][x] ^ 128U;
      }
    }
    if (differs != 0) return std::nullopt;
    const unsigned end = std::min(first + rows_at_once, info_.output_height);
    for (unsigned y = first; y < end; ++y) {
      image.pixels.insert(image.pixels.end(), rows[0][y - first], rows[0][y - first] + width);
    }
  }
  finish(image);
  return image;
}

}  // namespace

ImageHeader read_jpeg_header(const MappedFile& file, const std::filesystem::path& path,
                             std::int64_t max_pixels) {
  const JpegDecoder jpeg(file, path, max_pixels);
  return {jpeg.width(), jpeg.height(), jpeg.grey() ? 1 : 3, 8, exif_orientation(file)};
}

Image decode_jpeg(const MappedFile& file, const std::filesystem::path& path,
                  std::int64_t max_pixels, Wanted wanted) {
  if (wanted == Wanted::grey) {
    JpegDecoder jpeg(file, path, max_pixels);
    if (std::optional<Image> image = jpeg.decode_colourless()) return std::move(*image);
  }
  return JpegDecoder(file, path, max_pixels).decode();
}

}  // namespace bioptic
