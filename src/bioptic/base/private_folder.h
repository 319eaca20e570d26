// A folder for intermediate files where other users have theirs: in $TMPDIR, or else in /tmp.
#pragma once

#include <filesystem>
#include <string_view>

#include "bioptic/base/temporary_folder.h"

namespace bioptic {

// Goes away as a TemporaryFolder does.  Its name cannot be guessed, so nobody can have put
// something in its place, and nobody else may enter it: images of patients lie in it.
class PrivateFolder {
 public:
  // what: begins its name, "eval".  Throws InputError where $TMPDIR is no folder, and
  // std::filesystem::filesystem_error where nothing can be made in it.
  explicit PrivateFolder(std::string_view what);

  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

}  // namespace bioptic
