#include "bioptic/base/streamed_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

class StreamedFileTest : public ::testing::Test {
 protected:
  StreamedFileTest() { fs::create_directories(folder_); }
  ~StreamedFileTest() override { fs::remove_all(folder_); }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }
  fs::path folder_ = fs::temp_directory_path() / ("bioptic-streamed-" + std::to_string(::getpid()));
};

TEST_F(StreamedFileTest, HoldsEveryPieceInOrder) {
  std::string wanted;
  StreamedFile file(folder_ / "new" / "a.csv");
  for (int i = 0; i < 30000; ++i) {  // several buffers
    const std::string piece = std::to_string(i) + "\n";
    file.write(piece);
    wanted += piece;
  }
  EXPECT_FALSE(fs::exists(folder_ / "new" / "a.csv"));
  file.finish();
  EXPECT_EQ(read_file(folder_ / "new" / "a.csv"), wanted);
}

TEST_F(StreamedFileTest, ReplacesAtTheEndOnly) {
  write_file(folder_ / "a.csv", "before");
  {
    StreamedFile file(folder_ / "a.csv");
    file.write("half");
  }
  EXPECT_EQ(read_file(folder_ / "a.csv"), "before");
  EXPECT_EQ(entries(), 1U);
  StreamedFile file(folder_ / "a.csv");
  file.write("after");
  file.finish();
  EXPECT_EQ(read_file(folder_ / "a.csv"), "after");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(StreamedFileTest, SaysWhatCannotBeWritten) {
  try {
    StreamedFile file(fs::path("/proc/none.csv"));
    FAIL() << "was opened";
  } catch (const Failure& e) {
    EXPECT_NE(std::string(e.what()).find("/proc/none.csv: cannot be written"), std::string::npos);
  }
}

}  // namespace
}  // namespace bioptic
