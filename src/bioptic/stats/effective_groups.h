// How many groups (patients) of equal size a split is worth: a few that hold most of the images are
// few cases, however many others have one image each.
#pragma once

#include <cstddef>
#include <span>

#include "bioptic/stats/estimate.h"

namespace bioptic {

struct EffectiveGroups {
  // Of n_g images in group g, (sum n_g)^2 / sum n_g^2 (Kish 1965): as many groups of equal size
  // would give a mean the same variance.
  double of_mean = 0;
  // (sum n_g^2)^2 / sum n_g^4: as many would give the estimate of that variance the same variance
  // (Satterthwaite's; Carter, Schnepel and Steigerwald 2017 for images of a group that are alike).
  double of_variance = 0;
};

// Groups without an image do not count; 0 and 0 where none has one.
EffectiveGroups effective_groups(std::span<const std::size_t> images_of_group);

// Below this many (of_mean) no verdict speaks of other cases.
inline constexpr double kLeastEffectiveGroups = 10;
bool are_few(const EffectiveGroups& groups);

// The estimate with at most of_variance - 1 degrees of freedom, but not fewer than 4: where one
// group outweighs all others it also pulls the mean to itself, and t has no longer tails than that.
// docs/statistics.md shows the level of both rules.
Estimate with_degrees_of(const EffectiveGroups& groups, Estimate estimate);

}  // namespace bioptic
