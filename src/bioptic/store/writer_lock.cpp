#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "bioptic/base/error.h"
#include "bioptic/store/store.h"

namespace bioptic {
namespace fs = std::filesystem;
namespace {

constexpr const char* kLockName = ".bioptic.lock";

// Open-file-description locks: they end with the process however it ends, belong to the open file
// and not to the process, and can be asked about without being taken, so that `status` never stands
// in the way of a run that begins at that moment.
struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

long written_pid(int fd) {
  char text[32] = {};
  if (::pread(fd, text, sizeof(text) - 1, 0) <= 0) return -1;
  return std::strtol(text, nullptr, 10);
}

std::string held_by(const fs::path& out, long pid) {
  return out.string() + ": another run (process " + std::to_string(pid) +
         ") is writing there; wait for it, or choose another folder with --out";
}

}  // namespace

WriterLock::WriterLock(const fs::path& out) {
  const auto fail = [&](const std::string& why) {
    throw InputError(out.string() + ": cannot be written: " + why +
                     "; choose another folder with --out");
  };
  std::error_code error;
  if (!fs::create_directories(out, error) && error) fail(error.message());
  fd_ = ::open((out / kLockName).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) fail(std::strerror(errno));
  struct flock lock = whole_file();
  if (::fcntl(fd_, F_OFD_SETLK, &lock) != 0) {
    const long pid = written_pid(fd_);
    ::close(fd_);
    throw InputError(held_by(out, pid));
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd_, 0) != 0 ||
      ::pwrite(fd_, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    const std::string why = std::strerror(errno);
    ::close(fd_);
    throw Failure((out / kLockName).string() + ": cannot be written: " + why);
  }
}

WriterLock::~WriterLock() { ::close(fd_); }

long WriterLock::holder(const fs::path& out) {
  const int fd = ::open((out / kLockName).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  struct flock lock = whole_file();
  const bool held = ::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  const long pid = held ? written_pid(fd) : 0;
  ::close(fd);
  return pid;
}

void WriterLock::require_free(const fs::path& out) {
  if (const long pid = holder(out); pid != 0) throw InputError(held_by(out, pid));
}

}  // namespace bioptic
