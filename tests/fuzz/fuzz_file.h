// The bytes of a fuzzing step as a file in memory.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "bioptic/base/error.h"

namespace bioptic {

class FuzzFile {
 public:
  FuzzFile(const std::uint8_t* data, std::size_t size) : fd_(::memfd_create("fuzz", 0)) {
    for (std::size_t at = 0; at < size;) {
      const ssize_t n = ::write(fd_, data + at, size - at);
      if (n <= 0) break;
      at += static_cast<std::size_t>(n);
    }
  }
  ~FuzzFile() { ::close(fd_); }
  FuzzFile(const FuzzFile&) = delete;
  FuzzFile& operator=(const FuzzFile&) = delete;
  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

// Runs `parse`; a message to a person is a right answer.
template <typename Parse>
int fuzz(const Parse& parse) {
  try {
    parse();
  } catch (const InputError&) {
  } catch (const Failure&) {
  }
  return 0;
}

inline constexpr std::int64_t kFuzzPixels = 1 << 20;

}  // namespace bioptic
