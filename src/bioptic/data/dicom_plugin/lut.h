// Lookup tables: of modality and VOI (PS3.3 C.11), and palettes (C.7.6.3.1.5, C.7.9).
#pragma once

#include "bioptic/data/dicom_plugin.h"
#include "bioptic/data/dicom_plugin/elements.h"

namespace bioptic::dicom {

// is_signed: the table's first input is.  Throws Refused, with `name`, for a table that is not
// whole.
DicomLut read_lut(const DataSet& data, const Tag& descriptor, const Tag& values, bool is_signed,
                  const char* name);

// Index to 8-bit red, green, blue: `pixels` of `file`, whose depth becomes 8 bits.  Throws Refused.
void apply_palette(const DataSet& data, DicomFile& file);

}  // namespace bioptic::dicom
