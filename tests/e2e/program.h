// Starts the built program and waits for it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace e2e {

struct Outcome {
  int code = -1;  // exit code; 128 + signal when a signal ended it
  std::string out, err;
};

// A running program.  Killed by the destructor when nobody waited for it.
class Program {
 public:
  // `scratch`: a folder for what it prints, and for its cache ($BIOPTIC_CACHE).
  Program(const std::vector<std::string>& arguments, const std::filesystem::path& scratch);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  bool running();  // false once it ended
  Outcome wait();
  std::string printed_errors() const;  // so far

 private:
  void take(int status);
  std::filesystem::path out_, err_;
  pid_t pid_ = -1;
  bool ended_ = false;
  int code_ = -1;
};

Outcome run_program(const std::vector<std::string>& arguments,
                    const std::filesystem::path& scratch);

}  // namespace e2e
