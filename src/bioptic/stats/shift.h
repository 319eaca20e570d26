// Do two samples of images come from one distribution?  Three tests; all p-values by permuting
// whole groups between the samples, which holds the level whatever the sizes of the groups, if
// groups are independent and, without a shift, alike in both samples.
//
// A different share of the classes is a shift too, and these tests see it.  To ask for a shift
// within the classes, call them with the images of one class.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "bioptic/stats/group_permutation.h"
#include "bioptic/stats/ridge_logistic.h"

namespace bioptic {

// p can be no smaller than 1 / (1 + permutations).
struct PermutationSettings {
  int permutations = 199;
  std::uint64_t seed = 0;  // of the random streams "shift ks", "shift mmd", "shift c2st", ...
};

// Both empty when a sample has fewer than two groups, or where a test says so.
struct ShiftTest {
  std::optional<double> statistic, p;
};

// Kolmogorov-Smirnov: largest distance between the two empirical distribution functions.  scores: n
// numbers, of a classifier the average over seeds; not NaN (InputError).
ShiftTest ks_shift_test(std::span<const double> scores, const TwoSamples& samples,
                        const PermutationSettings& settings = {});

// Maximum mean discrepancy, the unbiased estimate of its square (Gretton et al. 2012, equation 3),
// with the kernel exp(-|x - y|^2 / (2 s^2)), s the median distance over all pairs of the pooled
// images; can be negative.  gram: of the features, standardised over the pooled images.  Empty also
// when that median is 0.
ShiftTest mmd_shift_test(const Gram& gram, const TwoSamples& samples,
                         const PermutationSettings& settings = {});

struct ClassifierShiftTest {
  // Of the held-out predictions: 1/2 where nothing tells the samples apart.  p is one-sided.
  std::optional<double> balanced_accuracy, balanced_accuracy_p;
  std::optional<double> auc, auc_p;
};

// Classifier two-sample test (Lopez-Paz & Oquab 2017): ridge logistic regression learns to tell the
// samples apart on all folds but one and is judged on that one.  Folds are dealt by group, once,
// without a look at the samples (stream "shift c2st folds"), and kept for all permutations.  The
// features are standardised over the pooled images, which permutations do not change; the decision
// is corrected for the samples' sizes in the training folds.  `folds` at least 2; fewer groups make
// fewer folds.
ClassifierShiftTest classifier_shift_test(const Gram& gram, const TwoSamples& samples,
                                          const PermutationSettings& settings = {},
                                          std::size_t folds = 5,
                                          const RidgeLogistic& regression = {});

}  // namespace bioptic
