// Permutations of whole groups between two samples, the same for the same data: neither the order
// of the images nor the names of the groups enter.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "bioptic/base/random.h"

namespace bioptic {

// Images of a first sample (say the hold-out) and a second one (say test).
struct TwoSamples {
  std::span<const int> second;  // n, 1 for images of the second sample, 0 for the first
  std::span<const int> groups;  // n, equal numbers are one group; empty: each image is its own
};

// Images and groups in canonical order: groups in the order of a hash of their images' contents,
// images within a group in that of their contents.  Groups alike to the last image are in either
// order: no statistic can tell.
class GroupPermutation {
 public:
  // content: n, equal for images between which a test sees no difference (content_of in gram.h).
  // Throws InputError for other lengths or values, or a group with images in both samples.
  GroupPermutation(const TwoSamples& samples, std::span<const std::string> content);

  std::size_t groups() const { return group_content_.size(); }
  // Whether both samples have at least two groups: below that no permutation test means anything.
  bool testable() const;

  // What follows is per image in canonical order.  order(): the place of each in the given order.
  const std::vector<std::size_t>& order() const { return order_; }
  const std::vector<int>& second() const { return second_; }  // as it was given

  // Deals the groups to the samples anew, as many groups to each as there were, and returns for
  // every image whether it is now in the second (1) or the first (0).  The samples' numbers of
  // images change where groups have different sizes.  The deal is made without a look at `second`.
  std::vector<int> next(RandomStream& random);

  // One fold per image, from 0, less than folds(most): groups in the order of a hash of (seed,
  // deal, content of the group), dealt in turn.  Groups alike are in one fold.
  std::vector<std::size_t> deal_folds(std::size_t most, std::uint64_t seed, std::size_t deal) const;
  // The smaller of `most` and the number of groups that are unlike.
  std::size_t folds(std::size_t most) const;

 private:
  std::vector<std::size_t> order_, group_of_image_;
  std::vector<int> second_;
  std::vector<std::string> group_content_;  // per group, ascending
  std::vector<int> dealt_;                  // per group, the last deal to the samples
};

// Hash of a set of images' contents, whatever their order.
std::string content_of_group(std::vector<std::string> contents);

// Share of permutations, the observed order counted as one of them, whose statistic is at least the
// observed one: (1 + hits) / (1 + B), never 0 (Phipson & Smyth 2010).  A permutation that repeats
// the observed split differs from it by rounding, so ties are taken with a relative tolerance.
double permutation_p(double observed, std::span<const double> permuted);

}  // namespace bioptic
