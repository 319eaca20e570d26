// A file that is written piece by piece and is there entirely or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace bioptic {

// As write_file(), for content that is never in memory as a whole.  Without finish() nothing is
// left behind.  Functions throw Failure naming the path and the system's reason.
class StreamedFile {
 public:
  explicit StreamedFile(std::filesystem::path path);  // makes parent folders
  ~StreamedFile();
  StreamedFile(const StreamedFile&) = delete;
  StreamedFile& operator=(const StreamedFile&) = delete;

  void write(std::string_view piece);
  // Syncs what was written and puts it in place of `path`.
  void finish();

 private:
  void flush();
  [[noreturn]] void fail() const;

  std::filesystem::path path_, temporary_;
  int fd_ = -1;
  std::string buffer_;
};

}  // namespace bioptic
