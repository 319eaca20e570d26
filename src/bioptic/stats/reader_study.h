// Comparing two settings by a figure of merit that is not a mean over images, such as AUROC.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "bioptic/stats/estimate.h"

namespace bioptic {

// Obuchowski and Rockette 1995 with Hillis' degrees of freedom (Hillis 2007), two treatments,
// seeds as readers: covariances by the jackknife over groups,
//   se^2 = 2 / R (MS(TR) + R max(Cov2 - Cov3, 0)),
//   df = (MS(TR) + R max(Cov2 - Cov3, 0))^2 / (MS(TR)^2 / (R - 1)).
// values[t][r]: the figure on all groups; without[t][r][g]: with group g left out (a group whose
// loss leaves the figure undefined must be excluded from all of them).  R >= 2, at least 2 groups.
Estimate obuchowski_rockette(const std::vector<std::vector<double>>& values,
                             const std::vector<std::vector<std::vector<double>>>& without);

// AUROC of one model on all images and with each group left out; NaN where a class is then absent.
struct JackknifedAuroc {
  double value = 0;
  std::vector<double> without;  // one per group
};
JackknifedAuroc jackknifed_auroc(std::span<const double> scores, std::span<const int> positive,
                                 std::span<const std::size_t> group_of, std::size_t groups);

// DeLong, DeLong and Clarke-Pearson 1988: difference of the areas of two trained models on the same
// images, each image its own group.  df is infinite in effect: 1e9.  Two models, never two
// settings.
Estimate delong_difference(std::span<const double> scores_a, std::span<const double> scores_b,
                           std::span<const int> positive);

}  // namespace bioptic
