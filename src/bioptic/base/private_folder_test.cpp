#include "bioptic/base/private_folder.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "bioptic/base/error.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

TEST(PrivateFolder, CannotBeGuessedNorEnteredByOthers) {
  const PrivateFolder one("eval"), two("eval");
  for (const PrivateFolder* folder : {&one, &two}) {
    EXPECT_EQ(fs::status(folder->path()).permissions(), fs::perms::owner_all);
    EXPECT_TRUE(is_temporary_folder(folder->path())) << "a later one clears it away";
  }
  // ".eval-<16 random digits>": not the process number and a counter alone.
  const auto random = [](const PrivateFolder& folder) {
    return folder.path().filename().string().substr(6, 16);
  };
  EXPECT_NE(random(one), random(two));
}

TEST(PrivateFolder, GoesAway) {
  std::optional<PrivateFolder> folder(std::in_place, "eval");
  const fs::path path = folder->path();
  EXPECT_TRUE(fs::is_directory(path));
  folder.reset();
  EXPECT_FALSE(fs::exists(path));
}

TEST(PrivateFolder, SaysWhatIsWrongWithTmpdir) {
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TMPDIR", "/nowhere/at/all", 1);
  try {
    const PrivateFolder folder("eval");
    ADD_FAILURE() << "made " << folder.path();
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("TMPDIR"), std::string::npos) << e.what();
  }
  before == nullptr ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", kept.c_str(), 1);
}

}  // namespace
}  // namespace bioptic
