// How many cases a metric of a trial rests on, and whether they are enough to speak for others.
#pragma once

#include <cstddef>
#include <string>

#include "bioptic/stats/effective_groups.h"
#include "bioptic/study/metric_values.h"
#include "bioptic/study/prediction_table.h"

namespace bioptic {

struct EffectiveCases {
  // Of the images that the metric looks at; of a metric that looks at every class by itself
  // (balanced accuracy, AUROC) the smallest of its classes.
  EffectiveGroups groups;
  std::string which;        // those images, for people: "20 images of class 'sick'"
  std::string why_too_few;  // for people: which class, how many, what is needed; empty = enough
};
EffectiveCases effective_cases(const PredictionTable& table, const PredictedTrial& trial,
                               Metric metric);

// In words: the images (`which`: "the 6 images") of so many groups are too few for a verdict on
// other cases.  effective: EffectiveGroups::of_mean.
std::string too_few_cases(const std::string& which, std::size_t images, std::size_t groups,
                          double effective);

}  // namespace bioptic
