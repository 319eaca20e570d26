// The small pictures of index.html, as SVG inside the page: no program draws them, and they follow
// the page's colours (var(--train), var(--val), var(--mark), var(--soft), var(--line)).
#pragma once

#include <string>

#include "bioptic/report/overview.h"

namespace bioptic {

// What the charts of one study share, so that they can be compared by eye.
struct ChartScale {
  double accuracy_low = 0;  // of 0 .. 1; the top is 1
  double loss_high = 1;     // curves above are cut
};
ChartScale chart_scale(const StudyOverview& study);

// Accuracy and loss of training and validation by epoch: medians and interquartile bands.
std::string curves_svg(const OverviewArm& arm, const ChartScale& scale);

// Test accuracy of every seed as dots, the mean, its interval, the report's number as a cross; from
// `low` to `high`, parts of 1.
std::string accuracy_svg(const OverviewArm& arm, double low, double high);

// A claim's effect and interval beside 0 (or one half); "" where there is none.
std::string effect_svg(const OverviewClaim& claim);

}  // namespace bioptic
