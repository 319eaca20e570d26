// What validation was used for in an arm's training, beside being predicted.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bioptic/model/spec.h"

namespace bioptic {

struct Chosen {
  std::vector<std::string> in_training;  // "the epoch", "the end (early stopping)", ...
  bool threshold = false;                // bears on metrics that have a threshold only

  bool any() const { return threshold || !in_training.empty(); }
};

// By select, early_stopping, a plateau schedule, and a threshold that is not fixed.
Chosen chosen_by_validation(const TrainSpec& spec);

// Why results of these arms on validation speak of no other patients: "validation chose the epoch
// of 'tuned', so ...".  arms: names with what validation chose in them; with_threshold: the metric
// has a threshold.  "" where it chose nothing that the metric rests on.
std::string why_chosen(const std::vector<std::pair<std::string, Chosen>>& arms,
                       bool with_threshold);

}  // namespace bioptic
