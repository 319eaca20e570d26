// What makes images count differently in training: classes by their share of the training split,
// images by their weight in the dataset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bioptic/data/dataset.h"
#include "bioptic/model/spec.h"

namespace bioptic {

// Images of every class among these rows, by label.
std::vector<std::size_t> count_classes(const Dataset& dataset, std::span<const std::uint32_t> rows);

// scikit-learn's class_weight = "balanced" (King and Zeng 2001): n / (C n_c) for n images of C
// classes, n_c of them of class c; an image's mean weight is 1.  Throws InputError naming a class
// without an image, whose weight would have no bound.
std::vector<double> balanced_class_weights(std::span<const std::size_t> images_by_class,
                                           const std::vector<std::string>& classes);

// The loss as a trial computes it, with every weight a number by label: `balanced` resolved from
// the images of the training split, and pos_weight, which weighs the positive class where losses
// know labels, a class weight where the positive class is label 0 (for the bce losses both are
// weights per sample).
LossSpec settled_loss(const LossSpec& loss, int positive,
                      std::span<const std::size_t> training_images_by_class,
                      const std::vector<std::string>& classes);

// The dataset's weights, by row; empty unless `train` asks for them.  Throws InputError where it
// does and the dataset has none.
std::vector<double> sample_weights(const TrainSpec& train, const Dataset& dataset);

}  // namespace bioptic
