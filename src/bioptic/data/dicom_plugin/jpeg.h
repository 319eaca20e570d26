// 8-bit JPEG by libjpeg-turbo, which says where it would fill in what a damaged stream lacks; GDCM
// does not, and stops at warnings that cost no pixel.
#pragma once

#include <cstdint>
#include <string>

#include "bioptic/data/dicom_plugin/codestream.h"

namespace bioptic::dicom {

// True where decode_jpeg can decode it: 8 bits, not lossless.
bool is_plain_jpeg(const Codestream& stream, Coding coding);

// The samples as they are coded (no conversion of colours), interleaved, to `to`, which holds as
// many as the stream says.  Throws Refused for what does not decode in full.
void decode_jpeg(const std::string& bytes, const Codestream& stream, std::uint8_t* to);

}  // namespace bioptic::dicom
