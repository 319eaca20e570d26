#include "bioptic/base/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>
#include <utility>
#include <vector>

#include "bioptic/base/error.h"
#include "bioptic/base/mapped_fault.h"
#include "bioptic/base/temporary_folder.h"

namespace bioptic {
namespace fs = std::filesystem;
namespace {

std::string reason() { return std::strerror(errno); }

// Closes also where an exception passes.
class FileCloser {
 public:
  explicit FileCloser(int fd) : fd_(fd) {}
  ~FileCloser() { ::close(fd_); }
  FileCloser(const FileCloser&) = delete;
  FileCloser& operator=(const FileCloser&) = delete;

 private:
  int fd_;
};

// A file or folder by name, or with syncfs all that its file system has still to write.
void sync_path(const fs::path& path, int (*sync)(int) = ::fsync) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw Failure(path.string() + ": cannot be opened to sync: " + reason());
  const int rc = sync(fd);
  const int error = errno;
  ::close(fd);
  if (rc != 0 && error != EINVAL) {  // EINVAL: a file system without fsync on folders
    throw Failure(path.string() + ": cannot be synced: " + std::strerror(error));
  }
}

// A folder with all it holds.  Thousands of files are synced by their file system at once: each
// fsync waits for the disk's journal, 3 ms a file where the disk is busy.
void sync_folder(const fs::path& folder) {
  constexpr std::size_t kFewFiles = 64;
  std::vector<fs::path> paths;
  std::error_code error;  // with an exception of its own, an iterator names no folder
  for (auto it = fs::recursive_directory_iterator(folder, error);
       !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    paths.push_back(it->path());
    if (paths.size() > kFewFiles) {
      sync_path(folder, ::syncfs);
      return;
    }
  }
  if (error) throw Failure(folder.string() + ": cannot be read to sync: " + error.message());
  for (const fs::path& path : paths) sync_path(path);
  sync_path(folder);
}

std::string command_of(const std::string& process) {
  std::string name;
  std::ifstream in("/proc/" + process + "/comm");
  std::getline(in, name);
  return name;
}

// Whether the temporary file belongs to a process that may still be writing it: another one that
// runs this program.  A process number may have been given again since, also our own.
bool in_use(const fs::path& path) {
  if (is_temporary_folder(path)) return is_held(path);
  const std::string name = path.filename().string();
  const std::size_t begin = name.find(kTemporaryMark) + kTemporaryMark.size();
  const std::string process = name.substr(begin, name.find('-', begin) - begin);
  if (process == std::to_string(::getpid())) return false;
  const std::string command = command_of(process);
  return !command.empty() && command == command_of("self");
}

}  // namespace

fs::path temporary_beside(const fs::path& path) {
  static std::atomic<unsigned> counter{0};
  fs::path name = "." + path.filename().string();
  name += kTemporaryMark;
  name += std::to_string(::getpid()) + "-" + std::to_string(counter++);
  return path.parent_path() / name;
}

void write_file(const fs::path& path, std::string_view content) {
  if (path.has_parent_path()) fs::create_directories(path.parent_path());
  const fs::path temporary = temporary_beside(path);
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) throw Failure(path.string() + ": cannot be written: " + reason());
  std::size_t written = 0;
  while (written < content.size()) {
    const ssize_t n = ::write(fd, content.data() + written, content.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const std::string why = reason();
      ::close(fd);
      ::unlink(temporary.c_str());
      throw Failure(path.string() + ": cannot be written: " + why);
    }
    written += static_cast<std::size_t>(n);
  }
  ::close(fd);
  commit_rename(temporary, path);
}

void commit_rename(const fs::path& temporary, const fs::path& path) {
  if (fs::is_directory(temporary)) {
    sync_folder(temporary);
  } else {
    sync_path(temporary);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    throw Failure(path.string() + ": cannot be put in place: " + reason());
  }
  sync_path(path.has_parent_path() ? path.parent_path() : fs::path("."));
}

void remove_stale_temporaries(const fs::path& folder) {
  std::vector<fs::path> stale;
  std::error_code ignored;
  for (auto it = fs::recursive_directory_iterator(
           folder, fs::directory_options::skip_permission_denied, ignored);
       it != fs::recursive_directory_iterator(); it.increment(ignored)) {
    if (it->path().filename().string().find(kTemporaryMark) != std::string::npos) {
      if (!in_use(it->path())) stale.push_back(it->path());
      if (it->is_directory(ignored)) it.disable_recursion_pending();
    }
  }
  for (const fs::path& path : stale) {
    // A helper program of the killed run may take a moment to die, and write until then.
    for (int attempt = 0; attempt < 50; ++attempt) {
      if (is_temporary_folder(path)) {
        remove_unless_held(path);
      } else {
        fs::remove_all(path, ignored);
      }
      if (!fs::exists(fs::symlink_status(path, ignored))) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
}

void remove_stale_beside(const fs::path& path) {
  const std::string begin = "." + path.filename().string() + std::string(kTemporaryMark);
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::vector<fs::path> stale;
  std::error_code ignored;
  for (auto it = fs::directory_iterator(folder, ignored);
       !ignored && it != fs::directory_iterator(); it.increment(ignored)) {
    if (!it->path().filename().string().starts_with(begin)) continue;
    if (it->is_regular_file(ignored) && !in_use(it->path())) stale.push_back(it->path());
  }
  for (const fs::path& file : stale) fs::remove(file, ignored);
}

std::string read_file(const fs::path& path) {
  // To open a pipe that nobody writes to would wait for ever, and a device may have no end.
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    throw InputError(path.string() + ": is not a regular file");
  }
  // Not by a stream, which takes a disk's error for the end of the file.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw InputError(path.string() + ": cannot be opened: " + reason());
  const FileCloser closer(fd);
  std::string text;
  std::array<char, 1U << 16> block;
  while (true) {
    const ssize_t n = ::read(fd, block.data(), block.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw InputError(path.string() + ": cannot be read: " + reason());
    if (n == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(n));
  }
}

MappedFile::MappedFile(const fs::path& path) {
  // Not blocking: to open a pipe that nobody writes to would wait for ever.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) throw InputError(path.string() + ": cannot be opened: " + reason());
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    throw InputError(path.string() + ": is not a regular file");
  }
  size_ = static_cast<std::size_t>(info.st_size);
  if (size_ > 0) {
    void* map = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
      const std::string why = reason();
      ::close(fd);
      throw Failure(path.string() + ": cannot be mapped: " + why);
    }
    data_ = static_cast<const std::uint8_t*>(map);
    remember_mapped(data_, size_, path.string());
  }
  ::close(fd);
}

MappedFile::~MappedFile() {
  if (data_ == nullptr) return;
  forget_mapped(data_);
  ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace bioptic
