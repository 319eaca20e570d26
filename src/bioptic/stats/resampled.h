// Differences over test sets that are drawn anew, with every seed, from the same images: repeated
// random splits, and k-fold cross-validation repeated with other folds.
//
// Training sets that overlap make the differences of two splits alike, which their spread does not
// show: the paired t over splits errs in a third of cases and more.  No estimator of the variance
// of one cross-validation is unbiased (Bengio and Grandvalet 2004), so one alone has no test.
#pragma once

#include <cstddef>
#include <span>

#include "bioptic/stats/crossed.h"
#include "bioptic/stats/estimate.h"

namespace bioptic {

// Corrected resampled t (Nadeau and Bengio 2003): per_split, at least 2 differences d, each over
// the test images of one random split,
//   V = (1 / S + test_over_train) s^2,  df = S - 1,
// s^2 their variance, test_over_train = n_test / n_train of a split, > 0.  It speaks for other
// splits and, as each trains anew on other images, for other training sets of this size.
Estimate resampled_t(std::span<const double> per_split, double test_over_train);

// Repeated k-fold cross-validation: the larger of two variances, with its degrees of freedom.
//   crossed: over repetitions and cases.  Every repetition tests every case once, so repetitions
//   stand for seeds (crossed_t on repetitions x groups; for AUROC reader_contrast with repetitions
//   as readers).  It knows that the cases are the same, but not that the training images are.
//   resampled: resampled_t over all folds with 1 / (k - 1) (Bouckaert and Frank 2004).
// The value is that of `crossed`.  per_fold: the differences of all folds of all repetitions;
// folds = k >= 2.
Estimate repeated_folds_t(const Estimate& crossed, std::span<const double> per_fold,
                          std::size_t folds);

}  // namespace bioptic
