#include "bioptic/train/weights.h"

#include <fmt/format.h>

#include <numeric>

#include "bioptic/base/error.h"

namespace bioptic {

std::vector<std::size_t> count_classes(const Dataset& dataset,
                                       std::span<const std::uint32_t> rows) {
  std::vector<std::size_t> counts(dataset.info().classes.size());
  for (const std::uint32_t row : rows) ++counts[static_cast<std::size_t>(dataset.label(row))];
  return counts;
}

std::vector<double> balanced_class_weights(std::span<const std::size_t> images_by_class,
                                           const std::vector<std::string>& classes) {
  const auto total = static_cast<double>(
      std::accumulate(images_by_class.begin(), images_by_class.end(), std::size_t{0}));
  std::vector<double> weights;
  for (std::size_t c = 0; c < images_by_class.size(); ++c) {
    if (images_by_class[c] == 0) {
      throw InputError(fmt::format(
          "class_weight = \"balanced\": no training image is of class '{}', so it has no weight; "
          "give weights by name, or draw other splits",
          classes[c]));
    }
    weights.push_back(total / (static_cast<double>(images_by_class.size()) *
                               static_cast<double>(images_by_class[c])));
  }
  return weights;
}

LossSpec settled_loss(const LossSpec& loss, int positive,
                      std::span<const std::size_t> training_images_by_class,
                      const std::vector<std::string>& classes) {
  LossSpec settled = loss;
  if (loss.balanced) {
    settled.class_weight = balanced_class_weights(training_images_by_class, classes);
    settled.balanced = false;
  }
  if (settled.pos_weight && positive == 0) {
    settled.class_weight.resize(2, 1);
    settled.class_weight[0] *= *settled.pos_weight;
    settled.pos_weight.reset();
  }
  return settled;
}

std::vector<double> sample_weights(const TrainSpec& train, const Dataset& dataset) {
  if (!train.sample_weight) return {};
  if (!dataset.info().weighted) {
    throw InputError(
        "sample_weight = true, and the dataset has no weights; import a manifest with a column "
        "weight, or leave sample_weight out");
  }
  std::vector<double> weights(dataset.size());
  for (std::size_t row = 0; row < weights.size(); ++row) weights[row] = dataset.record(row).weight;
  return weights;
}

}  // namespace bioptic
