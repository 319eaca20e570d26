#include "bioptic/base/sha256.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <span>
#include <vector>

#include "bioptic/base/error.h"

namespace bioptic {

struct Sha256::Impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  if (impl_->context == nullptr || EVP_DigestInit_ex(impl_->context, EVP_sha256(), nullptr) != 1) {
    throw Failure("SHA-256 could not be started (libcrypto)");
  }
}

Sha256::~Sha256() { EVP_MD_CTX_free(impl_->context); }

void Sha256::update(const void* data, std::size_t bytes) {
  if (EVP_DigestUpdate(impl_->context, data, bytes) != 1) {
    throw Failure("SHA-256 failed (libcrypto)");
  }
}

std::array<std::uint8_t, 32> Sha256::digest() {
  std::array<std::uint8_t, 32> out{};
  unsigned length = 0;
  if (EVP_DigestFinal_ex(impl_->context, out.data(), &length) != 1) {
    throw Failure("SHA-256 failed (libcrypto)");
  }
  return out;
}

namespace {

std::string hex_text(std::span<const std::uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace

std::string Sha256::hex() { return hex_text(digest()); }

std::array<std::uint8_t, 32> sha256_bytes(const void* data, std::size_t bytes) {
  Sha256 hash;
  hash.update(data, bytes);
  return hash.digest();
}

std::string sha256_hex(std::string_view text) {
  Sha256 hash;
  hash.update(text.data(), text.size());
  return hash.hex();
}

std::string hmac_sha256_hex(std::string_view key, std::string_view text) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> out{};
  unsigned length = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(),
           &length) == nullptr) {
    throw Failure("HMAC-SHA-256 failed (libcrypto)");
  }
  return hex_text({out.data(), length});
}

std::string sha256_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw InputError(path.string() + ": cannot be opened: " + std::strerror(errno));
  Sha256 hash;
  std::vector<char> block(1U << 20);
  while (in) {
    in.read(block.data(), static_cast<std::streamsize>(block.size()));
    hash.update(block.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (!in.eof()) throw InputError(path.string() + ": cannot be read: " + std::strerror(errno));
  return hash.hex();
}

}  // namespace bioptic
