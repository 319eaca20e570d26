// Everything measured of one trained model on one split with two classes.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "bioptic/stats/auroc_interval.h"
#include "bioptic/stats/calibration.h"
#include "bioptic/stats/intervals.h"
#include "bioptic/stats/metric_curves.h"

namespace bioptic {

// One split as one model scored it.
struct ScoredSplit {
  std::span<const double> scores;  // probability of class 1
  // Log odds of class 1, or empty: log(score / (1 - score)).  Ranks use them, because
  // probabilities in float32 tie at 1.
  std::span<const double> logits;
  std::span<const int> labels;  // 0 or 1
  std::span<const int> groups;  // equal numbers are one group; empty: each image is its own
};

// The split with its defects mended.  An image whose score or logit is NaN, or whose score is
// infinite, counts as wrong whatever its label: the other class with certainty, ranked on the wrong
// side of all others.  A model that says nothing is then never right by the order of the classes.
struct CleanSplit {
  std::vector<double> scores;
  std::vector<double> ranks;  // logits, infinite where a score is 0 or 1 and none were given
  // Logits for losses and calibration, cut to +-log((1 - e) / e) with e = 2^-52: a probability cut
  // to [e, 1 - e], as sklearn.metrics.log_loss does.
  std::vector<double> logits;
  std::vector<char> finite;    // 0 where the image counted as wrong
  std::size_t not_finite = 0;  // how many did
  bool probabilities = true;   // false when some finite score is outside [0, 1]
};

// Throws InputError when lengths differ or a label is neither 0 nor 1.
CleanSplit clean(const ScoredSplit& split);

// An empty value is undefined on this split, never 0.5 or 0.  Intervals are of 95 % and for this
// one trained model.
struct BinaryMetrics {
  std::size_t images = 0, not_finite = 0;
  std::size_t true_positives = 0, false_positives = 0, true_negatives = 0, false_negatives = 0;

  std::optional<double> auroc;                 // needs both classes
  std::optional<AurocInterval> auroc_between;  // DeLong, or the jackknife where groups are shared
  bool auroc_by_jackknife = false;
  std::optional<double> average_precision;  // needs both classes

  // At the threshold.  Wilson's intervals take images for independent: too narrow for groups.
  std::optional<Proportion> accuracy;
  std::optional<Proportion> sensitivity;  // needs class 1
  std::optional<Proportion> specificity;  // needs class 0
  std::optional<double> balanced_accuracy;
  std::optional<double> mcc;  // needs both classes among labels and among predictions
  std::optional<double> f1;   // needs class 1 among labels or predictions

  // Of the probabilities; empty where a score is outside [0, 1].
  std::optional<double> brier, log_loss;
  std::optional<CalibrationLine> calibration;  // over the images with finite scores
  std::optional<double> expected_calibration_error;
  std::optional<double> net_benefit;  // at a threshold probability of 0.5: (TP - FP) / n there
};

// The rule is `score > threshold`, strictly; threshold in [0, 1], chosen before this split was
// seen.  `bins` are the equal-width bins of the expected calibration error.  Throws as clean().
// For the curves pass clean().ranks to roc_curve and precision_recall_curve, clean().scores to
// reliability_curve and decision_curve.
BinaryMetrics binary_metrics(const ScoredSplit& split, double threshold = 0.5, int bins = 10);

// Fills what follows from `images` and the four counts: accuracy to F1.
void rates_of_counts(BinaryMetrics& metrics);

}  // namespace bioptic
