// Fewer images of a table of predictions.
#pragma once

#include <vector>

#include "bioptic/study/prediction_table.h"

namespace bioptic {

// The table without the images for which `keep` is false (parallel to table.images).
PredictionTable keep_images(const PredictionTable& table, const std::vector<bool>& keep);

// The test images whose group is in no other split of the study.
PredictionTable without_shared_groups(const PredictionTable& test, const StudySummary& summary);

}  // namespace bioptic
