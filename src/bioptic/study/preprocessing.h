// What was done to images before they were trained on, held against what was done to others.
#pragma once

#include <string>
#include <vector>

#include "bioptic/data/import.h"

namespace bioptic {

struct PreprocessingDifference {
  std::string what;         // "fit", "DICOM window", "bits", ...
  std::string model, data;  // for a person
};

// `model`, `data`: DatasetInfo::preprocessing of the images that a model was trained on and of
// those that it is to be used on.  What only one of the two records is no difference, but for the
// window of DICOM files and CLAHE; nor is how images were fitted where one side was not resized.
std::vector<PreprocessingDifference> preprocessing_differences(const std::string& model,
                                                               const std::string& data);

// "fit: crop in training, pad here; bits: 16 in training, 8 here".
std::string in_words(const std::vector<PreprocessingDifference>& differences);

// The window that a model's images were made with; the default where they were no DICOM files.
DicomOptions dicom_options_of(const std::string& model);

}  // namespace bioptic
