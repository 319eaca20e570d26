#include "bioptic/data/dicom_plugin/pixels.h"

#include <gdcmImage.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>

#include "bioptic/data/dicom_plugin/jpeg.h"
#include "bioptic/data/dicom_plugin/refused.h"

namespace bioptic::dicom {
namespace {

const Tag kPixelData(0x7FE0, 0x0010);

std::size_t bytes_per_value(const DicomFile& file) {
  return static_cast<std::size_t>(file.bits_allocated) / 8;
}

// `count` bytes of the file before `position`.
std::string bytes_before(const char* path, std::size_t position, std::size_t count) {
  std::string bytes(count, '\0');
  if (position < count) return bytes;
  std::ifstream in(path, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(position - count));
  in.read(bytes.data(), static_cast<std::streamsize>(count));
  return bytes;
}

// GDCM reads what is there and fills the rest, so its own length is no witness: `end` is where it
// stopped reading in the file, and in front of the value its tag must stand.
void check_tag(const char* path, std::size_t end, std::size_t length) {
  constexpr std::string_view kLittle("\xE0\x7F\x10\x00", 4), kBig("\x7F\xE0\x00\x10", 4);
  const std::string before = bytes_before(path, end - std::min(end, length), 12);
  const auto names_pixels = [&](std::size_t at) {
    const std::string_view tag = std::string_view(before).substr(at, 4);
    return tag == kLittle || tag == kBig;
  };
  // Explicit VR: tag, two letters, two zeros, length; implicit VR: tag, length.
  std::uint32_t implicit_length = 0;
  std::memcpy(&implicit_length, &before[8], 4);
  const bool is_explicit = names_pixels(0) && (before[4] == 'O' || before[4] == 'U');
  if (!is_explicit && !(names_pixels(4) && implicit_length == length)) {
    throw Refused("is cut off within its pixels");
  }
}

// Planes one after the other to interleaved values.
void interleave(std::uint8_t* frame, std::size_t pixels) {
  std::vector<std::uint8_t> out(3 * pixels);
  for (std::size_t p = 0; p < pixels; ++p) {
    for (std::size_t c = 0; c < 3; ++c) out[p * 3 + c] = frame[c * pixels + p];
  }
  std::copy(out.begin(), out.end(), frame);
}

// PS3.3 C.7.6.3.1.2, full range: the inverse of the equations for YBR_FULL.
void to_rgb(std::vector<std::uint8_t>& pixels) {
  const auto clamped = [](double v) {
    return static_cast<std::uint8_t>(std::floor(std::clamp(v, 0.0, 255.0) + 0.5));
  };
  for (std::size_t i = 0; i + 2 < pixels.size(); i += 3) {
    const double y = pixels[i], b = pixels[i + 1] - 128.0, r = pixels[i + 2] - 128.0;
    pixels[i] = clamped(y + 1.402 * r);
    pixels[i + 1] = clamped(y - 0.114 * 1.772 / 0.587 * b - 0.299 * 1.402 / 0.587 * r);
    pixels[i + 2] = clamped(y + 1.772 * b);
  }
}

// Two pixels in four bytes, Y Y Cb Cr, to three bytes a pixel.
std::vector<std::uint8_t> unpacked_422(std::string_view bytes) {
  std::vector<std::uint8_t> out(bytes.size() / 4 * 6);
  for (std::size_t pair = 0; pair < bytes.size() / 4; ++pair) {
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[4 * pair + i]); };
    const std::uint8_t six[] = {at(0), at(2), at(3), at(1), at(2), at(3)};
    std::copy(std::begin(six), std::end(six), out.begin() + static_cast<std::ptrdiff_t>(6 * pair));
  }
  return out;
}

void refuse_deep_colour(const Stored& stored, const DicomFile& file) {
  if (stored.samples == 3 && file.bits_allocated != 8) {
    throw Refused("is in colour with 16 bits, which is not supported");
  }
}

std::size_t plain_bytes(const Stored& stored, const DicomFile& file) {
  const std::size_t all = stored.frame_values() * file.frames.size() * bytes_per_value(file);
  return stored.photometric == "YBR_FULL_422" ? all / 3 * 2 : all;
}

[[noreturn]] void contradiction(const char* what, int header, int stream) {
  throw Refused(std::string("contradicts itself: ") + what + " is " + std::to_string(header) +
                " in its header and " + std::to_string(stream) + " in its compressed pixels");
}

void hold_against_header(const Codestream& stream, const Stored& stored, const DicomFile& file) {
  if (stream.width != file.width) contradiction("the width (Columns)", file.width, stream.width);
  if (stream.height != file.height) contradiction("the height (Rows)", file.height, stream.height);
  if (stream.samples != stored.samples) {
    contradiction("the number of values per pixel (SamplesPerPixel)", stored.samples,
                  stream.samples);
  }
  if (stream.bits > file.bits_allocated || stream.bits < 1) {
    contradiction("the number of bits (BitsAllocated)", file.bits_allocated, stream.bits);
  }
}

// Whether the three samples that come out of the decoder are Y, Cb and Cr.
bool decodes_to_ybr(const std::optional<Codestream>& stream, const Stored& stored, Coding coding) {
  const bool marked = (coding == Coding::jpeg || coding == Coding::jpeg_2000) && stream &&
                      stream->colour.has_value();
  if (marked) return *stream->colour == Codestream::Colour::ybr;
  const bool transformed = stored.photometric == "YBR_ICT" || stored.photometric == "YBR_RCT";
  if (transformed && coding != Coding::jpeg_2000) {
    throw Refused("contradicts itself: its photometric interpretation " + stored.photometric +
                  " belongs to JPEG 2000, its pixels are stored otherwise");
  }
  return stored.photometric.starts_with("YBR_") && !transformed;
}

// Whether the header would have said otherwise.
bool overruled(const CompressedFrames& frames, const Stored& stored, Coding coding) {
  const bool says_ybr = stored.photometric == "YBR_FULL" || stored.photometric == "YBR_FULL_422";
  return decodes_to_ybr(frames.first, stored, coding) != says_ybr;
}

class FrameDecoder {
 public:
  FrameDecoder(const CompressedFrames& frames, const Stored& stored, const Syntax& syntax,
               const DicomFile& file)
      : stored_(stored), coding_(syntax.coding), file_(file) {
    if (frames.first) stream_ = *frames.first;
    bits_ = frames.first ? stream_.bits : file.bits_stored;
    wide_ = bits_ > 8 || (!frames.first && file.bits_allocated == 16);
    image_.SetNumberOfDimensions(2);
    image_.SetDimension(0, static_cast<unsigned>(file.width));
    image_.SetDimension(1, static_cast<unsigned>(file.height));
    const bool is_signed = frames.first ? stream_.is_signed : file.is_signed;
    image_.SetPixelFormat(gdcm::PixelFormat(
        static_cast<std::uint16_t>(stored.samples), static_cast<std::uint16_t>(wide_ ? 16 : 8),
        static_cast<std::uint16_t>(bits_), static_cast<std::uint16_t>(bits_ - 1),
        static_cast<std::uint16_t>(is_signed ? 1 : 0)));
    const bool ybr = stored.samples == 3 && decodes_to_ybr(frames.first, stored, coding_);
    image_.SetPhotometricInterpretation(stored.samples == 1
                                            ? gdcm::PhotometricInterpretation::MONOCHROME2
                                        : ybr ? gdcm::PhotometricInterpretation::YBR_FULL
                                              : gdcm::PhotometricInterpretation::RGB);
    image_.SetPlanarConfiguration(0);
    image_.SetTransferSyntax(gdcm::TransferSyntax(gdcm::TransferSyntax::GetTSType(syntax.uid)));
    decoded_.resize(stored.frame_values() * (wide_ ? 2 : 1));
  }

  // Writes one frame to `to`, of file.bits_allocated.
  void decode(const std::string& bytes, std::uint8_t* to) {
    check_end(bytes);
    if (is_plain_jpeg(stream_, coding_)) {
      decode_jpeg(bytes, stream_, decoded_.data());
    } else {
      decode_by_gdcm(bytes);
    }
    if (coding_ == Coding::jpeg_ls && stream_.planes) interleave(decoded_.data(), stored_.pixels);
    copy(to);
  }

 private:
  void decode_by_gdcm(const std::string& bytes) {
    gdcm::Fragment fragment;
    fragment.SetByteValue(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
    gdcm::SmartPointer<gdcm::SequenceOfFragments> fragments = new gdcm::SequenceOfFragments;
    fragments->AddFragment(fragment);
    gdcm::DataElement element(kPixelData);
    element.SetVR(gdcm::VR::OB);
    element.SetValue(*fragments);
    image_.SetDataElement(element);
    if (image_.GetBufferLength() != decoded_.size() ||
        !image_.GetBuffer(reinterpret_cast<char*>(decoded_.data()))) {
      throw Refused("is damaged: its compressed pixels cannot be decoded");
    }
  }

  // A JPEG without an end is filled up in silence by its decoder.
  void check_end(const std::string& bytes) const {
    if (coding_ == Coding::rle) {
      const int wanted = stored_.samples * file_.bits_allocated / 8;
      if (rle_segments(bytes) != wanted) {
        throw Refused("contradicts itself: SamplesPerPixel and BitsAllocated make " +
                      std::to_string(wanted) + " planes of bytes, its RLE frame has " +
                      std::to_string(rle_segments(bytes)));
      }
      return;
    }
    if (bytes.rfind("\xFF\xD9") == std::string::npos) {
      throw Refused("is cut off: a compressed frame has no end");
    }
  }

  // A stream may keep more bits than the header says are used, or fewer: where that leaves open
  // which value is meant, the two contradict each other.
  void check_value(std::uint16_t value) const {
    const int used = file_.bits_stored;
    const unsigned mask = (1U << used) - 1, top = 1U << (bits_ - 1);
    if (bits_ > used) {
      const bool negative = file_.is_signed && (value & (1U << (used - 1))) != 0;
      const unsigned beyond = value & ~mask & ((1U << bits_) - 1);
      if (beyond == 0 || (negative && beyond == (~mask & ((1U << bits_) - 1)))) return;
    } else if (bits_ == used || !file_.is_signed || stream_.is_signed || (value & top) == 0) {
      return;
    }
    contradiction("the number of bits used (BitsStored)", used, bits_);
  }

  void copy(std::uint8_t* to) const {
    const bool check = coding_ == Coding::jpeg_2000 || coding_ == Coding::jpeg_ls;
    const std::size_t values = stored_.frame_values();
    for (std::size_t i = 0; i < values; ++i) {
      std::uint16_t value = decoded_[wide_ ? 2 * i : i];
      if (wide_) std::memcpy(&value, &decoded_[2 * i], 2);
      if (check) check_value(value);
      if (!wide_ && stream_.is_signed && (value & (1U << (bits_ - 1))) != 0) value |= 0xFF00U;
      if (file_.bits_allocated == 16) {
        std::memcpy(to + 2 * i, &value, 2);
      } else {
        to[i] = static_cast<std::uint8_t>(value);
      }
    }
  }

  const Stored& stored_;
  Coding coding_;
  const DicomFile& file_;
  Codestream stream_;
  int bits_ = 8;       // of a decoded value
  bool wide_ = false;  // decoded values have 16 bits
  gdcm::Image image_;
  std::vector<std::uint8_t> decoded_;
};

}  // namespace

void check_plain(const char* path, const gdcm::Reader& reader, const Stored& stored,
                 const Syntax& syntax, DicomFile& file) {
  const gdcm::DataElement& element = reader.GetFile().GetDataSet().GetDataElement(kPixelData);
  if (element.GetSequenceOfFragments() != nullptr) {
    throw Refused(std::string("contradicts itself: its header says ") + syntax.name +
                  ", which is not compressed, its pixels lie in fragments, as compressed ones do");
  }
  refuse_deep_colour(stored, file);
  if (stored.photometric == "YBR_FULL_422" && (stored.planes || stored.pixels % 2 != 0)) {
    throw Refused("is YBR_FULL_422 in planes or with an odd number of pixels");
  }
  if (stored.photometric == "YBR_ICT" || stored.photometric == "YBR_RCT") {
    decodes_to_ybr({}, stored, syntax.coding);
  }
  const gdcm::ByteValue* value = element.GetByteValue();
  const std::size_t length = value == nullptr ? 0 : std::size_t{value->GetLength()};
  const std::size_t wanted = plain_bytes(stored, file);
  if (length < wanted) {
    throw Refused("is cut off: its header promises " + std::to_string(wanted) +
                  " bytes of pixels, the file holds " + std::to_string(length));
  }
  // Positions are those in the file, but for a deflated one, whose end zlib checks.
  if (syntax.coding != Coding::deflated) {
    check_tag(path, reader.GetStreamCurrentPosition(), length);
  }
  const std::size_t spare = length - wanted, frame = wanted / file.frames.size();
  file.further_frames = spare / frame;
  if (spare > 1) file.spare_bytes = spare % frame;  // one makes the length even
}

CompressedFrames check_compressed(const char* path, const gdcm::Reader& reader,
                                  const Stored& stored, const Syntax& syntax, DicomFile& file) {
  const gdcm::DataElement& element = reader.GetFile().GetDataSet().GetDataElement(kPixelData);
  const gdcm::SequenceOfFragments* fragments = element.GetSequenceOfFragments();
  if (fragments == nullptr) {
    throw Refused(std::string("contradicts itself: its header says ") + syntax.name +
                  ", its pixels do not lie in fragments, as compressed ones do");
  }
  refuse_deep_colour(stored, file);
  CompressedFrames frames = frames_of(*fragments, file.frames.size(), syntax.coding);
  // Behind compressed pixels their delimiter must stand.
  if (bytes_before(path, reader.GetStreamCurrentPosition(), 8) !=
      std::string_view("\xFE\xFF\xDD\xE0\0\0\0\0", 8)) {
    throw Refused("is cut off: its compressed pixels have no end");
  }
  if (frames.first) hold_against_header(*frames.first, stored, file);
  if (stored.samples == 3) file.colour_overruled = overruled(frames, stored, syntax.coding);
  file.further_frames = frames.further;
  return frames;
}

void read_plain(const DataSet& data, const Stored& stored, const Syntax& syntax, bool big_endian,
                DicomFile& file) {
  const std::string_view bytes = bytes_of(data, kPixelData).substr(0, plain_bytes(stored, file));
  if (stored.photometric == "YBR_FULL_422") {
    file.pixels = unpacked_422(bytes);
  } else {
    file.pixels.assign(bytes.begin(), bytes.end());
  }
  // GDCM brings words into host byte order, but not what calls itself bytes.
  const bool as_bytes = big_endian && data.GetDataElement(kPixelData).GetVR() != gdcm::VR::OW;
  if (file.bits_allocated == 16 && (syntax.coding == Coding::swapped || as_bytes)) {
    for (std::size_t i = 0; i + 1 < file.pixels.size(); i += 2) {
      std::swap(file.pixels[i], file.pixels[i + 1]);
    }
  }
  if (stored.samples != 3) return;
  for (std::size_t f = 0; stored.planes && f < file.frames.size(); ++f) {
    interleave(&file.pixels[f * stored.frame_values()], stored.pixels);
  }
  if (stored.photometric.starts_with("YBR_")) to_rgb(file.pixels);
}

void read_compressed(const CompressedFrames& frames, const Stored& stored, const Syntax& syntax,
                     DicomFile& file) {
  FrameDecoder decoder(frames, stored, syntax, file);
  const std::size_t bytes = stored.frame_values() * bytes_per_value(file);
  file.pixels.resize(bytes * file.frames.size());
  for (std::size_t f = 0; f < file.frames.size(); ++f) {
    const std::string frame = frames.joined(f);
    if (const auto stream = read_codestream(frame, syntax.coding)) {
      hold_against_header(*stream, stored, file);
    }
    decoder.decode(frame, &file.pixels[f * bytes]);
  }
  if (stored.samples == 3 && decodes_to_ybr(frames.first, stored, syntax.coding)) {
    to_rgb(file.pixels);
  }
}

}  // namespace bioptic::dicom
