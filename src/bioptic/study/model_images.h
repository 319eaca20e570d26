// The images that a model has seen, as entries of its file's metadata.
//
//   training_images       what they are like (TrainingImages)
//   source_images         what their source is like (SourceExtent), where the dataset tells
//   pixel_hashes_train    which it was trained on, and chosen by (PixelHashes)
//   pixel_hashes_val
//   pixel_hashes_test     only where its study drew the test split; the source names it otherwise
//   pixel_hashes_holdout  only where there is one
//
// They are texts and no tensors, so that any other program loads the weights as before.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bioptic/base/parallel.h"
#include "bioptic/data/dataset.h"
#include "bioptic/data/split.h"
#include "bioptic/study/pixel_hashes.h"
#include "bioptic/study/training_images.h"

namespace bioptic {

struct ModelImages {
  // All are empty for a model saved before these were kept.
  std::optional<TrainingImages> training;
  std::optional<SourceExtent> source;
  std::optional<PixelHashes> train, val, test, holdout;
};

// Of every image, by row.  The dataset must be uint8, and not equalized.
std::vector<ImageTraits> traits_of(const Dataset& dataset, ThreadPool& pool);

// Whether a study draws its test split from the dataset: the source names none, or the trial is a
// control's.
bool draws_test(const Dataset& dataset, const SplitSpec& split);

// The entries of a trial's model.  images: traits_of() its dataset; holdout: SplitPlan::holdout.
std::map<std::string, std::string> image_entries(const Dataset& dataset, const SplitSpec& split,
                                                 const Splits& splits,
                                                 std::span<const std::uint32_t> holdout,
                                                 std::span<const ImageTraits> images);

// From a model's metadata.  Throws InputError or nlohmann::json::exception where they are damaged.
ModelImages model_images(const std::map<std::string, std::string>& metadata);

}  // namespace bioptic
