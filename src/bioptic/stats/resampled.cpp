#include "bioptic/stats/resampled.h"

#include <cmath>

namespace bioptic {

Estimate resampled_t(std::span<const double> per_split, double test_over_train) {
  Estimate out = mean_estimate(per_split);  // its se^2 is s^2 / S
  out.se *= std::sqrt(1 + test_over_train * static_cast<double>(per_split.size()));
  return out;
}

Estimate repeated_folds_t(const Estimate& crossed, std::span<const double> per_fold,
                          std::size_t folds) {
  const Estimate resampled = resampled_t(per_fold, 1 / static_cast<double>(folds - 1));
  return resampled.se > crossed.se ? Estimate{crossed.value, resampled.se, resampled.df} : crossed;
}

}  // namespace bioptic
