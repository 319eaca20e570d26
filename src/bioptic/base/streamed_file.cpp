#include "bioptic/base/streamed_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"

namespace bioptic {
namespace {

constexpr std::size_t kBuffer = 1U << 16;

}  // namespace

StreamedFile::StreamedFile(std::filesystem::path path)
    : path_(std::move(path)), temporary_(temporary_beside(path_)) {
  if (path_.has_parent_path()) std::filesystem::create_directories(path_.parent_path());
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd_ < 0) fail();
}

StreamedFile::~StreamedFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

void StreamedFile::fail() const {
  throw Failure(path_.string() + ": cannot be written: " + std::strerror(errno));
}

void StreamedFile::write(std::string_view piece) {
  buffer_ += piece;
  if (buffer_.size() >= kBuffer) flush();
}

void StreamedFile::flush() {
  std::string_view left = buffer_;
  while (!left.empty()) {
    const ssize_t n = ::write(fd_, left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail();
    left.remove_prefix(static_cast<std::size_t>(n));
  }
  buffer_.clear();
}

void StreamedFile::finish() {
  flush();
  commit_rename(temporary_, path_);
  ::close(std::exchange(fd_, -1));
}

}  // namespace bioptic
