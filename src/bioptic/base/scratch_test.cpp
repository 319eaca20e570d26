#include "bioptic/base/scratch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "bioptic/base/error.h"

namespace bioptic {
namespace {

TEST(ScratchMemory, IsZeroedAndLeavesNoFile) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("bioptic-scratch-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  ::setenv("TMPDIR", folder.c_str(), 1);
  ScratchMemory memory(100000);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  for (std::size_t i = 0; i < memory.size(); ++i) ASSERT_EQ(memory.data()[i], 0);
  memory.data()[99999] = 7;
  ScratchMemory moved = std::move(memory);
  EXPECT_EQ(moved.data()[99999], 7);
  EXPECT_EQ(moved.size(), 100000U);
  ::setenv("TMPDIR", (folder / "absent").c_str(), 1);
  EXPECT_THROW(ScratchMemory(10), Failure);
  ::unsetenv("TMPDIR");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace bioptic
