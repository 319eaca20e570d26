// From the store to all that a report is made of.
#pragma once

#include <string>
#include <vector>

#include "bioptic/store/store.h"
#include "bioptic/study/summary.h"

namespace bioptic {

// Reads one study's trials and images; `name` must be in the store (InputError names those that
// are).  `images`: the study's dataset, for what the gap section finds in the images themselves;
// null leaves that out.
StudySummary summarise(const Store& store, const std::string& name,
                       const Dataset* images = nullptr);

// The same without what is computed from the trials: no metrics, comparisons, claims, variance or
// gap.
StudySummary read_trials(const Store& store, const std::string& name);

// A sentence on the trials of a store that no study shows any more, "" without any.
std::string unplaced_words(const Store& store);

// How far a study is.
struct StudyProgress {
  std::string name;
  int done = 0, collapsed = 0, running = 0, missing = 0, failed = 0;  // places (arm, seed)
  double seconds_left = 0;  // from the mean time of the finished trials; NaN where there are none
};
// `alive`: whether a run is writing now; without one nothing is running.
StudyProgress progress_of(const Store& store, const std::string& name, bool alive);

}  // namespace bioptic
