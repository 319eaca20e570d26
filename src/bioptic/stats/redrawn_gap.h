// The difference between a split that every seed draws anew and one that is the same for all.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "bioptic/stats/crossed.h"

namespace bioptic {

// One number per image and seed, of the images that the seed drew: seed s has the entries
// begin[s] .. begin[s + 1] - 1.  group_of: of each entry, in [0, groups).
struct RedrawnValues {
  std::vector<double> values;
  std::vector<std::size_t> group_of;
  std::vector<std::size_t> begin;  // seeds + 1 entries, every seed with at least one image
  std::size_t groups = 0;
};

// Mean over seeds of (mean of the redrawn split - mean of the fixed one), for other seeds and other
// patients.  A patient whom several seeds draw makes their means alike, which the spread over seeds
// does not show; so the variance is clustered by seed and by patient (Cameron, Gelbach & Miller
// 2011), with the floors of crossed_gap (crossed.h):
//   V = max(var(r) / S, i + e) + max(c - i, 0) + (b - e),
// r the per-seed difference; of the redrawn split c = G/(G-1) sum over groups of (the group's sum
// of (x - mean) / (S n_s))^2, i the same sum over groups within seeds; e, b of the fixed split as
// in crossed_gap.  At least 2 seeds and 2 groups of each.
Estimate redrawn_gap(const RedrawnValues& redrawn, const CrossedTable& fixed);

}  // namespace bioptic
