// Metrics of one trained model on one split with K classes.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "bioptic/stats/intervals.h"

namespace bioptic {

struct MulticlassMetrics {
  std::size_t images = 0, not_finite = 0;
  std::vector<std::size_t> confusion;        // K x K, row = label, column = predicted class
  std::optional<Proportion> accuracy;        // Wilson's 95 % interval
  std::optional<double> balanced_accuracy;   // mean recall; empty when a class has no image
  std::vector<std::optional<double>> auroc;  // per class against the rest
  // Their mean, all classes weighing the same; empty when one of them is undefined.
  std::optional<double> macro_auroc;
};

// scores: n x classes row-major, probabilities or logits of each class; labels: n in [0, classes).
// The predicted class is the one with the largest score, of equals the first.  An image with a
// score that is NaN or infinite counts as wrong: ranked last for its own class, first for all
// others, and predicted as the class after its own (the first after the last).  Throws InputError
// for other shapes or labels.
MulticlassMetrics multiclass_metrics(std::span<const double> scores, std::span<const int> labels,
                                     std::size_t classes);

// The scores with each row that is not finite mended as above, and the predicted class of each row.
struct CleanRows {
  std::vector<double> ranks;
  std::vector<std::size_t> predicted;
  std::size_t not_finite = 0;
};
CleanRows clean_rows(std::span<const double> scores, std::span<const int> labels,
                     std::size_t classes);

}  // namespace bioptic
