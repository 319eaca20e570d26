#include "bioptic/data/hash_index.h"

#include <algorithm>
#include <bit>

namespace bioptic {

int differing_bits(const Hash256& a, const Hash256& b) {
  int bits = 0;
  for (std::size_t w = 0; w < a.size(); ++w) bits += std::popcount(a[w] ^ b[w]);
  return bits;
}

HashIndex::HashIndex(std::span<const Hash256> hashes, std::span<const char> skip)
    : hashes_(hashes) {
  for (std::uint32_t i = 0; i < hashes.size(); ++i) {
    if (skip[i] == 0) all_.push_back(i);
  }
  std::vector<Bands> bands(all_.size());
  std::transform(all_.begin(), all_.end(), bands.begin(),
                 [&](std::uint32_t i) { return bands_of(hashes[i]); });
  for (std::size_t b = 0; b < kBands; ++b) {
    std::vector<std::uint32_t>& starts = starts_[b];
    starts.assign(kValues + 1, 0);
    for (const Bands& own : bands) ++starts[own[b] + 1U];
    for (std::size_t v = 0; v < kValues; ++v) starts[v + 1] += starts[v];
    std::vector<std::uint32_t> next(starts.begin(), starts.end() - 1);
    members_[b].resize(all_.size());
    for (std::size_t k = 0; k < all_.size(); ++k) members_[b][next[bands[k][b]]++] = all_[k];
  }
}

// Neighbouring bits go to different bands: a part of the picture that all images share (a black
// edge) then leaves no band without information.
HashIndex::Bands HashIndex::bands_of(const Hash256& hash) {
  Bands bands{};
  for (std::size_t bit = 0; bit < 256; ++bit) {
    const std::size_t place = (97 * bit + 31) % 256;  // 97 is odd: a permutation
    const std::uint64_t value = hash[bit / 64] >> (bit % 64) & 1U;
    bands[place / 16] = static_cast<std::uint16_t>(bands[place / 16] | value << (place % 16));
  }
  return bands;
}

std::span<const std::uint32_t> HashIndex::bucket(std::size_t band, std::uint32_t value) const {
  const std::uint32_t begin = starts_[band][value];
  return std::span(members_[band]).subspan(begin, starts_[band][value + 1] - begin);
}

std::vector<std::uint32_t> HashIndex::within(const Hash256& hash, int most) const {
  const Bands bands = bands_of(hash);
  const auto each_bucket = [&](const auto& body) {
    for (std::size_t b = 0; b < kBands; ++b) {
      body(bucket(b, bands[b]));
      for (unsigned flipped = 0; flipped < 16; ++flipped) {
        body(bucket(b, bands[b] ^ (1U << flipped)));
      }
    }
  };
  std::size_t looked_at = 0;
  each_bucket([&](std::span<const std::uint32_t> members) { looked_at += members.size(); });
  std::vector<std::uint32_t> found;
  const auto take_near = [&](std::span<const std::uint32_t> members) {
    for (const std::uint32_t i : members) {
      if (differing_bits(hashes_[i], hash) <= most) found.push_back(i);
    }
  };
  if (looked_at >= all_.size()) {  // images so alike that the bands tell little
    take_near(all_);
    return found;
  }
  each_bucket(take_near);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace bioptic
