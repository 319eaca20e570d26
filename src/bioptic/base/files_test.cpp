#include "bioptic/base/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "bioptic/base/error.h"
#include "bioptic/base/mapped_fault.h"
#include "bioptic/base/nesting.h"
#include "bioptic/base/temporary_folder.h"

namespace bioptic {
namespace {
namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  fs::path folder_ = fs::temp_directory_path() / ("bioptic-files-" + std::to_string(::getpid()));
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
};

TEST_F(Files, WriteReadAndReplace) {
  const fs::path path = folder_ / "deep" / "file.txt";
  write_file(path, "one");
  EXPECT_EQ(read_file(path), "one");
  write_file(path, "two");
  EXPECT_EQ(read_file(path), "two");
  std::size_t entries = 0;
  for (const auto& entry : fs::directory_iterator(path.parent_path())) {
    (void)entry;
    ++entries;
  }
  EXPECT_EQ(entries, 1U) << "a temporary file was left";
}

TEST_F(Files, StaleTemporariesGoAndNothingElse) {
  write_file(folder_ / "a" / "keep.txt", "x");
  const fs::path stale = temporary_beside(folder_ / "a" / "keep.txt");
  std::ofstream(stale) << "half";
  fs::create_directories(temporary_beside(folder_ / "dataset") / "inside");
  remove_stale_temporaries(folder_);
  EXPECT_TRUE(fs::exists(folder_ / "a" / "keep.txt"));
  EXPECT_FALSE(fs::exists(stale));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(Files, TemporariesOfARunningProcessStay) {
  const auto beside = [&](int process) {
    return folder_ / (".x" + std::string(kTemporaryMark) + std::to_string(process) + "-0");
  };
  const pid_t child = ::fork();  // the same program, alive
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  std::ofstream(beside(child)) << "half";
  std::ofstream(beside(1)) << "half";  // alive, but another program
  remove_stale_temporaries(folder_);
  EXPECT_TRUE(fs::exists(beside(child)));
  EXPECT_FALSE(fs::exists(beside(1)));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  remove_stale_temporaries(folder_);
  EXPECT_FALSE(fs::exists(beside(child)));
}

// By the lock alone: neither a living process with the number nor a dead one says anything.
TEST_F(Files, TemporaryFoldersGoWhenNobodyHoldsThem) {
  const fs::path dead = folder_ / (".x" + std::string(kTemporaryMark) + "1-0-held");
  const fs::path unlocked = folder_ / (".x" + std::string(kTemporaryMark) + "1-0");
  fs::create_directories(dead / "inside");
  fs::create_directories(unlocked);
  {
    const int held = ::open(dead.c_str(), O_RDONLY | O_DIRECTORY);
    ASSERT_EQ(::flock(held, LOCK_SH), 0);
    const TemporaryFolder first(folder_ / "new" / "dataset");
    const TemporaryFolder mine(folder_ / "dataset");
    const TemporaryFolder other(folder_ / "dataset");
    EXPECT_TRUE(fs::exists(dead));
    EXPECT_TRUE(fs::exists(mine.path()));
    remove_stale_temporaries(folder_);
    EXPECT_TRUE(fs::exists(dead));
    EXPECT_TRUE(fs::exists(mine.path()) && fs::exists(other.path()) && fs::exists(first.path()));
    EXPECT_FALSE(fs::exists(unlocked));
    ::close(held);
    EXPECT_FALSE(is_held(dead));
    EXPECT_TRUE(is_held(mine.path()));
  }
  fs::create_directories(unlocked);
  TemporaryFolder next(folder_ / "dataset");
  EXPECT_FALSE(fs::exists(dead));
  EXPECT_TRUE(fs::exists(unlocked)) << "has no lock to go by";
  write_file(next.path() / "x", "kept");
  next.become(folder_ / "dataset");
  EXPECT_EQ(read_file(folder_ / "dataset" / "x"), "kept");
}

TEST_F(Files, OnlyRegularFilesAreRead) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  fs::create_symlink("/dev/zero", folder_ / "zero");
  for (const char* name : {"pipe", "zero", "."}) {
    try {
      read_file(folder_ / name);
      ADD_FAILURE() << name;
    } catch (const InputError& e) {
      EXPECT_NE(std::string(e.what()).find("is not a regular file"), std::string::npos);
    }
  }
}

// A regular file whose first byte is an error of its disk; a stream takes it for an empty one.
TEST_F(Files, AnErrorOfTheDiskIsNoEndOfAFile) {
  try {
    read_file("/proc/self/mem");
    ADD_FAILURE() << "was read";
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("cannot be read: Input/output error"), std::string::npos)
        << e.what();
  }
}

TEST(Nesting, CountsBracketsOutsideOfStrings) {
  const auto nested = [](int levels) { return std::string(static_cast<std::size_t>(levels), '['); };
  EXPECT_FALSE(nested_too_deeply(nested(kMostNesting)));
  EXPECT_TRUE(nested_too_deeply(nested(kMostNesting + 1)));
  EXPECT_TRUE(nested_too_deeply("{\"a\": \"\\\"\", \"b\": " + nested(kMostNesting)));
  EXPECT_FALSE(nested_too_deeply("[\"" + nested(1000) + "\\\"" + nested(1000) + "\"]"));
  std::string flat;
  for (int i = 0; i < 1000; ++i) flat += "[]{}";
  EXPECT_FALSE(nested_too_deeply(flat));
}

TEST_F(Files, MapsAFileAndNamesAMissingOne) {
  write_file(folder_ / "data", "abc");
  const MappedFile map(folder_ / "data");
  ASSERT_EQ(map.size(), 3U);
  EXPECT_EQ(map.data()[2], 'c');
  try {
    MappedFile missing(folder_ / "nothing");
    FAIL();
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("nothing"), std::string::npos);
  }
  EXPECT_THROW(read_file(folder_ / "nothing"), InputError);
}

// In a process of its own, which the fault ends.
TEST_F(Files, AMappedFileThatIsCutOffIsNamed) {
  const fs::path path = folder_ / "mapped";
  write_file(path, std::string(100000, 'x'));
  const auto read_behind_the_end = [&](const fs::path& cut) {
    report_mapped_faults();
    const MappedFile other(folder_ / "other");
    const MappedFile file(path);
    if (::truncate(cut.c_str(), 10) != 0) ::_exit(3);
    for (std::size_t i = 0; i < file.size(); i += 64) {
      if (file.data()[i] == 'y') ::_exit(4);
    }
    ::_exit(0);
  };
  write_file(folder_ / "other", std::string(100000, 'x'));
  EXPECT_EXIT(read_behind_the_end(path), ::testing::ExitedWithCode(1),
              "error: [^\n]*/mapped: was cut off while it was read");
  write_file(path, std::string(100000, 'x'));
  EXPECT_EXIT(read_behind_the_end(folder_ / "other"), ::testing::ExitedWithCode(0), "");
}

// A fault that is nobody's is left to the system.
TEST_F(Files, AFaultElsewhereStaysASignal) {
  const fs::path path = folder_ / "elsewhere";
  write_file(path, std::string(100000, 'x'));
  const auto fault = [&] {
    report_mapped_faults();
    const int fd = ::open(path.c_str(), O_RDONLY);
    const auto* map =
        static_cast<const char*>(::mmap(nullptr, 100000, PROT_READ, MAP_SHARED, fd, 0));
    if (::truncate(path.c_str(), 10) != 0) ::_exit(3);
    ::_exit(map[50000] == 'x' ? 0 : 5);
  };
  EXPECT_EXIT(fault(), ::testing::KilledBySignal(SIGBUS), "");
}

}  // namespace
}  // namespace bioptic
