// From a patient, a view and a scanner to pixels.
#pragma once

#include <cstdint>
#include <vector>

#include "bioptic/data/phantom_anatomy.h"

namespace bioptic {

// size x size pixels.  noise: the stream of this image's quantum and detector noise.
std::vector<std::uint8_t> render_phantom(const Patient& patient, const View& view,
                                         const Scanner& scanner, int size, RandomStream& noise);

}  // namespace bioptic
