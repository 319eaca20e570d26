// Text that came from outside, names of files above all, where only UTF-8 may stand.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bioptic {

// Where the first byte stands that belongs to no character of UTF-8 (Unicode 15, table 3-7: no
// overlong forms, no surrogates); npos where all do.
std::size_t find_not_utf8(std::string_view text);
inline bool is_utf8(std::string_view text) { return find_not_utf8(text) == std::string_view::npos; }

// The text itself where it is UTF-8; else with \xNN for every byte that belongs to no character,
// and \\ for a backslash: "M\xFCller.png".  Nothing is lost: printf '%b' gives the bytes back.
std::string as_utf8(std::string_view text);

// UTF-16 without its byte order mark; `big_endian`: the order of its bytes.  Half of a pair, and a
// single byte at the end, become U+FFFD, of which `damaged` then counts.
std::string utf8_of_utf16(std::string_view bytes, bool big_endian, std::size_t& damaged);
// A code point up to U+10FFFF that is no surrogate.
void append_utf8(std::string& text, char32_t code);

}  // namespace bioptic
