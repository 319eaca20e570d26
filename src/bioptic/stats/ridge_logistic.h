// Cross-fitted ridge logistic regression on many features and few images, for many labellings of
// the same images at once.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace bioptic {

// Inner products of standardised rows: gram[i * n + j] = sum over features of z_i z_j / features,
// where z is the feature less its mean over its population standard deviation, both over all n
// rows; a constant feature counts as 0.
struct Gram {
  std::size_t n = 0;
  std::vector<double> products;  // n x n
  double operator()(std::size_t i, std::size_t j) const { return products[i * n + j]; }
};

// features: n x `columns` row-major, finite.  Throws InputError for another shape or value.  Takes
// about n^2 columns / 2 multiplications.
Gram standardised_gram(std::span<const double> features, std::size_t columns);

struct RidgeLogistic {
  // Penalty ridge / 2 * |w|^2 on the weights of z / sqrt(features), so that an average image has a
  // squared norm of 1 whatever the number of features.  It is fixed, not tuned: tuning would have
  // to be repeated in every permutation.  1 is a middle: on 25 draws of 300 smooth random images of
  // 32 x 32 with a shift in every seventh component, 0.03, 0.1, 1 and 10 found 24, 24, 19 and 12
  // shifts by their AUC, while for 120 images and a shift of brightness (shift_test.cpp,
  // FindAShift) 0.1 gave an AUC of 0.58 and found nothing where 1 gave more than 0.7.
  double ridge = 1;
  // The intercept is a further feature that is sqrt(this) for every image: hardly penalised.
  double intercept_scale = 10;
  // Iterations end when no entry of the dual gradient is larger; it is of the scale of a
  // probability.
  double tolerance = 1e-6;
  int max_steps = 200;
};

// For each labelling (n entries, 0 or 1), each image's log odds of label 1 by a model fitted on the
// other folds, less the log odds ((n1 + 1/2) / (n0 + 1/2)) of label 1 among the images it was
// fitted on: above 0 the features speak for label 1.  fold: n entries in [0, folds).
//
// The fit is exact ridge logistic regression, in its dual form (weights are combinations of
// images) by Boehning and Lindsay's (1988) bound: the curvature p (1 - p) is replaced by its upper
// bound 1/4, so that one Cholesky factor per fold serves all iterations of all labellings.
std::vector<std::vector<double>> cross_fitted_log_odds(const Gram& gram,
                                                       std::span<const std::size_t> fold,
                                                       std::size_t folds,
                                                       std::span<const std::vector<int>> labellings,
                                                       const RidgeLogistic& settings = {});

}  // namespace bioptic
