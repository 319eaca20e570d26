// What the sanitizers report in processes that the code under test forks.  libFuzzer does not see
// it, but for each death there it would keep the input; that a process is refused memory, which
// under ASan ends it, is what shall happen to a file that asks for too much.
#pragma once

#ifdef __clang__
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

namespace bioptic {

class ChildReports {
 public:
  ChildReports() {
    std::filesystem::create_directories(folder());
    ::pthread_atfork(nullptr, nullptr, [] {
      __sanitizer_set_death_callback(nullptr);
      __sanitizer_set_report_path((folder() / "report").c_str());
    });
  }
  // Prints a report that is not of refused memory, and aborts, so that libFuzzer keeps the input.
  void look() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder())) {
      std::ifstream in(entry.path());
      std::string line, text;
      bool bad = false;
      while (std::getline(in, line)) {
        text += line + "\n";
        bad = bad || (is_error(line) && !is_of_memory(line));
      }
      std::filesystem::remove(entry.path());
      if (!bad) continue;
      std::cerr << text;
      std::abort();
    }
  }

 private:
  static std::filesystem::path folder() {
    return std::filesystem::temp_directory_path() / ("reports-" + std::to_string(owner()));
  }
  static pid_t owner() {
    static const pid_t process = ::getpid();
    return process;
  }
  static bool is_error(const std::string& line) {
    return line.find("ERROR") != std::string::npos ||
           line.find("runtime error") != std::string::npos;
  }
  static bool is_of_memory(const std::string& line) {
    for (const char* kind : {"out-of-memory", "allocation-size-too-big", "out of memory",
                             "Failed to mmap", "failed to allocate"}) {
      if (line.find(kind) != std::string::npos) return true;
    }
    return false;
  }
};

}  // namespace bioptic

#else

namespace bioptic {
struct ChildReports {  // replays look at crashes alone
  void look() const {}
};
}  // namespace bioptic

#endif
