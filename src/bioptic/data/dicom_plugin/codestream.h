// What the first compressed image says of itself.  GDCM takes the data set's word for it, and stops
// where the two disagree.
#pragma once

#include <optional>
#include <string_view>

#include "bioptic/data/dicom_plugin/syntax.h"

namespace bioptic::dicom {

struct Codestream {
  int width = 0, height = 0, samples = 0;
  int bits = 0;            // of a sample
  bool is_signed = false;  // JPEG 2000 alone says so
  // The colours of three samples by the stream's own marks; nothing where it has none.
  enum class Colour { rgb, ybr };
  std::optional<Colour> colour;
  bool lossless = false;  // JPEG of processes without a cosine transform
  bool planes = false;    // JPEG-LS: decoded one plane after the other
};

// Of RLE nothing is known.  Throws Refused where it cannot be understood: `what` names the coding.
std::optional<Codestream> read_codestream(std::string_view bytes, Coding coding);

// True where the bytes begin a compressed image of their own.
bool begins_image(std::string_view bytes, Coding coding);

// Of an RLE frame: planes of bytes, 1 to 15; 0 where it does not begin as one.
int rle_segments(std::string_view bytes);

}  // namespace bioptic::dicom
