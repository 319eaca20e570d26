// The crossed t test: would a difference hold with other seeds and on other patients?
//
// Seeds are the readers and groups (patients) the cases of a multi-reader multi-case study.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "bioptic/stats/estimate.h"
#include "bioptic/stats/variance_limits.h"

namespace bioptic {

// Values per seed and group, row-major: d[s * groups + g].
struct CrossedTable {
  std::size_t seeds = 0, groups = 0;
  std::vector<double> d;
};

// From per-image differences D (seeds x images, row-major) and the group of every image (0 ..
// groups - 1, each at least once): d[s,g] = m + (G / n) * sum over i in g of (D[s,i] - m), with m
// the mean of D.  The table's mean is m; with every image its own group it is D itself.
CrossedTable group_values(std::span<const double> differences, std::size_t seeds,
                          std::span<const std::size_t> group_of, std::size_t groups);

// The same for a mean over classes of class means (balanced accuracy), K classes with at least one
// image each; class_of: 0 .. K - 1 per image.  With m_c the mean of D over class c and all seeds,
//   d[s,g] = m + G sum over i in g of (D[s,i] - m_class(i)) / (K n_class(i)),  m the mean of the
//   m_c.
// Its mean over g is seed s's own mean of class means.
CrossedTable class_mean_group_values(std::span<const double> differences, std::size_t seeds,
                                     std::span<const std::size_t> group_of, std::size_t groups,
                                     std::span<const std::size_t> class_of, std::size_t classes);

struct CrossedEstimate {
  Estimate estimate;
  double ms_seeds = 0, ms_groups = 0, ms_error = 0;    // mean squares of the two-way table
  bool seeds_floored = false, groups_floored = false;  // a component was below the error's
};

// Two-way table without replication: a = max(MSs, MSe), b = max(MSg, MSe),
//   V = (a + b - MSe) / (S G),
//   df = (a + b - MSe)^2 / (a^2/(S-1) + b^2/(G-1) + MSe^2/((S-1)(G-1)))   (Satterthwaite 1946).
// The floors keep df from falling to 0 where MSs + MSg comes near MSe.  At least 2 seeds, 2 groups.
CrossedEstimate crossed_t(const CrossedTable& table);

// The same for the difference of two splits' means (first - second), over the same seeds: cases are
// nested in splits.  V = max(var(r) / S, e1 + e2) + sum of (b_k - e_k), with r the per-seed
// difference of the means, e_k = MSe_k / (S G_k), b_k = max(MSg_k, MSe_k) / (S G_k).
Estimate crossed_gap(const CrossedTable& first, const CrossedTable& second);

// Where that V comes from, for planning, after its floors: with S seeds and n_k groups of split k,
// e_k = error / (S n_k), b_k = e_k + groups / n_k, a = seeds / S + e_1 + e_2, V = a + sum of groups
// / n_k.
struct GapVariance {
  double seeds = 0;
  struct Split {
    double groups = 0, error = 0;
    double count = 0;                // groups at hand
    MeanSquare of_groups, of_error;  // before the floors, of pilot_seeds seeds
  };
  std::array<Split, 2> splits;
  // The smaller split's (effective_groups.h), which bounds the degrees of freedom of the test.
  double of_variance = std::numeric_limits<double>::infinity();
  // What it was estimated from: the variance of the per-seed difference over so many seeds; 0
  // seeds: it is known, not estimated.
  double pilot_seeds = 0;
  MeanSquare of_seeds;
};
GapVariance gap_variance(const CrossedTable& first, const CrossedTable& second);

// Percentile interval of the mean difference, seeds and groups drawn anew independently (Owen
// 2007), groups within strata (their class).  It understates the seeds' variance by (S - 1) / S:
// for 10 seeds and more.  The draws come from the stream "crossed bootstrap" of seed 0.
Interval crossed_bootstrap(std::span<const double> differences, std::size_t seeds,
                           std::span<const std::size_t> group_of,
                           std::span<const std::size_t> stratum_of_group, int draws = 2000);

// The table of so many seeds and groups that parts were estimated from: its mean squares.
struct PilotTable {
  double seeds = 0, groups = 0;
  MeanSquare of_seeds, of_groups, of_error;
};

// How much of V comes from where, for planning: V(S, G) = seeds/S + groups/G + error/(S G), none
// below 0.
struct VarianceParts {
  double seeds = 0, groups = 0, error = 0;
  std::optional<PilotTable> pilot = std::nullopt;  // empty: they are known, not estimated
};
// crossed: crossed_t(table).
VarianceParts variance_parts(const CrossedEstimate& crossed, const CrossedTable& table);

}  // namespace bioptic
