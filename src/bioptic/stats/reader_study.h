// Comparing two settings by a figure of merit that is not a mean over images, such as AUROC.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "bioptic/stats/crossed.h"
#include "bioptic/stats/estimate.h"

namespace bioptic {

// A difference (or any linear contrast of treatments) of a figure of merit, per reader, and the
// same with each group left out: value[r], without[r][g].
struct ReaderEstimate {
  Estimate estimate;
  double over_readers = 0;  // variance of the value between readers
  double shared = 0;        // jackknife covariance of two readers, mean over pairs; may be negative
  double own = 0;           // jackknife variance of one reader, mean
};

// Obuchowski-Rockette's error strata for a contrast d of treatments.  With two treatments
// MS(TR) = var(d) / 2 and 2 (Cov2 - Cov3) is the mean covariance of d between readers, hence
//   se^2 = var(d) / R + max(shared, 0),  df = se^4 / ((var(d) / R)^2 / (R - 1)).
// R >= 2 readers, at least 2 groups; no value is NaN.
ReaderEstimate reader_contrast(std::span<const double> value,
                               std::span<const std::vector<double>> without);

// How much of its V comes from where: a reader's own case error beyond what readers share is error,
// the rest between readers is theirs.  The mean squares are those of the jackknife's pseudo-values
// (Hillis, Obuchowski, Schartz and Berbaum 2005), readers x groups:
//   G over_readers,  G (own + (R - 1) shared),  G (own - shared).
// readers: reader_contrast(value, without).
VarianceParts variance_parts(const ReaderEstimate& readers,
                             std::span<const std::vector<double>> without);

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
// images, each image its own group.  df is infinite: the test is normal.  Two models, never two
// settings.
Estimate delong_difference(std::span<const double> scores_a, std::span<const double> scores_b,
                           std::span<const int> positive);

}  // namespace bioptic
