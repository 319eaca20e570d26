#include "bioptic/stats/effective_groups.h"

#include <algorithm>

namespace bioptic {
namespace {

constexpr double kLeastDegrees = 4;
constexpr double kRoundingOfCount = 1e-9;  // ten groups of one size are ten

}  // namespace

EffectiveGroups effective_groups(std::span<const std::size_t> images_of_group) {
  double images = 0, squares = 0, fourths = 0;
  for (const std::size_t count : images_of_group) {
    const auto n = static_cast<double>(count);
    images += n;
    squares += n * n;
    fourths += n * n * n * n;
  }
  if (images == 0) return {};
  return {images * images / squares, squares * squares / fourths};
}

bool are_few(const EffectiveGroups& groups) {
  return groups.of_mean < kLeastEffectiveGroups - kRoundingOfCount;
}

Estimate with_degrees_of(const EffectiveGroups& groups, Estimate estimate) {
  const double most = std::max(groups.of_variance - 1, kLeastDegrees);
  estimate.df = std::min(estimate.df, most);
  return estimate;
}

}  // namespace bioptic
