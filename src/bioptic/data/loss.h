// What an import loses on the way, counted: in a warning and in dataset.json, never in silence.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bioptic {

// One row each in loss.cpp: its key in dataset.json and its sentence.
enum class Loss : std::size_t {
  clipped_values,  // pixel values outside what 16 bits hold
  rounded_values,  // pixel values that share one stored value with others of their image
  pages,           // further pages of a file, of which one was read
  transparency,    // pixels that an alpha channel hides, wholly or in part
  frames,          // images in a DICOM file beyond those that its header names
  pixel_bytes,     // bytes behind a DICOM file's pixels that its header does not explain
  overlays,        // of DICOM files: drawings beside the pixels
  spare_bytes,     // bytes between the parts of a JPEG that belong to none
  polarity,        // images that do not say whether 0 is black or white
  linked_folders,  // links to folders, which are not followed
};
inline constexpr std::size_t kLosses = 10;

// How much of each kind one image lost, or the source as a whole.
struct Losses {
  std::array<std::uint64_t, kLosses> counts{};
  std::uint64_t& operator[](Loss loss) { return counts[static_cast<std::size_t>(loss)]; }
  std::uint64_t operator[](Loss loss) const { return counts[static_cast<std::size_t>(loss)]; }
};

// The losses of many images.
class LossTotal {
 public:
  void add(const Losses& one);
  // One sentence for every kind that occurred, each beginning with kWarning.
  std::vector<std::string> warnings() const;
  // JSON object text, {"clipped_values": {"count": 12, "images": 3}}; "{}" where nothing was lost.
  std::string json() const;

 private:
  std::array<std::uint64_t, kLosses> counts_{}, images_{};
};

// The sentence of one kind, by its key in that JSON: how much, and of how many images (0 where it
// is of the source as a whole).  A key of a later program is named as it is.
std::string loss_said(const std::string& key, std::uint64_t count, std::uint64_t images);

}  // namespace bioptic
