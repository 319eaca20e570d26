// Named random streams: Philox4x32-10 (Salmon et al., SC 2011), a counter-based generator, with its
// key derived from (seed, stream name).  The project's own uniform, bounded-integer, normal and
// shuffle, because std:: distributions differ between standard libraries.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace bioptic {

// One block of Philox4x32-10: 128 random bits for a 128-bit counter under a 64-bit key.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

class RandomStream {
 public:
  // The same (seed, name) gives the same numbers on every machine; different names are independent
  // streams.  The key is the first 8 bytes of SHA-256("bioptic stream\0" name "\0" seed as
  // decimal).
  RandomStream(std::uint64_t seed, std::string_view name);

  std::uint32_t bits32();
  std::uint64_t bits64();
  double uniform();       // [0, 1), 53 bits
  float uniform_float();  // [0, 1), 24 bits
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  std::uint64_t below(std::uint64_t n);  // 0 .. n-1 without bias (Lemire 2019); n >= 1
  double normal();                       // mean 0, sd 1 (Marsaglia polar, own logarithm)

  // What philox4x32 makes the stream's blocks with, counted from 0: for code that makes many at
  // once.
  std::array<std::uint32_t, 2> key() const { return key_; }

  template <typename T>
  void shuffle(std::span<T> items) {  // Fisher-Yates, from the last item down
    for (std::size_t i = items.size(); i > 1; --i) {
      std::swap(items[i - 1], items[static_cast<std::size_t>(below(i))]);
    }
  }

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint64_t block_ = 0;  // the next counter value
  std::array<std::uint32_t, 4> buffer_{};
  unsigned used_ = 4;  // words of buffer_ already handed out
  double spare_normal_ = 0;
  bool has_spare_ = false;
};

}  // namespace bioptic
