#include "bioptic/data/dicom_plugin/memory_limit.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace bioptic::dicom {
namespace {

// A header's elements take up to some four times their bytes as GDCM's objects; what the libraries
// need anyhow is far below 128 MiB.
constexpr std::uint64_t kPerFileByte = 4, kAnyhow = std::uint64_t{128} << 20;
// OpenJPEG, the hungriest decoder, holds four bytes for every value; GDCM copies what comes out.
constexpr std::uint64_t kPerPixelByte = 8;

}  // namespace

MemoryLimit::MemoryLimit(const char* path) {
  std::ifstream in("/proc/self/statm");  // size resident shared text lib data, in pages
  std::uint64_t pages = 0;
  for (int field = 0; field < 6; ++field) in >> pages;
  if (!in) return;
  struct stat info {};
  if (::stat(path, &info) != 0) return;
  bytes_ = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + kAnyhow +
           kPerFileByte * static_cast<std::uint64_t>(info.st_size);
  allow(0);
}

void MemoryLimit::allow(std::uint64_t bytes) const {
  rlimit limit{};
  if (bytes_ == 0 || ::getrlimit(RLIMIT_DATA, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(bytes_ + kPerPixelByte * bytes, limit.rlim_max);
  ::setrlimit(RLIMIT_DATA, &limit);
}

}  // namespace bioptic::dicom
