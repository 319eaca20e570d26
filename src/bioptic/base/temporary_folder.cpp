#include "bioptic/base/temporary_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <new>
#include <string_view>
#include <system_error>
#include <vector>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"

namespace bioptic {
namespace fs = std::filesystem;
namespace {

// What their names end with, so that a clean-up does not ask for the lock of a folder without one.
constexpr std::string_view kEnd = "-held";

int open_folder(const fs::path& folder) {
  return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

bool lock(int fd, int kind) {
  int rc = 0;
  do {
    rc = ::flock(fd, kind);
  } while (rc != 0 && errno == EINTR);
  return rc == 0;
}

// Fails while the owner has it, and where the file system has no locks.
bool lock_alone(int fd) { return lock(fd, LOCK_EX | LOCK_NB); }

void remove_left_behind(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    if (is_temporary_folder(it->path())) found.push_back(it->path());
  }
  for (const fs::path& path : found) remove_unless_held(path);
}

}  // namespace

fs::path temporary_root() {
  const char* set = std::getenv("TMPDIR");
  fs::path root = set != nullptr && *set != '\0' ? set : "/tmp";
  std::error_code error;
  if (!fs::is_directory(root, error)) {
    throw InputError(root.string() +
                     ": is no folder for temporary files; set TMPDIR to one that exists");
  }
  return root;
}

bool is_temporary_folder(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.find(kTemporaryMark) != std::string::npos && name.ends_with(kEnd);
}

bool is_held(const fs::path& folder) {
  const int fd = open_folder(folder);
  if (fd < 0) return errno != ENOENT;
  const bool free = lock_alone(fd);
  ::close(fd);
  return !free;
}

void remove_unless_held(const fs::path& folder) {
  const int fd = open_folder(folder);
  if (fd < 0) return;
  std::error_code ignored;
  if (lock_alone(fd)) fs::remove_all(folder, ignored);
  ::close(fd);
}

TemporaryFolder::TemporaryFolder(const fs::path& target) {
  const fs::path parent = target.parent_path();
  if (!parent.empty()) fs::create_directories(parent);
  remove_left_behind(parent.empty() ? fs::path(".") : parent);
  while (true) {
    path_ = temporary_beside(target);
    path_ += kEnd;
    if (!fs::create_directory(path_)) continue;  // somebody's with our process number
    lock_ = open_folder(path_);
    // Shared, because a network file system gives no other lock without the right to write.  Where
    // there are no locks, nobody can remove the folder by one.
    if (lock_ >= 0) lock(lock_, LOCK_SH);
    // A clean-up may have come between the making and the locking.
    if (fs::exists(path_)) return;
    if (lock_ >= 0) ::close(lock_);
    lock_ = -1;
  }
}

TemporaryFolder::~TemporaryFolder() {
  try {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  } catch (const std::bad_alloc&) {
    // The next one made beside it clears it away.
  }
  if (lock_ >= 0) ::close(lock_);
}

void TemporaryFolder::become(const fs::path& place) { commit_rename(path_, place); }

}  // namespace bioptic
