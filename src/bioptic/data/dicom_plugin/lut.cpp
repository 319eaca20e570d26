#include "bioptic/data/dicom_plugin/lut.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "bioptic/data/dicom_plugin/refused.h"

namespace bioptic::dicom {
namespace {

// (entries, first input, bits of an entry), of which 0 entries are 65536.
struct Descriptor {
  std::size_t entries = 0;
  std::int32_t first = 0;
  int bits = 0;
};

Descriptor read_descriptor(const DataSet& data, const Tag& tag, bool is_signed, const char* name) {
  const std::string_view bytes = bytes_of(data, tag);
  if (bytes.size() != 6) {
    throw Refused(std::string("has a ") + name + " without its descriptor of three numbers");
  }
  std::array<std::uint16_t, 3> numbers{};
  std::memcpy(numbers.data(), bytes.data(), 6);
  Descriptor found;
  found.entries = numbers[0] == 0 ? 65536 : numbers[0];
  found.first = is_signed ? static_cast<std::int16_t>(numbers[1]) : numbers[1];
  found.bits = numbers[2];
  if (found.bits < 1 || found.bits > 16) {
    throw Refused(std::string("has a ") + name + " of " + std::to_string(found.bits) + " bits");
  }
  return found;
}

// An entry a word, or an entry a byte where the entries have at most 8 bits.
std::vector<std::uint16_t> entries(std::string_view bytes, std::size_t count, int bits,
                                   const char* name) {
  std::vector<std::uint16_t> values(count);
  if (bytes.size() >= 2 * count) {
    std::memcpy(values.data(), bytes.data(), 2 * count);
  } else if (bytes.size() >= count && bits <= 8) {
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<std::uint8_t>(bytes[i]);
  } else {
    throw Refused(std::string("has a ") + name + " that is cut off");
  }
  return values;
}

// PS3.3 C.7.9.2: runs of entries, straight lines from the entry before, and segments again.
class Segments {
 public:
  Segments(std::string_view bytes, bool wide, std::size_t most)
      : wide_(wide), most_(most), data_(wide ? bytes.size() / 2 : bytes.size()) {
    for (std::size_t i = 0; i < data_.size(); ++i) {
      if (wide) {
        std::memcpy(&data_[i], bytes.data() + 2 * i, 2);
      } else {
        data_[i] = static_cast<std::uint8_t>(bytes[i]);
      }
    }
  }
  std::vector<std::uint16_t> expand() {
    run(0, data_.size(), true);
    return std::move(out_);
  }

 private:
  std::uint16_t take(std::size_t& at) const {
    if (at >= data_.size()) throw Refused("has a segmented palette that is cut off");
    return data_[at++];
  }
  void add(std::uint16_t value) {
    if (out_.size() >= most_) throw Refused("has a segmented palette longer than its descriptor");
    out_.push_back(value);
  }
  void line(std::size_t length, double to) {
    if (out_.empty()) throw Refused("has a segmented palette that begins with a line");
    const double from = out_.back();
    for (std::size_t i = 1; i <= length; ++i) {
      const double share = static_cast<double>(i) / static_cast<double>(length);
      add(static_cast<std::uint16_t>(std::nearbyint(from + (to - from) * share)));
    }
  }
  // At most `segments`; `may_repeat`: a repeated segment repeats none itself.
  void run(std::size_t at, std::size_t segments, bool may_repeat) {
    // One value alone at the end pads the data to an even length.
    for (std::size_t s = 0; s < segments && at + 1 < data_.size(); ++s) {
      const unsigned kind = take(at), length = take(at);
      if (kind == 0) {
        for (unsigned i = 0; i < length; ++i) add(take(at));
      } else if (kind == 1) {
        line(length, take(at));
      } else if (kind == 2 && may_repeat) {
        std::size_t offset = 0;  // from the beginning, in bytes; the low part first
        for (int part = 0; part < (wide_ ? 2 : 4); ++part) {
          offset |= std::size_t{take(at)} << (part * (wide_ ? 16 : 8));
        }
        run(wide_ ? offset / 2 : offset, length, false);
      } else {
        throw Refused("has a segmented palette with a segment of an unknown kind");
      }
    }
  }
  bool wide_;
  std::size_t most_;
  std::vector<std::uint16_t> data_, out_;
};

constexpr std::array<const char*, 3> kPalettes = {"red palette", "green palette", "blue palette"};

DicomLut read_palette(const DataSet& data, std::uint16_t colour, bool is_signed) {
  const auto tag = [&](int base) { return Tag(0x0028, static_cast<std::uint16_t>(base + colour)); };
  const char* name = kPalettes.at(colour);
  if (find(data, tag(0x1201)) != nullptr || find(data, tag(0x1221)) == nullptr) {
    return read_lut(data, tag(0x1101), tag(0x1201), is_signed, name);
  }
  const Descriptor descriptor = read_descriptor(data, tag(0x1101), is_signed, name);
  DicomLut lut;
  lut.first = descriptor.first;
  lut.bits = descriptor.bits;
  lut.values =
      Segments(bytes_of(data, tag(0x1221)), descriptor.bits > 8, descriptor.entries).expand();
  if (lut.values.size() != descriptor.entries) {
    throw Refused("has a segmented palette shorter than its descriptor");
  }
  return lut;
}

}  // namespace

DicomLut read_lut(const DataSet& data, const Tag& descriptor, const Tag& values, bool is_signed,
                  const char* name) {
  const Descriptor found = read_descriptor(data, descriptor, is_signed, name);
  DicomLut lut;
  lut.first = found.first;
  lut.bits = found.bits;
  lut.values = entries(bytes_of(data, values), found.entries, found.bits, name);
  return lut;
}

void apply_palette(const DataSet& data, DicomFile& file) {
  std::vector<DicomLut> luts;
  std::uint16_t highest = 0;
  for (std::uint16_t colour = 0; colour < 3; ++colour) {
    luts.push_back(read_palette(data, colour, file.is_signed));
    const DicomLut& lut = luts.back();
    if (lut.bits != 8 && lut.bits != 16) {
      throw Refused("has a palette of " + std::to_string(lut.bits) + " bits; 8 and 16 are usual");
    }
    highest = std::max(highest, *std::max_element(lut.values.begin(), lut.values.end()));
  }
  // Some systems say 16 bits and write 8: read as 16 they would make every pixel black.
  const bool shallow = highest < 256;
  const std::size_t bytes = static_cast<std::size_t>(file.bits_allocated) / 8;
  const std::size_t count = file.pixels.size() / bytes;
  const std::int32_t half = std::int32_t{1} << (file.bits_stored - 1);
  std::vector<std::uint8_t> out(3 * count);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint16_t raw = file.pixels[i * bytes];
    if (bytes == 2) std::memcpy(&raw, &file.pixels[2 * i], 2);
    std::int32_t index = raw & (2 * half - 1);
    if (file.is_signed && index >= half) index -= 2 * half;
    for (std::size_t c = 0; c < 3; ++c) {
      const DicomLut& lut = luts[c];
      const auto last = static_cast<std::int32_t>(lut.values.size()) - 1;
      const unsigned value =
          lut.values[static_cast<std::size_t>(std::clamp(index - lut.first, 0, last))];
      out[3 * i + c] = static_cast<std::uint8_t>(lut.bits > 8 && !shallow ? value >> 8 : value);
    }
  }
  file.pixels = std::move(out);
  file.bits_allocated = file.bits_stored = 8;
  file.is_signed = false;
}

}  // namespace bioptic::dicom
