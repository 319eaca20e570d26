#include "bioptic/base/print.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>

#include "bioptic/base/utf8.h"

namespace bioptic {
namespace {

int first_output_error = 0;  // errno of standard output, 0 = none

void remember(int error) {
  if (first_output_error == 0) first_output_error = error == 0 ? EIO : error;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
      out += fmt::format("\\u{:04x}", c);
    } else if (c == 0xc2 && next >= 0x80 && next < 0xa0) {  // U+0080 to U+009F in UTF-8
      out += fmt::format("\\u{:04x}", next);
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

void write_text(std::FILE* stream, std::string_view text) {
  const std::string shown = printable(as_utf8(text));
  errno = 0;
  const std::size_t written = std::fwrite(shown.data(), 1, shown.size(), stream);
  if (written != shown.size() && stream == stdout) remember(errno);
}

std::string output_error() {
  errno = 0;
  std::cout.flush();
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0 || !std::cout) remember(errno);
  return first_output_error == 0 ? "" : std::strerror(first_output_error);
}

void open_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number, which is this one.  The wrong way round, so that a read or write
    // fails as it does on a closed stream.
    const int mode = stream == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    if (::open("/dev/null", mode) < 0) return;
  }
}

}  // namespace bioptic
