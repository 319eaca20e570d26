// A dataset's images as a model gets them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bioptic/data/dataset.h"
#include "bioptic/study/image_traits.h"
#include "bioptic/study/model_file.h"

namespace bioptic {

// 8-bit images as they are stored, 16-bit ones through the model's window, some at a time: all of
// them in 8 bits would take as much memory as half the dataset.
class ModelInput {
 public:
  // Both must outlive it.  The images must have the model's size and channels.  name: of the
  // dataset, for a person.  Throws InputError where they are 16 bit and the model has no window.
  ModelInput(ModelFile& model, const Dataset& dataset, const std::string& name);

  const Dataset& dataset() const { return dataset_; }

  // rows x outputs logits.
  std::vector<float> logits(std::span<const std::size_t> rows) const;
  // By position in `rows`.
  std::vector<ImageTraits> traits(std::span<const std::size_t> rows, ThreadPool& pool) const;

 private:
  // One image's pixels; in `buffer` where they are not stored so.
  std::span<const std::uint8_t> image(std::size_t row, std::vector<std::uint8_t>& buffer) const;

  ModelFile& model_;
  const Dataset& dataset_;
  std::vector<std::uint8_t> grey_;  // of every 16-bit value, see window.h; empty for 8 bits
};

}  // namespace bioptic
