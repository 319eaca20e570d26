// Reads DICOM files with GDCM.  Tags are read here by number, because GDCM's own helpers guess
// (they leave out the rescale of some modalities, for example); GDCM parses the file and decodes
// its pixels.
#include <gdcmDataElement.h>
#include <gdcmDataSet.h>
#include <gdcmImageReader.h>
#include <gdcmReader.h>
#include <gdcmSequenceOfFragments.h>
#include <gdcmSequenceOfItems.h>
#include <gdcmTrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <exception>
#include <fstream>
#include <limits>
#include <new>
#include <stdexcept>
#include <string_view>

#include "bioptic/data/dicom_plugin.h"

namespace bioptic {
namespace {

using gdcm::DataSet;
using gdcm::Tag;

// Why a file cannot be used.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// GDCM makes room for whatever length an element states, up to 4 GiB in a file of a hundred bytes.
// So this process may grow by what such a file can need, and no further.  A header's elements take
// up to some four times their bytes as GDCM's objects; what the libraries need anyhow is far below
// 128 MiB.
constexpr std::uint64_t kPerFileByte = 4, kAnyhow = std::uint64_t{128} << 20;
// OpenJPEG, the hungriest decoder, holds four bytes for every value; GDCM copies what comes out.
constexpr std::uint64_t kPerPixelByte = 8;

class MemoryLimit {
 public:
  explicit MemoryLimit(const char* path) {
    std::ifstream in("/proc/self/statm");  // size resident shared text lib data, in pages
    std::uint64_t pages = 0;
    for (int field = 0; field < 6; ++field) in >> pages;
    if (!in) return;
    struct stat info {};
    if (::stat(path, &info) != 0) return;
    bytes_ = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + kAnyhow +
             kPerFileByte * static_cast<std::uint64_t>(info.st_size);
    allow(0);
  }
  // `bytes` of pixels more.
  void allow(std::uint64_t bytes) const {
    rlimit limit{};
    if (bytes_ == 0 || ::getrlimit(RLIMIT_DATA, &limit) != 0) return;
    limit.rlim_cur = std::min<rlim_t>(bytes_ + kPerPixelByte * bytes, limit.rlim_max);
    ::setrlimit(RLIMIT_DATA, &limit);
  }

 private:
  std::uint64_t bytes_ = 0;  // 0: the system does not say what is used now
};

const gdcm::DataElement* find(const DataSet& data, const Tag& tag) {
  if (!data.FindDataElement(tag)) return nullptr;
  const gdcm::DataElement& element = data.GetDataElement(tag);
  return element.IsEmpty() ? nullptr : &element;
}

std::string_view bytes_of(const DataSet& data, const Tag& tag) {
  const gdcm::DataElement* element = find(data, tag);
  const gdcm::ByteValue* value = element == nullptr ? nullptr : element->GetByteValue();
  if (value == nullptr || value->GetPointer() == nullptr) return {};
  return {value->GetPointer(), value->GetLength()};
}

// Text without the spaces and zeros that pad it; of several values, the first.
std::string text(const DataSet& data, const Tag& tag, bool first_of_several = true) {
  std::string_view value = bytes_of(data, tag);
  if (first_of_several) value = value.substr(0, value.find('\\'));
  const auto padding = [](char c) { return c == ' ' || c == '\0' || c == '\n' || c == '\r'; };
  while (!value.empty() && padding(value.front())) value.remove_prefix(1);
  while (!value.empty() && padding(value.back())) value.remove_suffix(1);
  return std::string(value);
}

// A decimal or integer string; nothing where it is absent or empty.  A decimal comma, which some
// systems write, can mean nothing else: the standard knows no separator of thousands.  What is
// there and is no number is refused by name: a default in its place would give other pixels.
std::optional<double> decimal(const DataSet& data, const Tag& tag, const char* name) {
  std::string number = text(data, tag);
  if (number.empty()) return {};
  if (number.find('.') == std::string::npos && std::count(number.begin(), number.end(), ',') == 1) {
    number[number.find(',')] = '.';
  }
  const char* begin = number.data() + (number.front() == '+' ? 1 : 0);
  double value = 0;
  const auto [rest, error] = std::from_chars(begin, number.data() + number.size(), value);
  if (error != std::errc{} || rest != number.data() + number.size() || !std::isfinite(value)) {
    throw Refused(std::string("has a ") + name + " that is no number");
  }
  return value;
}

// A binary 16-bit number; GDCM has brought it into host byte order.
std::optional<std::uint16_t> word(const DataSet& data, const Tag& tag, std::size_t index = 0) {
  const std::string_view value = bytes_of(data, tag);
  if (value.size() < 2 * (index + 1)) return {};
  std::uint16_t number = 0;
  std::memcpy(&number, value.data() + 2 * index, 2);
  return number;
}

int required(const DataSet& data, const Tag& tag, const char* name) {
  const auto value = word(data, tag);
  if (!value) throw Refused(std::string("has no ") + name + ": no image, or a damaged one");
  return *value;
}

// The data set of an item of a sequence; null where there is none.
class Items {
 public:
  Items(const DataSet& data, const Tag& tag) {
    if (const gdcm::DataElement* element = find(data, tag)) sequence_ = element->GetValueAsSQ();
  }
  std::size_t size() const { return sequence_ ? sequence_->GetNumberOfItems() : 0; }
  const DataSet* at(std::size_t index) const {
    return index < size() ? &sequence_->GetItem(index + 1).GetNestedDataSet() : nullptr;
  }

 private:
  gdcm::SmartPointer<gdcm::SequenceOfItems> sequence_;
};

DicomLut read_lut(const DataSet& data, const Tag& descriptor, const Tag& values, bool is_signed) {
  DicomLut lut;
  const auto count = word(data, descriptor, 0), first = word(data, descriptor, 1),
             bits = word(data, descriptor, 2);
  if (!count || !first || !bits) throw Refused("has a lookup table without its descriptor");
  const std::size_t entries = *count == 0 ? 65536 : *count;
  lut.first = is_signed ? static_cast<std::int16_t>(*first) : *first;
  lut.bits = *bits;
  if (lut.bits < 1 || lut.bits > 16) {
    throw Refused("has a lookup table of " + std::to_string(lut.bits) + " bits");
  }
  const std::string_view bytes = bytes_of(data, values);
  lut.values.resize(entries);
  if (bytes.size() >= 2 * entries) {
    std::memcpy(lut.values.data(), bytes.data(), 2 * entries);
  } else if (bytes.size() >= entries && lut.bits <= 8) {  // one byte per entry
    for (std::size_t i = 0; i < entries; ++i) lut.values[i] = static_cast<std::uint8_t>(bytes[i]);
  } else {
    throw Refused("has a lookup table that is cut off");
  }
  return lut;
}

// Rescale and window of the data set, or of a frame's functional groups, where they are named.
void read_frame(const DataSet& rescale, const DataSet& window, DicomFrame& frame) {
  frame.slope = decimal(rescale, Tag(0x0028, 0x1053), "RescaleSlope").value_or(frame.slope);
  frame.intercept =
      decimal(rescale, Tag(0x0028, 0x1052), "RescaleIntercept").value_or(frame.intercept);
  const auto center = decimal(window, Tag(0x0028, 0x1050), "WindowCenter");
  const auto width = decimal(window, Tag(0x0028, 0x1051), "WindowWidth");
  if (!center || !width) return;
  const std::string function = text(window, Tag(0x0028, 0x1056));
  frame.function = function == "SIGMOID"        ? DicomVoi::sigmoid
                   : function == "LINEAR_EXACT" ? DicomVoi::linear_exact
                                                : DicomVoi::linear;
  if (!function.empty() && function != "LINEAR" && frame.function == DicomVoi::linear) {
    throw Refused("has an unknown VOI LUT function, " + function);
  }
  // PS3.3 C.11.2.1.2: a width below 1 (for LINEAR) or not above 0 is not valid.
  frame.has_window = frame.function == DicomVoi::linear ? *width >= 1 : *width > 0;
  frame.center = *center;
  frame.width = *width;
}

void read_functional_groups(const DataSet* groups, DicomFrame& frame) {
  if (groups == nullptr) return;
  const DataSet none;
  const Items rescale(*groups, Tag(0x0028, 0x9145)), window(*groups, Tag(0x0028, 0x9132));
  read_frame(rescale.at(0) != nullptr ? *rescale.at(0) : none,
             window.at(0) != nullptr ? *window.at(0) : none, frame);
}

// What the header says of the pixels as the file stores them.
struct Stored {
  int samples = 1;
  std::string photometric;
  bool encapsulated = false, deflated = false;
  std::size_t values = 0;  // of all frames and samples
};

Stored read_header(const DataSet& data, std::int64_t max_pixels, DicomFile& file) {
  Stored stored;
  file.height = required(data, Tag(0x0028, 0x0010), "Rows");
  file.width = required(data, Tag(0x0028, 0x0011), "Columns");
  stored.samples = word(data, Tag(0x0028, 0x0002)).value_or(1);
  stored.photometric = text(data, Tag(0x0028, 0x0004));
  file.bits_allocated = required(data, Tag(0x0028, 0x0100), "BitsAllocated");
  file.bits_stored = required(data, Tag(0x0028, 0x0101), "BitsStored");
  file.is_signed = word(data, Tag(0x0028, 0x0103)).value_or(0) == 1;
  const double frames = decimal(data, Tag(0x0028, 0x0008), "NumberOfFrames").value_or(1);
  if (file.width < 1 || file.height < 1) throw Refused("has no pixels");
  if (frames < 1 || frames > std::numeric_limits<std::int32_t>::max()) {
    throw Refused("has an impossible number of frames");
  }
  const auto count = static_cast<std::int64_t>(frames);
  if (count > max_pixels / (std::int64_t{file.width} * file.height)) {
    throw Refused("has " + std::to_string(count) + " frames of " + std::to_string(file.width) +
                  " x " + std::to_string(file.height) + " pixels, more than " +
                  std::to_string(max_pixels) + " in all; raise --max-pixels if that is right");
  }
  if (file.bits_allocated != 8 && file.bits_allocated != 16) {
    throw Refused("stores values in " + std::to_string(file.bits_allocated) +
                  " bits; 8 and 16 are supported");
  }
  if (file.bits_stored < 1 || file.bits_stored > file.bits_allocated) {
    throw Refused("says that " + std::to_string(file.bits_stored) + " of " +
                  std::to_string(file.bits_allocated) + " bits are used");
  }
  if (word(data, Tag(0x0028, 0x0102)).value_or(static_cast<std::uint16_t>(file.bits_stored - 1)) !=
      file.bits_stored - 1) {
    throw Refused("keeps its values in other than the lowest bits, which is not supported");
  }
  const std::string& photometric = stored.photometric;
  if (photometric == "MONOCHROME1" || photometric == "MONOCHROME2") {
    file.colour =
        photometric == "MONOCHROME1" ? DicomColour::monochrome1 : DicomColour::monochrome2;
  } else if (photometric == "RGB" || photometric == "PALETTE COLOR" ||
             photometric.starts_with("YBR_")) {
    file.colour = DicomColour::rgb;
  } else {
    throw Refused(photometric.empty() ? std::string("names no photometric interpretation")
                                      : "has the photometric interpretation " + photometric +
                                            ", which is not supported");
  }
  const bool three = file.colour == DicomColour::rgb && photometric != "PALETTE COLOR";
  if (stored.samples != (three ? 3 : 1)) {
    throw Refused("has " + std::to_string(stored.samples) + " values per pixel and is " +
                  photometric);
  }
  file.frames.resize(static_cast<std::size_t>(count));
  stored.values = file.frames.size() * static_cast<std::size_t>(file.width) *
                  static_cast<std::size_t>(file.height) * static_cast<std::size_t>(stored.samples);
  return stored;
}

void read_meaning(const DataSet& data, DicomFile& file) {
  file.patient_id = text(data, Tag(0x0010, 0x0020), false);
  file.study_uid = text(data, Tag(0x0020, 0x000D));
  file.instance_uid = text(data, Tag(0x0008, 0x0018));
  file.burned_in = text(data, Tag(0x0028, 0x0301)) == "YES";
  if (file.colour == DicomColour::rgb) return;
  if (const auto padding = word(data, Tag(0x0028, 0x0120))) {
    file.padding = file.is_signed ? static_cast<std::int16_t>(*padding) : *padding;
  }
  const Items modality(data, Tag(0x0028, 0x3000)), voi(data, Tag(0x0028, 0x3010));
  if (modality.at(0) != nullptr) {
    file.modality =
        read_lut(*modality.at(0), Tag(0x0028, 0x3002), Tag(0x0028, 0x3006), file.is_signed);
  }
  DicomFrame common;
  read_frame(data, data, common);
  if (voi.at(0) != nullptr) {
    // The table's first input is a modality value: signed where those can be negative.
    const bool negative = modality.at(0) == nullptr && (file.is_signed || common.intercept < 0);
    file.voi = read_lut(*voi.at(0), Tag(0x0028, 0x3002), Tag(0x0028, 0x3006), negative);
  }
  const Items shared(data, Tag(0x5200, 0x9229)), per_frame(data, Tag(0x5200, 0x9230));
  read_functional_groups(shared.at(0), common);
  for (std::size_t f = 0; f < file.frames.size(); ++f) {
    file.frames[f] = common;
    read_functional_groups(per_frame.at(f), file.frames[f]);
  }
}

// Planes one after the other to interleaved values.
void interleave(std::vector<std::uint8_t>& pixels, std::size_t plane, std::size_t frames) {
  std::vector<std::uint8_t> out(pixels.size());
  for (std::size_t f = 0; f < frames; ++f) {
    for (std::size_t p = 0; p < plane; ++p) {
      for (std::size_t c = 0; c < 3; ++c) {
        out[(f * plane + p) * 3 + c] = pixels[(f * 3 + c) * plane + p];
      }
    }
  }
  pixels = std::move(out);
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

// Index to 8-bit red, green, blue.
void apply_palette(const DataSet& data, DicomFile& file) {
  std::vector<DicomLut> luts;
  for (std::uint16_t c = 0; c < 3; ++c) {
    luts.push_back(read_lut(data, Tag(0x0028, static_cast<std::uint16_t>(0x1101 + c)),
                            Tag(0x0028, static_cast<std::uint16_t>(0x1201 + c)), file.is_signed));
  }
  const std::size_t bytes = static_cast<std::size_t>(file.bits_allocated) / 8;
  const std::size_t count = file.pixels.size() / bytes;
  std::vector<std::uint8_t> out(3 * count);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint16_t raw = file.pixels[i * bytes];
    if (bytes == 2) std::memcpy(&raw, &file.pixels[2 * i], 2);
    for (std::size_t c = 0; c < 3; ++c) {
      const DicomLut& lut = luts[c];
      const std::int64_t at = std::clamp<std::int64_t>(
          std::int64_t{raw} - lut.first, 0, static_cast<std::int64_t>(lut.values.size()) - 1);
      const unsigned value = lut.values[static_cast<std::size_t>(at)];
      out[3 * i + c] = static_cast<std::uint8_t>(lut.bits > 8 ? value >> 8 : value);
    }
  }
  file.pixels = std::move(out);
  file.bits_allocated = file.bits_stored = 8;
  file.is_signed = false;
}

// A file that promises more than it holds is refused before GDCM makes room for it.  GDCM itself
// reads what is there and fills the rest, so its own length is no witness: `end` is where it
// stopped reading in the file, and in front of the value its tag must stand, or behind compressed
// pixels their delimiter.
void check_length(const char* path, std::size_t end, const gdcm::DataElement& element,
                  const Stored& stored, const DicomFile& file) {
  std::ifstream in(path, std::ios::binary);
  const auto bytes_before = [&](std::size_t position, std::size_t count) {
    std::string bytes(count, '\0');
    if (position < count) return bytes;
    in.seekg(static_cast<std::streamoff>(position - count));
    in.read(bytes.data(), static_cast<std::streamsize>(count));
    return bytes;
  };
  if (stored.encapsulated) {
    const gdcm::SequenceOfFragments* fragments = element.GetSequenceOfFragments();
    if (fragments == nullptr || fragments->GetNumberOfFragments() == 0) {
      throw Refused("has no compressed pixels: it is cut off or damaged");
    }
    if (bytes_before(end, 8) != std::string_view("\xFE\xFF\xDD\xE0\0\0\0\0", 8)) {
      throw Refused("is cut off: its compressed pixels have no end");
    }
    return;
  }
  const gdcm::ByteValue* value = element.GetByteValue();
  std::size_t wanted = stored.values * static_cast<std::size_t>(file.bits_allocated) / 8;
  if (stored.photometric == "YBR_FULL_422") wanted = wanted / 3 * 2;
  const std::size_t length = value == nullptr ? 0 : std::size_t{value->GetLength()};
  if (length < wanted) {
    throw Refused("is cut off: its header promises " + std::to_string(wanted) +
                  " bytes of pixels, the file holds " + std::to_string(length));
  }
  if (stored.deflated) return;  // positions are not those in the file; zlib checks the end
  constexpr std::string_view kLittle("\xE0\x7F\x10\x00", 4), kBig("\x7F\xE0\x00\x10", 4);
  const std::string before = bytes_before(end - std::min(end, length), 12);
  const auto names_pixels = [&](std::size_t at) {
    const std::string_view tag = std::string_view(before).substr(at, 4);
    return tag == kLittle || tag == kBig;
  };
  // Explicit VR: tag, two letters, two zeros, length; implicit VR: tag, length.
  std::uint32_t implicit_length = 0;
  std::memcpy(&implicit_length, &before[8], 4);
  const bool is_explicit = names_pixels(0) && before[4] == 'O';
  if (!is_explicit && !(names_pixels(4) && implicit_length == length))
    throw Refused("is cut off within its pixels");
}

void read_pixels(const gdcm::ImageReader& reader, const Stored& stored, DicomFile& file) {
  const gdcm::Image& image = reader.GetImage();
  const gdcm::PixelFormat& format = image.GetPixelFormat();
  const unsigned* size = image.GetDimensions();
  const std::size_t frames = image.GetNumberOfDimensions() == 3 ? size[2] : 1;
  const std::size_t bytes = stored.values * static_cast<std::size_t>(file.bits_allocated) / 8;
  if (static_cast<int>(size[0]) != file.width || static_cast<int>(size[1]) != file.height ||
      frames != file.frames.size() || format.GetSamplesPerPixel() != stored.samples ||
      format.GetBitsAllocated() != file.bits_allocated || image.GetBufferLength() != bytes) {
    throw Refused("has compressed pixels of another shape than its header promises");
  }
  file.pixels.resize(bytes);
  if (!image.GetBuffer(reinterpret_cast<char*>(file.pixels.data()))) {
    throw Refused("has pixels that cannot be decoded (" +
                  std::string(image.GetTransferSyntax().GetString()) +
                  "): damaged, cut off or not supported");
  }
  if (stored.samples != 3) return;
  if (file.bits_allocated != 8) throw Refused("is in colour with 16 bits, which is not supported");
  const std::size_t plane =
      static_cast<std::size_t>(file.width) * static_cast<std::size_t>(file.height);
  if (image.GetPlanarConfiguration() == 1) interleave(file.pixels, plane, frames);
  // GDCM may have converted while it decoded; it then says so.
  const auto now = image.GetPhotometricInterpretation();
  if (now == gdcm::PhotometricInterpretation::YBR_FULL ||
      now == gdcm::PhotometricInterpretation::YBR_FULL_422) {
    to_rgb(file.pixels);
  } else if (now != gdcm::PhotometricInterpretation::RGB &&
             now != gdcm::PhotometricInterpretation::YBR_ICT &&
             now != gdcm::PhotometricInterpretation::YBR_RCT) {
    throw Refused("has the photometric interpretation " + stored.photometric +
                  ", which is not supported");
  }
}

void read(const char* path, bool pixels, std::int64_t max_pixels, DicomFile& file) {
  const Tag pixel_data(0x7fe0, 0x0010);
  const MemoryLimit memory(path);
  Stored stored;
  {
    gdcm::Reader reader;
    reader.SetFileName(path);
    if (!reader.ReadUpToTag(pixel_data)) throw Refused("cannot be read as DICOM");
    const DataSet& data = reader.GetFile().GetDataSet();
    stored = read_header(data, max_pixels, file);
    read_meaning(data, file);
    const gdcm::TransferSyntax& syntax = reader.GetFile().GetHeader().GetDataSetTransferSyntax();
    stored.encapsulated = syntax.IsEncapsulated();
    stored.deflated = syntax == gdcm::TransferSyntax::DeflatedExplicitVRLittleEndian;
    const gdcm::DataElement* element = find(data, pixel_data);
    if (element == nullptr) throw Refused("has no pixels");
    check_length(path, reader.GetStreamCurrentPosition(), *element, stored, file);
  }
  if (!pixels) {
    if (stored.photometric == "PALETTE COLOR") file.bits_allocated = file.bits_stored = 8;
    return;
  }
  memory.allow(stored.values * static_cast<std::uint64_t>(file.bits_allocated) / 8);
  gdcm::ImageReader reader;
  reader.SetFileName(path);
  if (!reader.Read())
    throw Refused("has no pixels that can be read: damaged, cut off, or no image");
  const DataSet& data = reader.GetFile().GetDataSet();
  read_pixels(reader, stored, file);
  if (stored.photometric == "PALETTE COLOR") apply_palette(data, file);
}

}  // namespace
}  // namespace bioptic

const char* bioptic_dicom_interface() {
  // GDCM would write its warnings, with values of tags, to standard error.
  gdcm::Trace::DebugOff();
  gdcm::Trace::WarningOff();
  gdcm::Trace::ErrorOff();
  return bioptic::kDicomInterface;
}

void bioptic_dicom_read(const char* path, bool pixels, std::int64_t max_pixels,
                        bioptic::DicomFile* file, std::string* error) {
  try {
    bioptic::read(path, pixels, max_pixels, *file);
  } catch (const bioptic::Refused& e) {
    *error = e.what();
  } catch (const std::bad_alloc&) {
    *error = "asks for more memory than a file of its size can need: it is damaged";
  } catch (const std::exception& e) {
    *error = std::string("cannot be read as DICOM: ") + e.what();
  } catch (...) {
    *error = "cannot be read as DICOM";
  }
}
