// The images that `eval` evaluates.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bioptic/base/parallel.h"
#include "bioptic/study/model_input.h"

namespace bioptic {

// Who says which images are of the split.
enum class SplitFrom {
  source,  // the dataset names it, or all images are asked for
  drawn,   // the model's study drew it from this dataset, and it is drawn again
  pixels   // the model's study drew it, and its images are known by their pixels
};
const char* name_of(SplitFrom);

struct EvaluatedImages {
  std::vector<std::size_t> rows;     // of the dataset
  std::vector<std::int64_t> labels;  // the model's
  SplitFrom from = SplitFrom::source;
};

// split: train, val, test, holdout or all.  A test split that the model's study drew is found where
// the dataset names none, the control's also where it names one.  name: of the dataset, for a
// person.  Throws InputError where the model does not know a class, or the split is not found.
EvaluatedImages evaluated_images(const ModelFile& model, const ModelInput& input,
                                 const std::string& name, const std::string& split,
                                 ThreadPool& pool);

}  // namespace bioptic
