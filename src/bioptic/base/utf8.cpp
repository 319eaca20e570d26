#include "bioptic/base/utf8.h"

#include <cstdint>
#include <cstring>

namespace bioptic {
namespace {

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// The bytes of the character that begins at `at`; 0 where none does.
std::size_t character_at(std::string_view text, std::size_t at) {
  const unsigned lead = byte_at(text, at);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (at + length > text.size()) return 0;
  // The second byte's bounds rule out overlong forms, surrogates and what is above U+10FFFF.
  const unsigned low = lead == 0xE0 ? 0xA0U : lead == 0xF0 ? 0x90U : 0x80U;
  const unsigned high = lead == 0xED ? 0x9FU : lead == 0xF4 ? 0x8FU : 0xBFU;
  if (byte_at(text, at + 1) < low || byte_at(text, at + 1) > high) return 0;
  for (std::size_t k = 2; k < length; ++k) {
    if ((byte_at(text, at + k) & 0xC0U) != 0x80U) return 0;
  }
  return length;
}

}  // namespace

std::size_t find_not_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    // Eight letters of ASCII at once: most text is nothing else.
    std::uint64_t eight = 0;
    if (at + sizeof(eight) <= text.size()) {
      std::memcpy(&eight, text.data() + at, sizeof(eight));
      if ((eight & 0x8080808080808080U) == 0) {
        at += sizeof(eight);
        continue;
      }
    }
    const std::size_t length = character_at(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

std::string as_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_at(text, at);
    if (length == 0) {
      const unsigned byte = byte_at(text, at++);
      out += "\\x";
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    } else {
      if (text[at] == '\\') out += '\\';
      out += text.substr(at, length);
      at += length;
    }
  }
  return out;
}

void append_utf8(std::string& text, char32_t code) {
  const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  const auto rest = [&](unsigned shift) { put(0x80U | (code >> shift & 0x3FU)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | code >> 6U);
    rest(0);
  } else if (code < 0x10000) {
    put(0xE0U | code >> 12U);
    rest(6);
    rest(0);
  } else {
    put(0xF0U | code >> 18U);
    rest(12);
    rest(6);
    rest(0);
  }
}

std::string utf8_of_utf16(std::string_view bytes, bool big_endian, std::size_t& damaged) {
  constexpr char32_t kReplacement = 0xFFFD;
  const auto unit = [&](std::size_t at) -> char32_t {
    const unsigned first = byte_at(bytes, at), second = byte_at(bytes, at + 1);
    return big_endian ? first << 8U | second : second << 8U | first;
  };
  std::string out;
  out.reserve(bytes.size() / 2);
  std::size_t at = 0;
  for (; at + 1 < bytes.size(); at += 2) {
    char32_t code = unit(at);
    if (code >= 0xD800 && code <= 0xDFFF) {
      const char32_t low = at + 3 < bytes.size() ? unit(at + 2) : 0;
      if (code <= 0xDBFF && low >= 0xDC00 && low <= 0xDFFF) {
        code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
        at += 2;
      } else {
        code = kReplacement;
        ++damaged;
      }
    }
    append_utf8(out, code);
  }
  if (at < bytes.size()) {
    append_utf8(out, kReplacement);
    ++damaged;
  }
  return out;
}

}  // namespace bioptic
