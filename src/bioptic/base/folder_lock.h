// One process at a time in a folder.
#pragma once

#include <filesystem>

namespace bioptic {

// Waits until no other FolderLock holds `folder` (which is made), and holds it while it lives.  It
// ends with the process, leaves no file, and holds nothing on a file system without locks.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace bioptic
