// SHA-256 through OpenSSL's libcrypto.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace bioptic {

// Feed bytes, then ask once for the digest.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(const void* data, std::size_t bytes);
  std::array<std::uint8_t, 32> digest();  // ends the computation
  std::string hex();                      // the digest as 64 lower-case hex digits; ends it too

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::array<std::uint8_t, 32> sha256_bytes(const void* data, std::size_t bytes);
std::string sha256_hex(std::string_view text);
// HMAC-SHA-256 (RFC 2104) as 64 lower-case hex digits.
std::string hmac_sha256_hex(std::string_view key, std::string_view text);
// Reads the file in blocks.  Throws InputError when it cannot be read.
std::string sha256_file(const std::filesystem::path& path);

}  // namespace bioptic
