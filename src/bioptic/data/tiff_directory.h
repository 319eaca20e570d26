// The entries of a TIFF file's first directory as they stand in the file: libtiff takes the first
// of two that contradict each other, and as many strips as it needs, without a word.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bioptic/base/files.h"

namespace bioptic {

struct TiffEntries {
  std::string twice;  // a tag with two different values that pixels depend on, "" = none
  // Values of StripOffsets or TileOffsets, and of their byte counts; 0 = the tag is not there.
  std::uint64_t offsets = 0, byte_counts = 0;
  std::optional<std::uint64_t> photometric;     // PhotometricInterpretation, where it is one number
  std::optional<std::uint64_t> rows_per_strip;  // libtiff cuts a large strip into smaller ones
  bool predictor = false;                       // a Predictor other than "none"
};

// Classic and BigTIFF; what lies outside the file is left out.
TiffEntries read_tiff_entries(const MappedFile& file);

}  // namespace bioptic
