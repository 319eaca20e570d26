// A folder for intermediate files that goes away with the object, also when an exception passes.
#pragma once

#include <filesystem>
#include <system_error>

#include "bioptic/base/files.h"

namespace bioptic {

class TemporaryFolder {
 public:
  // Made beside `target`, under a name that clean-ups know as temporary.  Throws
  // std::filesystem::filesystem_error where it cannot be made.
  explicit TemporaryFolder(const std::filesystem::path& target) : path_(temporary_beside(target)) {
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace bioptic
