#include "bioptic/train/sampler.h"

#include <string>

#include "bioptic/base/random.h"
#include "bioptic/train/batches.h"

namespace bioptic {
namespace {

std::vector<std::uint32_t> balanced_order(const Dataset& dataset,
                                          std::span<const std::uint32_t> train, std::uint64_t seed,
                                          int epoch) {
  std::vector<std::vector<std::uint32_t>> of_class(dataset.info().classes.size());
  for (const std::uint32_t row : train) {
    of_class[static_cast<std::size_t>(dataset.label(row))].push_back(row);
  }
  std::erase_if(of_class, [](const auto& rows) { return rows.empty(); });
  RandomStream stream(seed, "order/epoch " + std::to_string(epoch));
  std::vector<std::uint32_t> order(train.size());
  for (std::uint32_t& row : order) {
    const auto& rows = of_class[static_cast<std::size_t>(stream.below(of_class.size()))];
    row = rows[static_cast<std::size_t>(stream.below(rows.size()))];
  }
  return order;
}

}  // namespace

std::vector<std::uint32_t> sampled_order(const Dataset& dataset,
                                         std::span<const std::uint32_t> train, Sampler sampler,
                                         std::uint64_t seed, int epoch) {
  return sampler == Sampler::balanced ? balanced_order(dataset, train, seed, epoch)
                                      : epoch_order(train, seed, epoch);
}

}  // namespace bioptic
