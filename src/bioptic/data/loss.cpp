#include "bioptic/data/loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bioptic/base/counted.h"
#include "bioptic/data/warning.h"

namespace bioptic {
namespace {

struct Row {
  const char* key;
  bool of_images;    // else of the source as a whole
  const char* noun;  // of what is counted
  // {0}: how much, {1}: of images ("1 image", "3 images"), {2}: "was" or "were", {3}: "is" or
  // "are", {4}: "s" behind the verb of one, {5}: "does" or "do".
  const char* sentence;
};

constexpr std::array<Row, kLosses> kRows = {{
    {"clipped_values", true, "pixel value",
     "{0} of {1} lie{4} outside 0..65535 and {2} clipped; choose a window (--window LOW:HIGH)."},
    {"rounded_values", true, "pixel value",
     "{0} of {1} {2} rounded to whole numbers, so that different values became one; choose a "
     "window (--window LOW:HIGH)."},
    {"pages", true, "further page",
     "{0} of {1} {2} left out: of a file with several, the first is read."},
    {"transparency", true, "pixel",
     "{0} of {1} {3} transparent, wholly or in part; the alpha channel was left out, and what it "
     "hid is shown."},
    {"frames", true, "further frame",
     "{0} in the files of {1} {2} left out, which no header names."},
    {"pixel_bytes", true, "byte",
     "{0} behind the pixels in the files of {1} {2} left out, which no header explains."},
    {"overlays", true, "overlay",
     "{0} in the files of {1} {2} left out: drawings or text beside the pixels."},
    {"spare_bytes", true, "byte",
     "{0} of {1} belong{4} to no part of the JPEG file and {2} skipped. All rows decode, but look "
     "at the image: bytes that were damaged can leave such a rest."},
    {"polarity", true, "image",
     "{1} {5} not say whether 0 is black or white (TIFF without PhotometricInterpretation); 0 was "
     "taken as black."},
    {"linked_folders", false, "link", "Links to folders that were not followed: {6}."},
}};

std::string sentence_of(const Row& row, std::uint64_t count, std::uint64_t images) {
  const bool one = count == 1;
  return fmt::format(fmt::runtime(row.sentence), counted(count, row.noun), counted(images, "image"),
                     one ? "was" : "were", one ? "is" : "are", one ? "s" : "", one ? "does" : "do",
                     count);
}

}  // namespace

void LossTotal::add(const Losses& one) {
  for (std::size_t k = 0; k < kLosses; ++k) {
    counts_[k] += one.counts[k];
    images_[k] += one.counts[k] > 0 ? 1 : 0;
  }
}

std::vector<std::string> LossTotal::warnings() const {
  std::vector<std::string> found;
  for (std::size_t k = 0; k < kLosses; ++k) {
    if (counts_[k] == 0) continue;
    found.push_back(kWarning + sentence_of(kRows[k], counts_[k], images_[k]));
  }
  return found;
}

std::string LossTotal::json() const {
  nlohmann::json found = nlohmann::json::object();
  for (std::size_t k = 0; k < kLosses; ++k) {
    if (counts_[k] == 0) continue;
    found[kRows[k].key]["count"] = counts_[k];
    if (kRows[k].of_images) found[kRows[k].key]["images"] = images_[k];
  }
  return found.dump();
}

std::string loss_said(const std::string& key, std::uint64_t count, std::uint64_t images) {
  const auto* const row =
      std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) { return key == r.key; });
  if (row != kRows.end()) return sentence_of(*row, count, images);
  return fmt::format("{}: {} in {}", key, count, counted(images, "image"));
}

}  // namespace bioptic
