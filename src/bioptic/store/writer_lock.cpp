#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bioptic/base/error.h"
#include "bioptic/store/store.h"

namespace bioptic {
namespace fs = std::filesystem;
namespace {

constexpr const char* kLockName = ".bioptic.lock";

long written_pid(int fd) {
  char text[32] = {};
  if (::pread(fd, text, sizeof(text) - 1, 0) <= 0) return -1;
  return std::strtol(text, nullptr, 10);
}

}  // namespace

WriterLock::WriterLock(const fs::path& out) {
  std::error_code error;
  fs::create_directories(out, error);
  fd_ = ::open((out / kLockName).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) {
    throw InputError(out.string() + ": cannot be written: " + std::strerror(errno) +
                     "; choose another folder with --out");
  }
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    const long pid = written_pid(fd_);
    ::close(fd_);
    throw InputError(out.string() + ": another run (process " + std::to_string(pid) +
                     ") is writing there; wait for it, or choose another folder with --out");
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd_, 0) != 0 ||
      ::pwrite(fd_, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    ::close(fd_);
    throw Failure((out / kLockName).string() + ": cannot be written: " + std::strerror(errno));
  }
}

WriterLock::~WriterLock() { ::close(fd_); }

long WriterLock::holder(const fs::path& out) {
  const int fd = ::open((out / kLockName).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const bool held = ::flock(fd, LOCK_SH | LOCK_NB) != 0;
  const long pid = held ? written_pid(fd) : 0;
  ::close(fd);
  return pid;
}

}  // namespace bioptic
