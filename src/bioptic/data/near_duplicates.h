// Pairs of images that are one picture: stored again, resized, brighter, with its edges cut off.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "bioptic/base/parallel.h"
#include "bioptic/data/dataset.h"
#include "bioptic/data/import.h"

namespace bioptic {

struct NearPair {
  std::uint32_t first = 0, second = 0;  // rows, first < second
  double likeness = 0;                  // correlation of the details, see find_near_duplicates
};

// How it works, per image: grey, area-averaged to 16 x 16, the mean of the surrounding 5 x 5 taken
// away; the signs are a perceptual hash of 256 bits.  Medical images of one kind look alike, and a
// cut edge moves everything, so that no threshold on such a hash separates: it only chooses
// candidates.  Each image is hashed as it is and as it would be with 1.5 or 3 % cut from its sides
// (11 ways); a pair whose hashes differ in few bits is compared by the correlation of its details
// (minus the local mean) at 32 x 32, then at 64 x 64 after the cut was fitted to 0.2 %.
// `likeness` is that last correlation; a pair is one from 0.972 on.  Exact copies (all pixels
// equal) and images without any detail are not looked at: `skip[row]` is set.  At most
// kNearPairsPerImage candidates of an image are fitted.  Candidates come from an index over the
// hashes (hash_index.h), which finds all of them; 4 KiB of memory an image.
inline constexpr double kNearLikeness = 0.972;
// Two exposures of one patient reach 0.987 in the phantom, copies are above 0.99 (below it some
// that were made so dark that they lost their shadows): pairs of a known group are called copies
// from here.
inline constexpr double kSameGroupLikeness = 0.99;
inline constexpr std::size_t kNearPairsPerImage = 8;
std::vector<NearPair> find_near_duplicates(const Dataset& dataset, const std::vector<char>& skip,
                                           ThreadPool& pool, const Progress& progress = {});

}  // namespace bioptic
