// From a study's [data] to the images that are trained on.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bioptic/data/clahe.h"
#include "bioptic/data/dataset.h"
#include "bioptic/data/split.h"
#include "bioptic/study/spec.h"

namespace bioptic {

// The dataset's images after CLAHE, for arms that ask for it.
struct EqualizedData {
  Clahe clahe;
  Dataset dataset;
};

struct PreparedData {
  Dataset dataset;                       // uint8
  std::vector<EqualizedData> equalized;  // one for every CLAHE that an arm has
  Groups groups;
  SplitPlan plan;                         // of all arms but controls
  std::optional<SplitPlan> control_plan;  // of those, where the study has any
  int positive = 1;                       // label of the positive class
  std::string source;                     // the path, or the phantom in words
  std::vector<std::string> notes;         // sentences for the run and the report
  StudyData study_data() const;
  // The images that the trial is trained and evaluated on: rows, labels and splits are the same.
  const Dataset& dataset_of(const TrialSpec& trial) const;
  const SplitPlan& plan_of(const TrialSpec& trial) const {
    return trial.split.control ? *control_plan : plan;
  }
};

struct PrepareOptions {
  std::optional<std::filesystem::path> data;  // --data
  std::filesystem::path out;                  // where a cache goes when there is no other place
  int threads = 1;
  // Progress of an import or the phantom: what, done, total.
  std::function<void(const std::string&, std::size_t, std::size_t)> progress;
};

// A dataset folder is used as it is.  A source that can be imported, and the phantom, become a
// dataset in the cache ($BIOPTIC_CACHE, else $XDG_CACHE_HOME/bioptic, else ~/.cache/bioptic, else
// <out>/.cache), found again by the content's hash.  16 bit becomes 8 by the declared window, and
// CLAHE is done once for all trials that share its parameters, cached too: their images lie on disk
// and are mapped, so that memory does not grow with their number, and the next run finds them.  All
// of them are read once and held against the SHA-256 that they record, also those found in the
// cache.  Throws InputError when one differs, and naming what does not fit: a dataset of another
// size or number of channels, an unknown positive class, splits that cannot be made.
PreparedData prepare_data(const StudySpec& study, const PrepareOptions& options);

}  // namespace bioptic
