#include "bioptic/study/model_seal.h"

#include <fmt/format.h>

#include "bioptic/base/json_text.h"
#include "bioptic/base/sha256.h"

namespace bioptic {
namespace {

using Metadata = std::map<std::string, std::string>;

constexpr const char* kSeal = "metadata_sha256";
constexpr const char* kImages = "pixel_hashes_";
constexpr const char* kImagesSeal = "pixel_hashes_sha256";

// The entries about images, or all others; without the checksums themselves.
Metadata entries(const Metadata& metadata, bool of_images) {
  Metadata some;
  for (const auto& [key, text] : metadata) {
    if (key == kSeal || key == kImagesSeal) continue;
    if (key.starts_with(kImages) == of_images) some.emplace(key, text);
  }
  return some;
}

std::string hash_of(const Metadata& some) { return sha256_hex(json_text(some)); }

std::string mismatch(const Metadata& metadata, const char* key, const Metadata& some) {
  const auto said = metadata.find(key);
  const std::string found = hash_of(some);
  if (said != metadata.end() && said->second == found) return "";
  const std::string there =
      said == metadata.end() ? "is missing" : fmt::format("is {:.16}", said->second);
  return fmt::format(
      "its metadata are not those that were saved ({} would be {:.16}, and {}): it was changed or "
      "damaged since; take a copy of it, or move it away and run its study again, which writes the "
      "same bits. Where the change was meant, take {} out of the metadata",
      key, found, there, kSeal);
}

}  // namespace

void seal(Metadata& metadata) {
  metadata[kSeal] = hash_of(entries(metadata, false));
  if (const Metadata images = entries(metadata, true); !images.empty()) {
    metadata[kImagesSeal] = hash_of(images);
  }
}

bool is_sealed(const Metadata& metadata) { return metadata.contains(kSeal); }

std::string broken_seal(const Metadata& metadata) {
  if (!is_sealed(metadata)) return "";
  std::string wrong = mismatch(metadata, kSeal, entries(metadata, false));
  const Metadata images = entries(metadata, true);
  if (wrong.empty() && (!images.empty() || metadata.contains(kImagesSeal))) {
    wrong = mismatch(metadata, kImagesSeal, images);
  }
  return wrong;
}

}  // namespace bioptic
