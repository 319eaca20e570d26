// Which images a model has seen, by the hashes of their pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bioptic {

// A set of 64-bit hashes (pixel_hash).  64 bits are enough: among 100,000 of them, 100,000 other
// images find one by chance once in a billion times.
class PixelHashes {
 public:
  PixelHashes() = default;
  explicit PixelHashes(std::vector<std::uint64_t> hashes);
  // From text().  Throws InputError for anything else.
  static PixelHashes read(const std::string& text);

  // 16 hex digits each, ascending: in no order of files or patients.
  std::string text() const;

  bool contains(std::uint64_t hash) const;
  std::size_t size() const { return hashes_.size(); }

 private:
  std::vector<std::uint64_t> hashes_;  // ascending, each once
};

}  // namespace bioptic
