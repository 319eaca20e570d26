// Every metric of one trained model, and each of them with one block of groups left out after the
// other: what intervals over patients are made of.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bioptic/stats/auroc_interval.h"
#include "bioptic/stats/estimate.h"
#include "bioptic/stats/metrics.h"
#include "bioptic/stats/multiclass.h"

namespace bioptic {

struct JackknifedMetric {
  std::optional<double> value;  // empty where undefined
  std::vector<double> without;  // one per block; NaN where undefined without that block
};

// By name: auroc, average_precision, accuracy, sensitivity, specificity, balanced_accuracy, mcc,
// f1, brier, log_loss, calibration_slope, calibration_intercept (slope held at 1),
// expected_calibration_error, net_benefit (threshold probability 0.5).
using JackknifedMetrics = std::map<std::string, JackknifedMetric>;

// The values by name, undefined ones empty.
std::map<std::string, std::optional<double>> named_metrics(const BinaryMetrics& metrics);

// A group is a block of its own up to this many groups; more are dealt at random into so many
// blocks (the delete-a-group jackknife, Kott 2001), so that the work stays linear in the images.
inline constexpr std::size_t kMostBlocks = 400;

// The block of every image, 0, 1, ..., without gaps.  groups: one number per image, equal numbers
// are one group; empty: each image is its own.
std::vector<std::size_t> jackknife_blocks(std::span<const int> groups, std::size_t images);

// Exact leave-out values but for the two calibration numbers, which take one (intercept) and two
// (slope) Newton steps from the fit on all images (compare Pregibon 1981).  Throws as clean().
JackknifedMetrics jackknifed_metrics(const ScoredSplit& split,
                                     std::span<const std::size_t> block_of, double threshold = 0.5,
                                     int bins = 10);

// More than two classes: accuracy, balanced_accuracy, auroc (one class against the rest,
// averaged).  Throws as multiclass_metrics().
JackknifedMetrics jackknifed_multiclass(std::span<const double> scores, std::span<const int> labels,
                                        std::size_t classes, std::span<const std::size_t> block_of);

// Interval over patients of one trained model: jackknife variance, t with blocks - 1 degrees of
// freedom.  nullopt when the metric is undefined, also without some block, or for fewer than two
// blocks.
std::optional<Estimate> jackknife_estimate(const JackknifedMetric& metric);

// Over seeds and patients at once: the mean over seeds (readers) of a metric, as for one modality
// of Obuchowski and Rockette (Hillis, Obuchowski & Berbaum 2011):
//   V = MS(R) / R + max(Cov2, 0),
//   df = (MS(R) + R max(Cov2, 0))^2 / (MS(R)^2 / (R - 1) + (R max(Cov2, 0))^2 / (B - 1)).
// The last term, for the finite number of blocks B, is that of the crossed t; Hillis leaves it out.
// nullopt for fewer than two seeds, or where a seed's metric has no jackknife_estimate.
std::optional<Estimate> seeds_and_patients(std::span<const JackknifedMetric* const> of_seed);

}  // namespace bioptic
