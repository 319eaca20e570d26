// What the data set says of the pixels, and of what they mean.
#pragma once

#include <cstdint>
#include <string>

#include "bioptic/data/dicom_plugin.h"
#include "bioptic/data/dicom_plugin/elements.h"

namespace bioptic::dicom {

// Of the pixels as the file stores them.
struct Stored {
  int samples = 1;
  std::string photometric;  // as the standard spells it
  bool planes = false;      // uncompressed: one plane of a frame after the other
  std::size_t frame_values() const { return pixels * static_cast<std::size_t>(samples); }
  std::size_t pixels = 0;  // of a frame
};

// Throws Refused; `max_pixels`: of all frames together.
Stored read_header(const DataSet& data, std::int64_t max_pixels, DicomFile& file);

// Patient, rescale, tables and windows.  Throws Refused; what is wrong with a window alone goes to
// file.window_fault.
void read_meaning(const DataSet& data, DicomFile& file);

// Throws Refused where there are no pixels, with what the data set is instead.
void require_pixels(const DataSet& data);

}  // namespace bioptic::dicom
