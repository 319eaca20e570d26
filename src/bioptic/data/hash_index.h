// Finds the hashes near to a hash without looking at all of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace bioptic {

using Hash256 = std::array<std::uint64_t, 4>;

int differing_bits(const Hash256& a, const Hash256& b);

// Multi-index hashing (Norouzi, Punjani and Fleet, CVPR 2012): the bits are dealt to 16 bands of
// 16; two hashes that differ in at most 31 bits differ in at most one bit of some band, so that 17
// lookups a band find every one of them.
class HashIndex {
 public:
  static constexpr int kMostBits = 31;

  // `hashes` must outlive the index.  skip[i] != 0: never found.
  HashIndex(std::span<const Hash256> hashes, std::span<const char> skip);

  // Indices of all hashes that differ from `hash` in at most `most` <= kMostBits bits, ascending.
  std::vector<std::uint32_t> within(const Hash256& hash, int most) const;

 private:
  static constexpr std::size_t kBands = 16, kValues = 1U << 16;
  using Bands = std::array<std::uint16_t, kBands>;
  static Bands bands_of(const Hash256& hash);
  std::span<const std::uint32_t> bucket(std::size_t band, std::uint32_t value) const;

  std::span<const Hash256> hashes_;
  std::vector<std::uint32_t> all_;                          // indices that may be found
  std::array<std::vector<std::uint32_t>, kBands> starts_;   // by value: where its bucket begins
  std::array<std::vector<std::uint32_t>, kBands> members_;  // indices, bucket by bucket
};

}  // namespace bioptic
