// A difference of arms over test sets that differ between the seeds: what it shows of other splits
// and other patients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bioptic/stats/effective_groups.h"
#include "bioptic/stats/verdict.h"
#include "bioptic/study/metric_values.h"
#include "bioptic/study/resampling.h"

namespace bioptic {

// sum over arms of weight * metric, over test sets that differ between the seeds.
struct ResampledContrast {
  // Per repetition, or per split: what the test is made of; their mean is the effect.
  std::vector<double> per_unit;
  std::size_t images = 0, groups = 0;  // that the metric is made of, in all seeds together
  EffectiveGroups effective;           // of those
  // For other splits of this kind and other patients, in the metric's units and sign; its reason
  // says why no verdict is allowed (then the estimate may be there all the same, NaN where not).
  Evidence evidence;
  double effect() const { return evidence.estimate.value; }
};

// folds: repeated_folds_t of stats/resampled.h.  What counts images (accuracy, Brier score, ...) is
// the mean over all images of a repetition; AUROC is averaged over its folds, because the scores of
// two models have no common scale and ranks across them mix the folds' levels (Airola et al. 2011;
// Forman and Scholz 2010).  resplits: resampled_t.  same: not for here (contrast() crosses).
// weights: one per arm, as contrast().  seeds: those that `resampling` was made of, which all arms
// with a weight share.
ResampledContrast resampled_contrast(const PredictionTable& table, const MetricValues& values,
                                     std::span<const double> weights,
                                     std::span<const std::int64_t> seeds,
                                     const Resampling& resampling);

}  // namespace bioptic
