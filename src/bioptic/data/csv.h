// Comma-separated values, RFC 4180.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bioptic {

// The field as it stands in a file, byte by byte: in quotes where it holds a comma, quote or line
// break.
std::string csv_field(std::string_view text);
// The same for files that other programs read, which expect UTF-8: see as_utf8().
std::string csv_text(std::string_view text);

// Reads one record that begins at `at` and moves `at` behind its line end: \n, \r\n or \r.  Throws
// InputError with `name` and the line number on an unclosed quote.
std::vector<std::string> csv_record(std::string_view text, std::size_t& at, const std::string& name,
                                    std::size_t line, char separator = ',');

}  // namespace bioptic
