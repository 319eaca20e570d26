#include "bioptic/data/loss.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "bioptic/base/counted.h"
#include "bioptic/data/warning.h"

namespace bioptic {
namespace {

struct Row {
  const char* key;
  bool of_images;        // else of the source as a whole
  const char* sentence;  // {0}: how much, {1}: of images, "1 image", "3 images"
};

constexpr std::array<Row, kLosses> kRows = {{
    {"clipped_values", true,
     "{0} pixel values of {1} lie outside 0..65535 and were clipped; choose a window "
     "(--window LOW:HIGH)."},
    {"rounded_values", true,
     "{0} pixel values of {1} were rounded to whole numbers, so that different values became one; "
     "choose a window (--window LOW:HIGH)."},
    {"pages", true,
     "{0} further pages of {1} were left out: of a file with several, the first is read."},
    {"transparency", true,
     "{0} pixels of {1} are transparent, wholly or in part; the alpha channel was left out, and "
     "what it hid is shown."},
    {"frames", true,
     "{0} further frames in the files of {1} were left out: their headers name fewer."},
    {"pixel_bytes", true,
     "{0} bytes behind the pixels in the files of {1} were left out: their headers do not explain "
     "them."},
    {"overlays", true,
     "{0} overlays in the files of {1} were left out: drawings or text beside the pixels."},
    {"spare_bytes", true,
     "{0} bytes of {1} belong to no part of the JPEG file and were skipped. All rows decode, but "
     "look at the image: bytes that were damaged can leave such a rest."},
    {"polarity", true,
     "{1} do not say whether 0 is black or white (TIFF without PhotometricInterpretation); 0 was "
     "taken as black."},
    {"linked_folders", false, "Links to folders that were not followed: {0}."},
}};

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
    found.push_back(kWarning + fmt::format(fmt::runtime(kRows[k].sentence), counts_[k],
                                           counted(images_[k], "image")));
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

}  // namespace bioptic
