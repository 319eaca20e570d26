// GDCM makes room for whatever length an element states, up to 4 GiB in a file of a hundred bytes.
// So this process may grow by what such a file can need, and no further.
#pragma once

#include <cstdint>

namespace bioptic::dicom {

class MemoryLimit {
 public:
  // For the file at `path`, before its pixels.
  explicit MemoryLimit(const char* path);
  // `bytes` of pixels more.
  void allow(std::uint64_t bytes) const;

 private:
  std::uint64_t bytes_ = 0;  // 0: the system does not say what is used now
};

}  // namespace bioptic::dicom
