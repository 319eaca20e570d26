#include "bioptic/study/model_images.h"

#include "bioptic/base/error.h"
#include "bioptic/base/nesting.h"

namespace bioptic {
namespace {

constexpr const char* kTraining = "training_images";
constexpr const char* kSource = "source_images";
constexpr const char* kTrain = "pixel_hashes_train";
constexpr const char* kVal = "pixel_hashes_val";
constexpr const char* kTest = "pixel_hashes_test";
constexpr const char* kHoldout = "pixel_hashes_holdout";

}  // namespace

std::vector<ImageTraits> traits_of(const Dataset& dataset, ThreadPool& pool) {
  const DatasetInfo& info = dataset.info();
  std::vector<ImageTraits> traits(dataset.size());
  pool.run(traits.size(), [&](std::size_t row) {
    traits[row] = traits_of(dataset.image8(row), info.channels, info.height, info.width);
  });
  return traits;
}

bool draws_test(const Dataset& dataset, const SplitSpec& split) {
  if (split.control) return true;
  for (std::size_t row = 0; row < dataset.size(); ++row) {
    if (dataset.record(row).split == "test") return false;
  }
  return true;
}

std::map<std::string, std::string> image_entries(const Dataset& dataset, const SplitSpec& split,
                                                 const Splits& splits,
                                                 std::span<const std::uint32_t> holdout,
                                                 std::span<const ImageTraits> images) {
  const auto hashes = [&](std::span<const std::uint32_t> rows) {
    std::vector<std::uint64_t> list;
    for (const std::uint32_t row : rows) list.push_back(images[row].hash);
    return PixelHashes(std::move(list)).text();
  };
  std::map<std::string, std::string> entries{
      {kTraining, TrainingImages(images, splits.train, dataset.info().channels).text()},
      {kTrain, hashes(splits.train)},
      {kVal, hashes(splits.val)}};
  if (const auto extent = source_extent(dataset.info().provenance)) {
    entries[kSource] = extent->text();
  }
  if (draws_test(dataset, split)) entries[kTest] = hashes(splits.test);
  if (!holdout.empty()) entries[kHoldout] = hashes(holdout);
  return entries;
}

ModelImages model_images(const std::map<std::string, std::string>& metadata) {
  ModelImages images;
  if (const auto it = metadata.find(kTraining); it != metadata.end()) {
    if (nested_too_deeply(it->second)) {
      throw InputError("its record of the training images is nested too deeply");
    }
    images.training.emplace(it->second);
  }
  if (const auto it = metadata.find(kSource); it != metadata.end()) {
    images.source = SourceExtent::read(it->second);
  }
  const auto read = [&](const char* key, std::optional<PixelHashes>& into) {
    if (const auto it = metadata.find(key); it != metadata.end()) {
      into = PixelHashes::read(it->second);
    }
  };
  read(kTrain, images.train);
  read(kVal, images.val);
  read(kTest, images.test);
  read(kHoldout, images.holdout);
  return images;
}

}  // namespace bioptic
