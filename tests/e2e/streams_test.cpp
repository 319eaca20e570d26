// Standard output and standard error that cannot be written: the work is done all the same, the
// exit code is right, and nothing is written into a file that happened to get their number.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>

#include <cstdlib>

#include "workspace.h"

namespace e2e {
namespace {

namespace fs = std::filesystem;

class Streams : public Workspace {
 protected:
  // The exit code (128 + signal) of the program under a shell with those redirections.
  int shell(const std::string& arguments, const std::string& redirections) const {
    std::string command = "exec ";
    const char* other = std::getenv("BIOPTIC_E2E_PROGRAM");
    command += other != nullptr ? other : BIOPTIC_PROGRAM;
    for (const std::string& word : words(arguments)) command += " '" + word + "'";
    const int status = std::system((command + " " + redirections).c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
};

TEST_F(Streams, StandardErrorThatIsFullOrClosedChangesNoExitCode) {
  make_images("images", 6);
  make_study("s");
  for (const char* bad : {"2>/dev/full", "2>&-", "0<&- 2>&-"}) {
    SCOPED_TRACE(bad);
    const std::string quiet = std::string(">/dev/null ") + bad;
    EXPECT_EQ(shell("run @absent.toml --out @runs", quiet), 2);
    EXPECT_EQ(shell("data import @images @d --colour nonsense", quiet), 2);
    EXPECT_EQ(shell("run @s.toml --seeds 2 --out @runs", quiet), 0);
    const std::string lock = read(at("runs") / ".bioptic.lock");
    EXPECT_EQ(lock, std::to_string(std::atol(lock.c_str())) + "\n");  // a process number alone
    fs::remove_all(at("runs"));
  }
}

TEST_F(Streams, OutputThatWasAskedForAndIsLostIsAFailure) {
  make_images("images", 6);
  make_study("s");
  ASSERT_EQ(bioptic("run @s.toml --seeds 2 --out @runs").code, 0);
  for (const char* bad : {">/dev/full", ">&-"}) {
    SCOPED_TRACE(bad);
    for (const char* err : {" 2>@err", " 2>/dev/full", " 2>&-"}) {
      std::string redirections = std::string(bad) + err;
      if (const std::size_t at_sign = redirections.find('@'); at_sign != std::string::npos) {
        redirections.replace(at_sign, 1, folder_.string() + "/");
      }
      EXPECT_EQ(shell("status @runs", redirections), 1) << redirections;
      EXPECT_EQ(shell("run @s.toml --seeds 2 --out @runs", redirections), 1) << redirections;
    }
    EXPECT_NE(read(at("err")).find("standard output cannot be written: "), std::string::npos);
  }
  // The trials were trained and the report was written, though nobody was told.
  EXPECT_EQ(shell("run @s.toml --seeds 3 --out @new", ">/dev/full 2>/dev/null"), 1);
  EXPECT_TRUE(fs::exists(at("new/s/report.html")));
}

TEST_F(Streams, ATemporaryFolderThatDoesNotExistIsNamed) {
  make_images("images", 6);
  ::setenv("TMPDIR", "/nowhere/at all", 1);
  EXPECT_EQ(shell("data audit @images", ">/dev/null 2>" + at("err").string()), 2);
  ::unsetenv("TMPDIR");
  EXPECT_NE(read(at("err")).find("/nowhere/at all: is no folder for temporary files"),
            std::string::npos)
      << read(at("err"));
}

}  // namespace
}  // namespace e2e
