// Memory that lies in a file: for what grows with the number of images and need not stay in memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bioptic {

// Zeroed memory to write to, mapped from a temporary file that has no name any more, so that it
// goes away with this object or the process, however that ends.  The system may write its pages out
// and take them back.  The file lies in $TMPDIR, else in /var/tmp (which is on a disk where /tmp
// may be in memory), else in /tmp.
class ScratchMemory {
 public:
  ScratchMemory() = default;
  // Throws Failure naming the folder when there is no room; room is reserved, so that writing
  // cannot fail later.
  explicit ScratchMemory(std::size_t bytes);
  ~ScratchMemory();
  ScratchMemory(ScratchMemory&& other) noexcept;
  ScratchMemory& operator=(ScratchMemory&& other) noexcept;
  ScratchMemory(const ScratchMemory&) = delete;
  ScratchMemory& operator=(const ScratchMemory&) = delete;

  std::uint8_t* data() { return data_; }
  const std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace bioptic
