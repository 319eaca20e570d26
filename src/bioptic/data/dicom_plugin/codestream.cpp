#include "bioptic/data/dicom_plugin/codestream.h"

#include <array>
#include <string>

#include "bioptic/data/dicom_plugin/refused.h"

namespace bioptic::dicom {
namespace {

using Colour = Codestream::Colour;

unsigned byte_at(std::string_view bytes, std::size_t at) {
  if (at >= bytes.size()) throw Refused("has compressed pixels that are cut off in their header");
  return static_cast<std::uint8_t>(bytes[at]);
}
unsigned word_at(std::string_view bytes, std::size_t at) {  // big endian, as both standards
  return byte_at(bytes, at) << 8 | byte_at(bytes, at + 1);
}
int number_at(std::string_view bytes, std::size_t at) {
  return static_cast<int>(word_at(bytes, at) << 16 | word_at(bytes, at + 2));
}

constexpr std::string_view kJpeg("\xFF\xD8", 2), kJ2k("\xFF\x4F\xFF\x51", 4),
    kJp2("\0\0\0\x0CjP  ", 8);

// PS3.5 G.5: the number of segments and where each begins, the first behind this header.
constexpr std::size_t kRleHeader = 64;
constexpr char kRleMost = 15;
constexpr std::string_view kRleZeros("\0\0\0", 3), kRleFirst("\x40\0\0\0", 4);

// A component's colour is known by a JFIF or Adobe mark or by the letters R, G, B for names.
struct JpegMarks {
  bool jfif = false;
  std::optional<unsigned> adobe_transform;
  bool letters = false;
};

std::optional<Colour> colour_of(const JpegMarks& marks) {
  if (marks.letters) return Colour::rgb;
  if (marks.jfif) return Colour::ybr;
  if (marks.adobe_transform) return *marks.adobe_transform == 0 ? Colour::rgb : Colour::ybr;
  return {};
}

Codestream read_jpeg(std::string_view bytes) {
  Codestream found;
  JpegMarks marks;
  std::size_t at = 2;
  while (true) {
    while (byte_at(bytes, at) != 0xFF) ++at;  // bytes that belong to no segment
    while (byte_at(bytes, at) == 0xFF) ++at;
    const unsigned marker = byte_at(bytes, at++);
    if (marker == 0xD8 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7) || marker == 0) {
      continue;  // without a segment
    }
    if (marker == 0xD9) throw Refused("has a compressed image without pixels");
    const std::size_t length = word_at(bytes, at);
    const std::string_view segment = bytes.substr(at).substr(0, length);
    if (marker == 0xE0 && segment.substr(2, 4) == "JFIF") marks.jfif = true;
    if (marker == 0xEE && segment.substr(2, 5) == "Adobe" && segment.size() >= 14) {
      marks.adobe_transform = byte_at(segment, 13);
    }
    // Start of frame; DHT, JPG and DAC lie between.  F7: JPEG-LS.
    if ((marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) ||
        marker == 0xF7) {
      found.lossless = marker % 4 == 3;  // C3, C7, CB, CF, and F7, which is JPEG-LS
      found.bits = static_cast<int>(byte_at(segment, 2));
      found.height = static_cast<int>(word_at(segment, 3));
      found.width = static_cast<int>(word_at(segment, 5));
      found.samples = static_cast<int>(byte_at(segment, 7));
      if (found.samples == 3) {
        const std::array<unsigned, 3> names = {byte_at(segment, 8), byte_at(segment, 11),
                                               byte_at(segment, 14)};
        marks.letters = names == std::array<unsigned, 3>{'R', 'G', 'B'} ||
                        names == std::array<unsigned, 3>{'r', 'g', 'b'};
      }
    }
    if (marker == 0xDA) {  // start of scan: no more headers that matter here
      if (found.samples == 0) throw Refused("has a compressed image without its own size");
      found.planes = found.samples == 3 && byte_at(segment, 2) == 1;
      found.colour = colour_of(marks);
      return found;
    }
    at += length;
  }
}

Codestream read_jpeg_2000(std::string_view bytes) {
  if (bytes.substr(0, kJp2.size()) == kJp2) {  // in a file of its own, whose boxes say no more
    const std::size_t at = bytes.find(kJ2k);
    if (at == std::string_view::npos) throw Refused("has a JPEG 2000 file without an image");
    bytes.remove_prefix(at);
  }
  Codestream found;
  // SIZ: marker at 2, its length at 4, capabilities at 6, then eight numbers of 32 bits.
  found.width = number_at(bytes, 8) - number_at(bytes, 16);
  found.height = number_at(bytes, 12) - number_at(bytes, 20);
  if (found.width < 1 || found.height < 1) {
    throw Refused("is damaged: its JPEG 2000 image has an impossible size");
  }
  found.samples = static_cast<int>(word_at(bytes, 40));
  const unsigned depth = byte_at(bytes, 42);
  found.bits = static_cast<int>(depth & 0x7F) + 1;
  found.is_signed = (depth & 0x80) != 0;
  std::size_t at = 4 + word_at(bytes, 4);
  while (byte_at(bytes, at) == 0xFF && byte_at(bytes, at + 1) != 0x90) {  // up to the first tile
    if (byte_at(bytes, at + 1) == 0x52 && byte_at(bytes, at + 8) != 0) found.colour = Colour::rgb;
    at += 2 + word_at(bytes, at + 2);
  }
  return found;
}

}  // namespace

bool begins_image(std::string_view bytes, Coding coding) {
  if (coding == Coding::rle) {
    return rle_segments(bytes) > 0 && bytes.substr(4, kRleFirst.size()) == kRleFirst;
  }
  if (coding == Coding::jpeg_2000) {
    return bytes.substr(0, kJ2k.size()) == kJ2k || bytes.substr(0, kJp2.size()) == kJp2;
  }
  return bytes.substr(0, kJpeg.size()) == kJpeg;
}

int rle_segments(std::string_view bytes) {
  if (bytes.size() < kRleHeader || bytes[0] < 1 || bytes[0] > kRleMost) return 0;
  return bytes.substr(1, 3) == kRleZeros ? bytes[0] : 0;
}

std::optional<Codestream> read_codestream(std::string_view bytes, Coding coding) {
  if (coding == Coding::rle) return {};
  if (!begins_image(bytes, coding)) {
    throw Refused(std::string("is damaged: what should be compressed pixels does not begin as ") +
                  (coding == Coding::jpeg_2000 ? "JPEG 2000" : "JPEG"));
  }
  return coding == Coding::jpeg_2000 ? read_jpeg_2000(bytes) : read_jpeg(bytes);
}

}  // namespace bioptic::dicom
