// All metrics of every arm, with their intervals: as a table of the report and as CSV.
#pragma once

#include <string>

#include "bioptic/study/summary.h"

namespace bioptic {

// A metric by the name that follows the split in StudySummary's keys, and as the report calls it;
// `note`: how it is defined where that is not the same everywhere.
struct MetricHeading {
  const char* name;
  const char* heading;
  const char* note;
};
// In the order in which they are shown.
const std::vector<MetricHeading>& metric_headings();

// One row per value and interval: arm, seed, split, metric, value, sd, seeds, low, high,
// interval_over, method.  Without a seed: the mean over seeds, with its interval over seeds (t) and
// over seeds and patients; with a seed: that trained model, over patients.
std::string metrics_csv(const StudySummary& summary);

// The report's section: one table an arm (test split), narrow enough for a telephone, the words
// that tell the intervals apart, and confusion counts of each arm.
std::string metrics_html(const StudySummary& summary);

}  // namespace bioptic
