// Metrics of every trial and arm of a study, and their intervals.
#pragma once

#include "bioptic/study/summary.h"
#include "bioptic/train/evaluation.h"

namespace bioptic {

// Fills the trials' metrics and intervals and the arm's metrics and confusion from the trials'
// results.  Trials must be in place, sorted by seed; `images` are all of the dataset, by row.
// Returns sentences for the report: scores that are not finite.
std::vector<std::string> measure_arm(ArmSummary& arm, const Reading& reading,
                                     const StudyImages& images,
                                     const std::vector<std::string>& class_names);

}  // namespace bioptic
