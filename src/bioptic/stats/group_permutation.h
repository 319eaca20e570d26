// Permutations of whole groups between two samples.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "bioptic/base/random.h"

namespace bioptic {

// Images of a first sample (say the hold-out) and a second one (say test).
struct TwoSamples {
  std::span<const int> second;  // n, 1 for images of the second sample, 0 for the first
  std::span<const int> groups;  // n, equal numbers are one group; empty: each image is its own
};

class GroupPermutation {
 public:
  // Throws InputError for other lengths or values, or a group with images in both samples.
  explicit GroupPermutation(const TwoSamples& samples);

  std::size_t groups() const { return second_.size(); }
  // Whether both samples have at least two groups: below that no permutation test means anything.
  bool testable() const;
  // Group of each image, numbered from 0 in ascending order of the given numbers.
  const std::vector<std::size_t>& group_of_image() const { return group_of_image_; }

  // Deals the groups to the samples anew, as many groups to each as there were, and returns for
  // every image whether it is now in the second (1) or the first (0).  The samples' numbers of
  // images change where groups have different sizes.
  std::vector<int> next(RandomStream& random);

 private:
  std::vector<std::size_t> group_of_image_;
  std::vector<int> second_;  // per group
};

// Share of permutations, the observed order counted as one of them, whose statistic is at least the
// observed one: (1 + hits) / (1 + B), never 0 (Phipson & Smyth 2010).  A permutation that repeats
// the observed split differs from it by rounding, so ties are taken with a relative tolerance.
double permutation_p(double observed, std::span<const double> permuted);

}  // namespace bioptic
