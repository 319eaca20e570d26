#include "bioptic/data/hash_index.h"

#include <gtest/gtest.h>

#include "bioptic/base/random.h"

namespace bioptic {
namespace {

Hash256 random_hash(RandomStream& stream) {
  return {stream.bits64(), stream.bits64(), stream.bits64(), stream.bits64()};
}
Hash256 with_flipped(Hash256 hash, int bits, RandomStream& stream) {
  std::vector<std::size_t> places(256);
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = i;
  stream.shuffle(std::span(places));
  for (int k = 0; k < bits; ++k) {
    const std::size_t place = places[static_cast<std::size_t>(k)];
    hash[place / 64] ^= std::uint64_t{1} << (place % 64);
  }
  return hash;
}

// Against looking at all: random hashes, and crowds of every distance around some of them.
TEST(HashIndex, FindsExactlyWhatLookingAtAllFinds) {
  RandomStream stream(1, "hash index");
  for (const bool alike : {false, true}) {
    std::vector<Hash256> hashes;
    for (int i = 0; i < 400; ++i) {
      Hash256 hash = random_hash(stream);
      if (alike) hash = {hash[0] & 0xFF, 0, 0, hash[3] & hash[1] & hash[2]};  // most bits shared
      hashes.push_back(hash);
    }
    for (int i = 0; i < 20; ++i) {
      for (int bits = 0; bits <= 40; ++bits) {
        hashes.push_back(with_flipped(hashes[static_cast<std::size_t>(i)], bits, stream));
      }
    }
    std::vector<char> skip(hashes.size());
    for (std::size_t i = 0; i < skip.size(); i += 7) skip[i] = 1;
    const HashIndex index(hashes, skip);
    for (const int most : {0, 3, 16, 28, HashIndex::kMostBits}) {
      for (std::size_t q = 0; q < hashes.size(); q += 5) {
        std::vector<std::uint32_t> expected;
        for (std::uint32_t i = 0; i < hashes.size(); ++i) {
          if (skip[i] == 0 && differing_bits(hashes[i], hashes[q]) <= most) expected.push_back(i);
        }
        ASSERT_EQ(index.within(hashes[q], most), expected) << most << ' ' << q;
      }
    }
  }
}

TEST(HashIndex, OfNothingFindsNothing) {
  const std::vector<Hash256> hashes(3);
  EXPECT_TRUE(HashIndex(hashes, std::vector<char>{1, 1, 1}).within({}, 28).empty());
  EXPECT_TRUE(HashIndex({}, {}).within({}, 28).empty());
}

}  // namespace
}  // namespace bioptic
