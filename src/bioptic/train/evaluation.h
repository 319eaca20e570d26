// Loss, accuracy and AUROC of stored logits.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "bioptic/model/spec.h"
#include "bioptic/train/trial.h"

namespace bioptic {

// What reading logits takes.
struct Reading {
  LossSpec loss;
  int classes = 2;
  int positive = 1;
  std::size_t outputs() const { return static_cast<std::size_t>(output_count(loss.kind, classes)); }
};

// logits: labels.size() x outputs.
double mean_loss(const Reading& reading, std::span<const std::int64_t> labels,
                 std::span<const float> logits);
// Every sample's loss times its coefficient, summed.
double weighted_loss(const Reading& reading, std::span<const std::int64_t> labels,
                     std::span<const float> logits, std::span<const float> coefficients);
// Share of labels predicted right; threshold on the positive class's score (two classes).
double accuracy(const Reading& reading, std::span<const std::int64_t> labels,
                std::span<const float> logits, double threshold);
// Ranks by the logit (by the difference of the two for cross-entropy); more than two classes:
// one-vs-rest on the softmax, averaged.  NaN where a class is absent or a logit is not finite.
double area_under_roc(const Reading& reading, std::span<const std::int64_t> labels,
                      std::span<const float> logits);
bool one_predicted_class(const Reading& reading, std::span<const float> logits, double threshold);
// From the scores of a split, by the specification's rule.  Two classes only; else 0.5.
double choose_threshold(const ThresholdSpec& spec, const Reading& reading,
                        std::span<const std::int64_t> labels, std::span<const float> logits);

}  // namespace bioptic
