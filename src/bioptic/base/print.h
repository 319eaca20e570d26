// What the program says on standard output and standard error.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

namespace bioptic {

// `text` with every control character but newline and tab as \u00NN, which JSON reads as the same
// character: a name from a file cannot move a terminal's cursor or change its settings.
std::string printable(std::string_view text);

// Writes printable(as_utf8(text)): bytes that are no character as \xNN (utf8.h).  What cannot be
// written (a full disk, a terminal that went away) is no exception: work goes on, and
// output_error() tells it at the end.
void write_text(std::FILE* stream, std::string_view text);

template <typename... T>
void print_out(fmt::format_string<T...> format, T&&... arguments) {
  write_text(stdout, fmt::format(format, std::forward<T>(arguments)...));
}

template <typename... T>
void print_error(fmt::format_string<T...> format, T&&... arguments) {
  write_text(stderr, fmt::format(format, std::forward<T>(arguments)...));
}

// Sends on what was printed to standard output.  Why any of it could not be written, "" when all
// was.
std::string output_error();

// Standard input, output and error that are closed are opened so that using them fails: else the
// next file that is opened gets their number, and messages are written into it.  Call first.
void open_closed_streams();

}  // namespace bioptic
