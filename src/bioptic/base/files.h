// Files that are there entirely or not at all, and read-only memory maps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace bioptic {

// Every temporary name this program makes contains this, so that a later run can clear what a
// killed one left behind.
inline constexpr std::string_view kTemporaryMark = ".bioptic-tmp-";

// A temporary name beside `path`, unique to this process and call.
std::filesystem::path temporary_beside(const std::filesystem::path& path);

// Writes `content` to a temporary name beside `path`, syncs it, renames it over `path` and syncs
// the folder.  Parent folders are made.  Throws Failure naming the path and the system's reason.
void write_file(const std::filesystem::path& path, std::string_view content);

// Syncs a finished temporary file (or folder: every file in it) and renames it to `path`.
void commit_rename(const std::filesystem::path& temporary, const std::filesystem::path& path);

// Removes the temporary files and folders directly in `folder` and below it that are marked with
// kTemporaryMark, but for those of other processes of this program that still run.  Call before
// this process makes its own there.
void remove_stale_temporaries(const std::filesystem::path& folder);

// The same for what a killed write_file(path) left beside `path`, and nothing else there.
void remove_stale_beside(const std::filesystem::path& path);

// Whole regular file as text.  Throws InputError naming the path.
std::string read_file(const std::filesystem::path& path);

// A whole file mapped read-only.  Throws InputError when it cannot be opened.
class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  const std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace bioptic
