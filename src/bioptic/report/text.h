// Numbers and names as text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bioptic {

// Shortest digits that read back to the same number; "nan", "inf", "-inf".
std::string number_text(double value);
std::string number_text(float value);
// Fixed digits; "-" for NaN.
std::string fixed_text(double value, int digits);
// 100 * value with `digits` behind the point; "-" for NaN.
std::string percent_text(double value, int digits = 1);

// For HTML, LaTeX and a line of Markdown; bytes that are not UTF-8 as as_utf8() writes them.
std::string html_escape(std::string_view text);
std::string tex_escape(std::string_view text);
std::string markdown_escape(std::string_view text);
// The first `characters` characters of UTF-8 text, the last one "…" if anything was cut.
std::string shortened(std::string_view text, std::size_t characters);
// Columns that UTF-8 text takes on a terminal, one a character.
std::size_t display_width(std::string_view text);
// Words of `text` in lines of at most `width` columns, the first after `first`, the others after
// `next`; "95 %" stays together.  Ends in a new line.
std::string filled(std::string_view text, std::string_view first, std::string_view next,
                   std::size_t width);
// Letters, digits, '.', '_', '-', '='; anything else becomes '_'.
std::string file_part(std::string_view name);

}  // namespace bioptic
