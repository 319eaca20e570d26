// A small picture of an image, as features.
#pragma once

#include <cstddef>
#include <vector>

#include "bioptic/data/dataset.h"

namespace bioptic {

// Means over a grid of `side` x `side` areas of each channel, row by row, in grey values; areas are
// whole pixels and differ by one where `side` does not divide the size.  A smaller image gives its
// pixels.  The dataset must be uint8.
std::vector<double> area_means(const Dataset& dataset, std::size_t row, std::size_t side = 32);

}  // namespace bioptic
