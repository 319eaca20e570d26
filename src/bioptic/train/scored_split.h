// Stored logits read as what the metrics in stats/ take.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bioptic/stats/metrics.h"
#include "bioptic/train/evaluation.h"

namespace bioptic {

// Two classes: scores as predicted_label() compares them, logits of the positive class.
struct ReadSplit {
  std::vector<double> scores, logits;
  std::vector<int> labels;  // 1 = the positive class
  // Images whose score is not finite: they count as label 0.  Where that is the positive class,
  // score and logit are 1 and infinity here; else NaN.
  std::size_t not_finite = 0;
  // groups: one number per image, or empty; views live as long as this object.
  ScoredSplit view(std::span<const int> groups = {}) const;
};
// logits: labels.size() x outputs.  Labels are of the dataset (0 or 1).
ReadSplit read_split(const Reading& reading, std::span<const std::int64_t> labels,
                     std::span<const float> logits);

// More than two classes: per image and class the logarithm of p / (1 - p) under the softmax, which
// ranks as the probability does and does not tie at 1.  A row with a logit that is not finite is
// all NaN.  Returns images x classes.
std::vector<double> class_log_odds(const Reading& reading, std::span<const float> logits);

}  // namespace bioptic
