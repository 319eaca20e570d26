// Cross-fitted ridge discriminant on many features and few images, averaged over several deals of
// folds, for many labellings of the same images at once.
//
// The discriminant is ridge regression of the label (0, 1) with a free intercept: for two classes
// its direction is that of regularised linear discriminant analysis (Friedman 1989; Hastie,
// Tibshirani & Friedman 2009, section 4.3), whose log odds are a positive multiple of its
// deviation from the label's mean, and it is the first Newton step of ridge logistic regression.
// Kim, Ramdas, Singh and Wasserman (2021, "Classification accuracy as a proxy for two-sample
// testing", Annals of Statistics 49) show that the accuracy of such a discriminant has the power of
// the best tests up to a constant.  Logistic regression itself would have to be fitted anew for
// every labelling, fold and deal: 10 deals of 5 folds and 1,999 permutations of 800 images take 200
// seconds, here 50 deals of 20 folds take 2.  Held-out scores are linear in the labels, so one
// matrix serves all labellings.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "bioptic/stats/gram.h"

namespace bioptic {

// Penalty on the squared weights of z / sqrt(features), so that an average image has a squared norm
// of 1 whatever the number of features: 4 is what ridge logistic regression with a penalty of 1 has
// where the log odds are near 0, as the curvature there is 1/4.  It is fixed, not tuned: tuning
// would have to be repeated in every permutation.
inline constexpr double kDiscriminantRidge = 4;

// The matrix (n x n) that takes the labels y, 0 or 1, to the mean over the deals of each image's
// held-out score: the prediction of a ridge regression fitted on the other folds, less the mean
// label of those: above 0 the features speak for label 1.  Numbers are of the size of a
// probability.
//
// deals: one fold per image, from 0; each deal has at least two folds.  ridge > 0.  One inverse
// serves all folds of all deals: with A the inverse of gram + ridge, bordered by the intercept, the
// held-out residuals of the images h are inverse(A_hh) (A y)_h (An, Liu & Venkatesh 2007, "Fast
// cross-validation algorithms for least squares support vector machine and kernel ridge
// regression").
std::vector<double> held_out_scores(const Gram& gram,
                                    std::span<const std::vector<std::size_t>> deals, double ridge);

}  // namespace bioptic
