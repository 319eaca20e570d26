// A folder for intermediate files that goes away with the object, also when an exception passes,
// and that the next one made beside it clears away when its process was killed.
#pragma once

#include <filesystem>

namespace bioptic {

class TemporaryFolder {
 public:
  // Made beside `target` (whose parent folders are made), under a name that clean-ups know as
  // temporary, and locked as long as this object lives.  Before that, folders of this class beside
  // `target` that nobody holds are removed: their processes are dead.  Throws
  // std::filesystem::filesystem_error where it cannot be made.
  explicit TemporaryFolder(const std::filesystem::path& target);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  // Syncs what is in it and renames it to `place`, where it stays.
  void become(const std::filesystem::path& place);

 private:
  std::filesystem::path path_;
  int lock_ = -1;  // open as long as the folder is used
};

// $TMPDIR, or /tmp where it is not set.  Throws InputError where that is no folder.
std::filesystem::path temporary_root();

// Whether the name is one of a TemporaryFolder.
bool is_temporary_folder(const std::filesystem::path& path);

// Whether the process that made it may be using it still.  By its lock, not by the process number
// in its name: the number may have been given again, or belong to another machine or container.
bool is_held(const std::filesystem::path& folder);

// Removes a folder of that kind unless somebody holds it.
void remove_unless_held(const std::filesystem::path& folder);

}  // namespace bioptic
