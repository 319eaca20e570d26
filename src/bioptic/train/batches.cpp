#include "bioptic/train/batches.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "bioptic/base/random.h"
#include "bioptic/model/loss.h"

namespace bioptic {

std::vector<std::uint32_t> epoch_order(std::span<const std::uint32_t> train, std::uint64_t seed,
                                       int epoch) {
  std::vector<std::uint32_t> order(train.begin(), train.end());
  RandomStream(seed, "order/epoch " + std::to_string(epoch)).shuffle(std::span(order));
  return order;
}

EpochSource::EpochSource(const BatchContext& context, std::vector<std::uint32_t> order, int epoch,
                         std::span<const double> watched, Done done)
    : context_(context),
      order_(std::move(order)),
      epoch_(epoch),
      watched_(watched),
      done_(std::move(done)) {
  const auto batch = static_cast<std::size_t>(context_.train->batch_size);
  steps_in_epoch_ = (order_.size() + batch - 1) / batch;
  if (context_.augmenter == nullptr) return;
  std::map<std::uint32_t, std::uint32_t> seen;
  for (const std::uint32_t row : order_) images_.push_back({row, epoch_, seen[row]++});
}

const Step* EpochSource::next() {
  if (next_in_epoch_ == steps_in_epoch_) return nullptr;
  const TrainSpec& train = *context_.train;
  const auto batch = static_cast<std::size_t>(train.batch_size);
  Slot& slot = ring_[next_in_epoch_ % ring_.size()];
  slot.begin = next_in_epoch_ * batch;
  const std::size_t count = std::min(batch, order_.size() - slot.begin);
  slot.number = static_cast<std::int64_t>(steps_in_epoch_) * (epoch_ - 1) +
                static_cast<std::int64_t>(next_in_epoch_);

  Step& step = slot.step;
  step.rows.resize(count);
  step.labels.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t row = order_[slot.begin + i];
    step.rows[i] = context_.images->row(row);
    step.labels[i] = context_.images->dataset().label(row);
  }
  if (context_.augmenter != nullptr) augment(slot);
  const double denominator = loss_denominator(train.loss, step.labels);
  step.coefficients.assign(count, static_cast<float>(1 / denominator));
  if (!context_.weights.empty()) {
    for (std::size_t i = 0; i < count; ++i) {
      const double weight = context_.weights[order_[slot.begin + i]];
      step.coefficients[i] = static_cast<float>(weight / denominator);
    }
  }
  fill_masks(slot);

  const ScheduleValue value = context_.schedule->at(slot.number, watched_);
  step.lr = value.lr;
  const bool sgd = train.optimizer.kind == OptimizerKind::sgd;
  step.momentum = value.momentum.value_or(sgd ? train.optimizer.momentum : train.optimizer.beta1);
  slot.logits.assign(count * static_cast<std::size_t>(context_.outputs), 0);
  step.logits = slot.logits;
  ++next_in_epoch_;
  return &step;
}

// The step's rows get changed copies of their pixels, which are still read through the maps of the
// stored image.
void EpochSource::augment(Slot& slot) const {
  std::vector<Row>& rows = slot.step.rows;
  const std::size_t size = context_.augmenter->pixels_per_image();
  if (slot.pixels.size() < rows.size() * size) {
    slot.pixels = AlignedBuffer<std::uint8_t>(rows.size() * size);
  }
  std::vector<const std::uint8_t*> stored;
  for (const Row& row : rows) stored.push_back(row.pixels);
  context_.augmenter->apply(stored, std::span(images_).subspan(slot.begin, rows.size()),
                            *context_.pool, slot.pixels.data());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].pixels = slot.pixels.data() + i * size;
}

// Inverted dropout, as torch.nn.Dropout: a unit is kept with probability 1 - p and scaled by
// 1/(1-p).
void EpochSource::fill_masks(Slot& slot) {
  const ModelSpec& model = context_.train->model;
  if (model.dropout == 0) return;
  RandomStream stream(context_.order_seed, "dropout/step " + std::to_string(slot.number));
  const auto keep = static_cast<float>(1 / (1 - model.dropout));
  slot.step.masks.resize(model.hidden.size());
  for (std::size_t layer = 0; layer < model.hidden.size(); ++layer) {
    std::vector<float>& mask = slot.step.masks[layer];
    mask.resize(slot.step.rows.size() * static_cast<std::size_t>(model.hidden[layer]));
    for (float& factor : mask) factor = stream.uniform() < model.dropout ? 0 : keep;
  }
}

void EpochSource::done(const Step& step) {
  for (const Slot& slot : ring_) {
    if (&slot.step == &step) {
      done_(slot.number, step, std::span(order_).subspan(slot.begin, step.rows.size()));
      return;
    }
  }
}

}  // namespace bioptic
