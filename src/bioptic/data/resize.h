// Resampling: area averaging where an axis shrinks, bilinear where it grows.  The project's own few
// lines rather than a library's, so that an import has the same bytes on every processor and the
// program starts without 22 more shared libraries.
#pragma once

#include "bioptic/data/image.h"
#include "bioptic/data/import.h"

namespace bioptic {

// To width x height, each axis for itself.  Bilinear: pixel centres at half integers, the edge
// pixel repeated, as torchvision's Resize without antialiasing and OpenCV's INTER_LINEAR.  Rounds
// halves up.
Image resample(const Image& image, int width, int height);

// To size x size.  stretch: both axes for themselves; pad: the longer side fits and the rest is 0,
// centred; crop: the shorter side fits and the middle is kept.
Image fit_square(const Image& image, int size, Fit fit);

}  // namespace bioptic
