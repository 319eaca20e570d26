// Do two samples of images come from one distribution?  Three tests; all p-values by permuting
// whole groups between the samples, which holds the level whatever the sizes of the groups, if
// groups are independent and, without a shift, alike in both samples.
//
// The same images in the same groups give the same numbers, in whatever order they come and
// whatever the groups are called (group_permutation.h).
//
// A different share of the classes is a shift too, and these tests see it.  To ask for a shift
// within the classes, call them with the images of one class.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "bioptic/stats/gram.h"
#include "bioptic/stats/group_permutation.h"
#include "bioptic/stats/ridge_discriminant.h"

namespace bioptic {

// p can be no smaller than 1 / (1 + permutations).  With 1,999 the standard deviation of a p near
// 0.05 over the draws of permutations is 0.005.
struct PermutationSettings {
  int permutations = 1999;
  std::uint64_t seed = 0;  // of the streams "shift ks", "shift mmd", "shift c2st", and of folds
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

// One deal of folds makes p a matter of luck: on X-rays without a shift, ten deals gave p from
// 0.005 to 0.25 for the same images.  So scores are averaged over `deals`, in the statistic and in
// every permutation alike.  Many folds make a deal matter less and, by one inverse for all of them
// (ridge_discriminant.h), cost less; level and power are those of 5 or 10.  With these values the
// standard deviation of a p near 0.05 over draws of folds and permutations is about 0.02
// (shift_test.cpp, AnotherDrawMovesPLittle).
struct ClassifierSettings {
  std::size_t folds = 20;  // at least 2; fewer groups make fewer folds
  std::size_t deals = 50;
  double ridge = kDiscriminantRidge;
};

// Classifier two-sample test (Lopez-Paz & Oquab 2017): a ridge discriminant learns to tell the
// samples apart on all folds but one and is judged on that one.  Folds are dealt to whole groups by
// their images' contents, without a look at the samples, and kept for all permutations.  The
// features are standardised over the pooled images, which permutations do not change; the decision
// is corrected for the samples' sizes in the training folds.
ClassifierShiftTest classifier_shift_test(const Gram& gram, const TwoSamples& samples,
                                          const PermutationSettings& settings = {},
                                          const ClassifierSettings& classifier = {});

}  // namespace bioptic
