// Which training images an epoch sees, in which order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bioptic/data/dataset.h"
#include "bioptic/model/spec.h"

namespace bioptic {

// As many rows as `train` has, for an epoch (from 1), all from the stream (seed, "order/epoch
// <e>"):
//   shuffle    every row once, see epoch_order
//   balanced   independent draws with replacement: a class among those that `train` has, each
//              equally likely, then one of its rows, each equally likely.  The law of PyTorch's
//              WeightedRandomSampler(weights = 1 / n_class, num_samples = n, replacement = True).
std::vector<std::uint32_t> sampled_order(const Dataset& dataset,
                                         std::span<const std::uint32_t> train, Sampler sampler,
                                         std::uint64_t seed, int epoch);

}  // namespace bioptic
