// The pixels: checked against the header, then decoded.
#pragma once

#include <gdcmReader.h>

#include "bioptic/data/dicom_plugin.h"
#include "bioptic/data/dicom_plugin/fragments.h"
#include "bioptic/data/dicom_plugin/header.h"
#include "bioptic/data/dicom_plugin/syntax.h"

namespace bioptic::dicom {

// Throws Refused where the file at `path` is cut off within its pixels or holds fewer than its
// header promises; counts in `file` what it holds beyond.  `reader` has read up to the pixels.
void check_plain(const char* path, const gdcm::Reader& reader, const Stored& stored,
                 const Syntax& syntax, DicomFile& file);

// The same for compressed pixels, held against what the first of them says of itself.
CompressedFrames check_compressed(const char* path, const gdcm::Reader& reader,
                                  const Stored& stored, const Syntax& syntax, DicomFile& file);

// Both fill file.pixels with interleaved values, red, green and blue where there are three.
void read_plain(const DataSet& data, const Stored& stored, const Syntax& syntax, bool big_endian,
                DicomFile& file);
void read_compressed(const CompressedFrames& frames, const Stored& stored, const Syntax& syntax,
                     DicomFile& file);

}  // namespace bioptic::dicom
