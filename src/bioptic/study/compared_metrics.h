// Which metrics predictions from elsewhere can be compared by.
#pragma once

#include <string>
#include <vector>

#include "bioptic/study/metric_values.h"
#include "bioptic/study/prediction_table.h"

namespace bioptic {

// Why the metric is left out, naming the remedy, or "": sensitivity and specificity need a positive
// class, AUROC, Brier score and log loss need scores that are more than labels, in every arm.
std::string why_left_out(const PredictionTable& table, Metric metric);

// Those of metrics_of() that are not left out.
std::vector<Metric> compared_metrics(const PredictionTable& table);

}  // namespace bioptic
