// The steps of one epoch: batch order and dropout masks from their own streams, learning rates from
// the schedule.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "bioptic/base/parallel.h"
#include "bioptic/data/dataset.h"
#include "bioptic/engine/engine.h"
#include "bioptic/model/schedule.h"
#include "bioptic/train/augment.h"
#include "bioptic/train/image_maps.h"
#include "bioptic/train/trial.h"

namespace bioptic {

// Rows of `train` in the order of an epoch (from 1): Fisher-Yates from the stream
// (seed, "order/epoch <e>").
std::vector<std::uint32_t> epoch_order(std::span<const std::uint32_t> train, std::uint64_t seed,
                                       int epoch);

// What the steps of all epochs share.
struct BatchContext {
  const NormalisedImages* images = nullptr;
  const TrainSpec* train = nullptr;
  const Schedule* schedule = nullptr;
  int outputs = 1;
  std::uint64_t order_seed = 0;
  Augmenter* augmenter = nullptr;   // null: the engine reads the stored pixels
  ThreadPool* pool = nullptr;       // for the augmenter
  std::span<const double> weights;  // of images, by row of the dataset; empty = all 1
};

class EpochSource : public StepSource {
 public:
  // Called when a step is done: its number from 0 over the whole run, the step, its rows of the
  // dataset.
  using Done = std::function<void(std::int64_t, const Step&, std::span<const std::uint32_t>)>;

  // watched: see Schedule::at.  `epoch` from 1.
  EpochSource(const BatchContext& context, std::vector<std::uint32_t> order, int epoch,
              std::span<const double> watched, Done done);

  const Step* next() override;
  void done(const Step& step) override;

 private:
  struct Slot {
    Step step;
    std::vector<float> logits;
    AlignedBuffer<std::uint8_t> pixels;  // of the step's rows, where they are augmented
    std::int64_t number = 0;
    std::size_t begin = 0;  // into order_
  };
  void fill_masks(Slot& slot);
  void augment(Slot& slot) const;

  BatchContext context_;
  std::vector<std::uint32_t> order_;
  std::vector<AugmentedImage> images_;  // as order_, where they are augmented
  int epoch_;
  std::span<const double> watched_;
  Done done_;
  std::array<Slot, 3> ring_;  // an engine holds two; a third is never read while one is refilled
  std::size_t next_in_epoch_ = 0, steps_in_epoch_ = 0;
};

}  // namespace bioptic
