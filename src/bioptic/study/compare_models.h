// Two trained models on the same images: what can be said with one seed an arm.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bioptic/study/prediction_table.h"

namespace bioptic {

// Never of two settings: another training of either would be another model.
struct ModelComparison {
  std::string a, b;  // arms
  std::int64_t seed = 0;
  int only_a_right = 0, only_b_right = 0;
  double accuracy_difference = 0;  // a - b
  double mcnemar_p = 0;            // exact; takes images for independent
  // Where groups have several images: t over the group values of the difference (the crossed t's
  // cases with one seed).
  std::optional<double> grouped_p;
  // Two classes, both present.  DeLong, or the jackknife over groups where they have several
  // images.
  std::optional<double> auroc_difference, auroc_p;
  bool auroc_by_jackknife = false;
};

// Every pair of arms with the one seed that both have; empty where arms share more than one.
std::vector<ModelComparison> compare_models(const PredictionTable& table);

}  // namespace bioptic
