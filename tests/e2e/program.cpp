#include "program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

extern char** environ;

namespace e2e {
namespace fs = std::filesystem;
namespace {

std::string content(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace

Program::Program(const std::vector<std::string>& arguments, const fs::path& scratch) {
  // BIOPTIC_E2E_PROGRAM: another build of the program.
  const char* other = std::getenv("BIOPTIC_E2E_PROGRAM");
  std::vector<std::string> words = {other != nullptr ? other : BIOPTIC_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  static int number = 0;
  out_ = scratch / fmt::format("out-{}.txt", number);
  err_ = scratch / fmt::format("err-{}.txt", number++);
  std::string cache = "BIOPTIC_CACHE=" + (scratch / "cache").string();
  std::vector<char*> variables;
  for (char** v = environ; *v != nullptr; ++v) {
    if (std::strncmp(*v, "BIOPTIC_CACHE=", 14) != 0) variables.push_back(*v);
  }
  variables.push_back(cache.data());
  variables.push_back(nullptr);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_addopen(&files, 2, err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const int rc = posix_spawn(&pid_, argv[0], &files, nullptr, argv.data(), variables.data());
  posix_spawn_file_actions_destroy(&files);
  if (rc != 0) throw std::runtime_error(words[0] + ": " + std::strerror(rc));
}

Program::~Program() {
  if (ended_) return;
  signal(SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
}

void Program::signal(int number) const { ::kill(pid_, number); }

void Program::take(int status) {
  ended_ = true;
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool Program::running() {
  int status = 0;
  if (!ended_ && ::waitpid(pid_, &status, WNOHANG) == pid_) take(status);
  return !ended_;
}

Outcome Program::wait() {
  int status = 0;
  if (!ended_) {
    ::waitpid(pid_, &status, 0);
    take(status);
  }
  return {code_, content(out_), content(err_)};
}

std::string Program::printed_errors() const { return content(err_); }

Outcome run_program(const std::vector<std::string>& arguments, const fs::path& scratch) {
  return Program(arguments, scratch).wait();
}

}  // namespace e2e
