#include "bioptic/study/pixel_hashes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "bioptic/base/error.h"

namespace bioptic {
namespace {

constexpr std::size_t kDigits = 16;

}  // namespace

PixelHashes::PixelHashes(std::vector<std::uint64_t> hashes) : hashes_(std::move(hashes)) {
  std::sort(hashes_.begin(), hashes_.end());
  hashes_.erase(std::unique(hashes_.begin(), hashes_.end()), hashes_.end());
}

PixelHashes PixelHashes::read(const std::string& text) {
  std::vector<std::uint64_t> hashes(text.size() / kDigits);
  bool good = text.size() % kDigits == 0;
  for (std::size_t i = 0; i < hashes.size() && good; ++i) {
    const char* begin = text.data() + i * kDigits;
    const auto [end, error] = std::from_chars(begin, begin + kDigits, hashes[i], 16);
    good = error == std::errc{} && end == begin + kDigits;
  }
  if (!good) throw InputError("its list of the images that it has seen is damaged");
  return PixelHashes(std::move(hashes));
}

std::string PixelHashes::text() const {
  std::string text;
  text.reserve(kDigits * hashes_.size());
  for (const std::uint64_t hash : hashes_) text += fmt::format("{:016x}", hash);
  return text;
}

bool PixelHashes::contains(std::uint64_t hash) const {
  return std::binary_search(hashes_.begin(), hashes_.end(), hash);
}

}  // namespace bioptic
