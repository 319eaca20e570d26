// Compressed pixels lie in fragments; which of them make a frame.
#pragma once

#include <gdcmSequenceOfFragments.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bioptic/data/dicom_plugin/codestream.h"

namespace bioptic::dicom {

struct CompressedFrames {
  std::vector<std::vector<std::string_view>> frames;  // in fragments, that lie in the data set
  std::size_t further = 0;                            // compressed images beyond the last frame
  std::optional<Codestream> first;                    // of the first frame; of RLE nothing is known

  std::string joined(std::size_t frame) const;
};

// Throws Refused where there are fewer than `frames`.
CompressedFrames frames_of(const gdcm::SequenceOfFragments& fragments, std::size_t frames,
                           Coding coding);

}  // namespace bioptic::dicom
