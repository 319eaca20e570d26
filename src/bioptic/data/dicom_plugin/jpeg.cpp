// jpeglib.h needs the first, jerror.h the second.
#include <cstdio>

#include <jpeglib.h>

#include <jerror.h>

#include <algorithm>
#include <array>
#include <csetjmp>

#include "bioptic/data/dicom_plugin/jpeg.h"
#include "bioptic/data/dicom_plugin/refused.h"

namespace bioptic::dicom {
namespace {

// Warnings that cost no pixel.
constexpr std::array<int, 4> kHarmless = {JWRN_EXTRANEOUS_DATA, JWRN_JFIF_MAJOR,
                                          JWRN_NOT_SEQUENTIAL, JWRN_ADOBE_XFORM};

struct Errors {
  jpeg_error_mgr base;  // first, so that libjpeg's pointer is one to this
  std::jmp_buf out;
};

[[noreturn]] void jump(j_common_ptr info) {
  // NOLINTNEXTLINE(cert-err52-cpp): an exception may not cross C functions
  std::longjmp(reinterpret_cast<Errors*>(info->err)->out, 1);
}

void on_message(j_common_ptr info, int level) {  // level: -1 for warnings
  const auto* const end = kHarmless.end();
  if (level < 0 && std::find(kHarmless.begin(), end, info->err->msg_code) == end) jump(info);
}

// libjpeg reports by a jump: nothing here may have a destructor.  False: does not decode in full.
bool decoded(jpeg_decompress_struct& info, Errors& errors, const std::string& bytes,
             const Codestream& stream, std::uint8_t* to) {
  if (setjmp(errors.out) != 0) return false;  // NOLINT(cert-err52-cpp)
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&info, TRUE);
  info.out_color_space = info.jpeg_color_space;
  // Chroma of half the height alone is repeated, as GDCM does, not smoothed.
  for (int c = 0; c < info.num_components; ++c) {
    const jpeg_component_info& part = info.comp_info[c];
    if (part.h_samp_factor == info.max_h_samp_factor &&
        2 * part.v_samp_factor == info.max_v_samp_factor) {
      info.do_fancy_upsampling = FALSE;
    }
  }
  jpeg_start_decompress(&info);
  if (static_cast<int>(info.output_width) != stream.width ||
      static_cast<int>(info.output_height) != stream.height ||
      info.output_components != stream.samples) {
    return false;
  }
  const std::size_t row = std::size_t{info.output_width} * static_cast<std::size_t>(stream.samples);
  while (info.output_scanline < info.output_height) {
    JSAMPROW at = to + info.output_scanline * row;
    jpeg_read_scanlines(&info, &at, 1);
  }
  jpeg_finish_decompress(&info);
  return true;
}

}  // namespace

bool is_plain_jpeg(const Codestream& stream, Coding coding) {
  return coding == Coding::jpeg && stream.bits == 8 && !stream.lossless;
}

void decode_jpeg(const std::string& bytes, const Codestream& stream, std::uint8_t* to) {
  jpeg_decompress_struct info{};
  Errors errors{};
  info.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = jump;
  errors.base.emit_message = on_message;
  const bool whole = decoded(info, errors, bytes, stream, to);
  std::array<char, JMSG_LENGTH_MAX> message{};
  if (!whole) errors.base.format_message(reinterpret_cast<j_common_ptr>(&info), message.data());
  jpeg_destroy_decompress(&info);
  if (!whole) {
    throw Refused(std::string("is damaged or cut off: its JPEG does not decode in full (") +
                  message.data() + ")");
  }
}

}  // namespace bioptic::dicom
