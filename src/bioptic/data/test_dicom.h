// Small DICOM files for the tests, written by hand: Explicit VR Little Endian, not compressed
// unless the test brings compressed pixels.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bioptic/data/test_images.h"

namespace bioptic {

class TestDicom {
 public:
  // width x height pixels of 8 or 16 bits, frames one after the other.
  TestDicom(int width, int height, int bits_stored, std::vector<std::uint16_t> values,
            const std::string& photometric = "MONOCHROME2", int samples = 1) {
    const int allocated = bits_stored > 8 ? 16 : 8;
    us(0x00280002, samples).text(0x00280004, "CS", photometric);
    us(0x00280010, height).us(0x00280011, width);
    us(0x00280100, allocated).us(0x00280101, bits_stored).us(0x00280102, bits_stored - 1);
    us(0x00280103, 0);
    if (samples == 3) us(0x00280006, 0);
    std::string pixels;
    for (const std::uint16_t v : values) {
      pixels += static_cast<char>(v & 0xFF);
      if (allocated == 16) pixels += static_cast<char>(v >> 8);
    }
    put(0x7FE00010, allocated == 16 ? "OW" : "OB", pixels);
    text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7").text(0x00080018, "UI", "1.2.3.4");
  }

  TestDicom& text(std::uint32_t tag, const char* vr, const std::string& value) {
    return put(tag, vr, value, std::strcmp(vr, "UI") == 0 ? '\0' : ' ');
  }
  TestDicom& us(std::uint32_t tag, int value) {
    return put(tag, "US", {static_cast<char>(value & 0xFF), static_cast<char>(value >> 8 & 0xFF)});
  }
  TestDicom& put(std::uint32_t tag, const char* vr, std::string value, char padding = '\0') {
    if (value.size() % 2 == 1) value += padding;
    elements_[tag] = {vr, std::move(value)};
    return *this;
  }
  // A sequence of one item.
  TestDicom& item(std::uint32_t tag, const std::map<std::uint32_t, std::string>& words) {
    std::string content;
    for (const auto& [inner, value] : words) append(content, inner, "OW", value);
    std::string sequence("\xFE\xFF\x00\xE0", 4);
    append_long(sequence, content.size());
    return put(tag, "SQ", sequence + content);
  }

  TestDicom& without(std::uint32_t tag) {
    elements_.erase(tag);
    return *this;
  }
  TestDicom& syntax(const std::string& uid) {
    syntax_ = uid;
    return *this;
  }
  // Compressed pixels, with an empty table of offsets.
  TestDicom& fragments(std::vector<std::string> all) {
    for (std::string& fragment : all) fragment.resize(fragment.size() + fragment.size() % 2);
    fragments_ = std::move(all);
    return *this;
  }

  std::string bytes() const {
    std::string meta;
    append(meta, 0x00020001, "OB", std::string("\0\1", 2));
    append(meta, 0x00020002, "UI", std::string("1.2.840.10008.5.1.4.1.1.7\0", 26));
    append(meta, 0x00020003, "UI", std::string("1.2.3.4\0", 8));
    append(meta, 0x00020010, "UI", syntax_ + std::string(syntax_.size() % 2, '\0'));
    append(meta, 0x00020012, "UI", std::string("1.2\0", 4));
    std::string length, out(128, '\0');
    append_long(length, meta.size());
    out += "DICM";
    append(out, 0x00020000, "UL", length);
    out += meta;
    for (const auto& [tag, element] : elements_) {
      if (tag == 0x7FE00010 && !fragments_.empty()) {
        append_fragments(out);
      } else {
        append(out, tag, element.first, element.second);
      }
    }
    return out;
  }
  void write(const std::filesystem::path& path) const {
    const std::string content = bytes();
    write_bytes(path, content.data(), content.size());
  }

 private:
  void append_fragments(std::string& out) const {
    const std::string item("\xFE\xFF\x00\xE0", 4);
    out += std::string("\xE0\x7F\x10\x00OB\0\0\xFF\xFF\xFF\xFF", 12) + item + std::string(4, '\0');
    for (const std::string& fragment : fragments_) {
      out += item;
      append_long(out, fragment.size());
      out += fragment;
    }
    out += std::string("\xFE\xFF\xDD\xE0\0\0\0\0", 8);
  }
  static void append_long(std::string& out, std::size_t value) {
    for (int b = 0; b < 4; ++b) out += static_cast<char>(value >> (8 * b) & 0xFF);
  }
  static void append(std::string& out, std::uint32_t tag, const std::string& vr,
                     const std::string& value) {
    for (const std::uint32_t half : {tag >> 16, tag & 0xFFFF}) {
      out += static_cast<char>(half & 0xFF);
      out += static_cast<char>(half >> 8);
    }
    out += vr;
    if (vr == "OB" || vr == "OW" || vr == "SQ") {
      out += std::string(2, '\0');
      append_long(out, value.size());
    } else {
      out += static_cast<char>(value.size() & 0xFF);
      out += static_cast<char>(value.size() >> 8 & 0xFF);
    }
    out += value;
  }
  std::map<std::uint32_t, std::pair<std::string, std::string>> elements_;
  std::string syntax_ = "1.2.840.10008.1.2.1";
  std::vector<std::string> fragments_;
};

// 16-bit words in the file's byte order.
inline std::string words(const std::vector<int>& values) {
  std::string out;
  for (const int v : values) {
    out += static_cast<char>(v & 0xFF);
    out += static_cast<char>(v >> 8 & 0xFF);
  }
  return out;
}

}  // namespace bioptic
