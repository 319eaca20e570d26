#include "bioptic/base/random.h"

#include <cmath>
#include <string>

#include "bioptic/base/portable_math.h"
#include "bioptic/base/sha256.h"

namespace bioptic {

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> c,
                                        std::array<std::uint32_t, 2> k) {
  constexpr std::uint64_t kM0 = 0xD2511F53, kM1 = 0xCD9E8D57;
  constexpr std::uint32_t kW0 = 0x9E3779B9, kW1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = kM0 * c[0], p1 = kM1 * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(p0)};
    k[0] += kW0;
    k[1] += kW1;
  }
  return c;
}

RandomStream::RandomStream(std::uint64_t seed, std::string_view name) {
  std::string text("bioptic stream");
  text.push_back('\0');
  text.append(name);
  text.push_back('\0');
  text += std::to_string(seed);
  const std::array<std::uint8_t, 32> digest = sha256_bytes(text.data(), text.size());
  for (std::size_t w = 0; w < 2; ++w) {
    key_[w] = 0;
    for (std::size_t b = 0; b < 4; ++b) {
      key_[w] |= static_cast<std::uint32_t>(digest[4 * w + b]) << (8 * b);
    }
  }
}

std::uint32_t RandomStream::bits32() {
  if (used_ == 4) {
    buffer_ = philox4x32(
        {static_cast<std::uint32_t>(block_), static_cast<std::uint32_t>(block_ >> 32), 0, 0}, key_);
    ++block_;
    used_ = 0;
  }
  return buffer_[used_++];
}

std::uint64_t RandomStream::bits64() {
  const std::uint64_t low = bits32();
  return low | static_cast<std::uint64_t>(bits32()) << 32;
}

double RandomStream::uniform() { return static_cast<double>(bits64() >> 11) * 0x1p-53; }

float RandomStream::uniform_float() { return static_cast<float>(bits32() >> 8) * 0x1p-24F; }

std::uint64_t RandomStream::below(std::uint64_t n) {
  __extension__ using uint128 = unsigned __int128;
  uint128 product = static_cast<uint128>(bits64()) * n;
  if (static_cast<std::uint64_t>(product) < n) {
    const std::uint64_t threshold = (0 - n) % n;  // 2^64 mod n
    while (static_cast<std::uint64_t>(product) < threshold) {
      product = static_cast<uint128>(bits64()) * n;
    }
  }
  return static_cast<std::uint64_t>(product >> 64);
}

double RandomStream::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_normal_;
  }
  double x = 0, y = 0, square = 0;
  do {
    x = uniform(-1, 1);
    y = uniform(-1, 1);
    square = x * x + y * y;
  } while (square >= 1 || square == 0);
  const double factor = std::sqrt(-2 * portable::log(square) / square);
  spare_normal_ = y * factor;
  has_spare_ = true;
  return x * factor;
}

}  // namespace bioptic
