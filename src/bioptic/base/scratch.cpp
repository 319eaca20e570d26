#include "bioptic/base/scratch.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "bioptic/base/error.h"

namespace bioptic {
namespace {

std::string scratch_folder() {
  const char* set = std::getenv("TMPDIR");
  if (set != nullptr && *set != '\0') return set;
  return ::access("/var/tmp", W_OK) == 0 ? "/var/tmp" : "/tmp";
}

}  // namespace

ScratchMemory::ScratchMemory(std::size_t bytes) : size_(bytes) {
  if (bytes == 0) return;
  const std::string folder = scratch_folder();
  const auto fail = [&](int error) {
    throw Failure(folder + ": no room for " + std::to_string(bytes) + " bytes of temporary data: " +
                  std::strerror(error) + "; set TMPDIR to another folder");
  };
  std::string name = folder + "/bioptic-XXXXXX";
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) fail(errno);
  ::unlink(name.c_str());
  void* map = MAP_FAILED;
  // A page that finds no room when it is written would be a signal, not an error.
  int error = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes));
  if (error == 0) {
    map = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) error = errno;
  }
  ::close(fd);
  if (error != 0) fail(error);
  data_ = static_cast<std::uint8_t*>(map);
}

ScratchMemory::~ScratchMemory() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

ScratchMemory::ScratchMemory(ScratchMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

ScratchMemory& ScratchMemory::operator=(ScratchMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace bioptic
