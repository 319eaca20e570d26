// Intervals for the area under the ROC curve of one trained model.  Scores may be infinite, not
// NaN; positive holds 1 or 0 per score.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace bioptic {

struct AurocInterval {
  double auroc = 0, variance = 0;  // variance of the estimate
  double low = 0, high = 0;        // cut to [0, 1]
};

// DeLong, DeLong & Clarke-Pearson 1988, normal quantiles, as pROC's ci.auc.  Takes every image for
// independent: only for splits where each group has one image.  nullopt with fewer than two images
// in a class.  An area of 0 or 1 has variance 0 and an interval of no width.
std::optional<AurocInterval> delong_interval(std::span<const double> scores,
                                             std::span<const int> positive,
                                             double confidence = 0.95);

// Jackknife that leaves out one group at a time, t quantiles with G - 1 degrees of freedom
// (Efron & Tibshirani 1993, chapter 11; for clustered ROC data compare Obuchowski 1997).  groups:
// one number per score, equal numbers are one group; empty means that each image is its own.
// nullopt with fewer than two groups or when one group holds all of a class.
std::optional<AurocInterval> auroc_jackknife(std::span<const double> scores,
                                             std::span<const int> positive,
                                             std::span<const int> groups, double confidence = 0.95);

// The area with each block of images left out; NaN where that leaves a class without an image.
// block_of: per score, 0 .. blocks - 1.
std::vector<double> auroc_without(std::span<const double> scores, std::span<const int> positive,
                                  std::span<const std::size_t> block_of, std::size_t blocks);

// Whether some group has more than one image; false for empty groups.
bool has_shared_groups(std::span<const int> groups);

}  // namespace bioptic
