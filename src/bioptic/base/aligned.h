// A fixed-size array aligned to 64 bytes (one cache line, one AVX-512 vector), zeroed.  Large ones
// ask for huge pages: a training step walks the whole of the weights and moments, and with pages of
// 4 KiB every 64 floats of each of the three arrays cost a look-up in the page table.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

namespace bioptic {

template <typename T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size) : size_(size) {
    const std::size_t bytes = size * sizeof(T);
    const std::size_t align = bytes >= 2 * kHugePage ? kHugePage : kCacheLine;
    data_ = {static_cast<T*>(::operator new (bytes == 0 ? 1 : bytes, std::align_val_t{align})),
             Free{align}};
    if (align == kHugePage) {
      ::madvise(data_.get(), bytes, MADV_HUGEPAGE);  // advice; nothing is lost when it is refused
    }
    std::memset(static_cast<void*>(data_.get()), 0, bytes);
  }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_.get()[i]; }
  const T& operator[](std::size_t i) const { return data_.get()[i]; }
  std::span<T> span() { return {data(), size_}; }
  std::span<const T> span() const { return {data(), size_}; }

 private:
  static constexpr std::size_t kCacheLine = 64, kHugePage = std::size_t{1} << 21;
  struct Free {
    std::size_t align = kCacheLine;
    void operator()(T* p) const {
      ::operator delete (static_cast<void*>(p), std::align_val_t{align});
    }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace bioptic
