#include "bioptic/stats/group_permutation.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "bioptic/base/error.h"

namespace bioptic {

GroupPermutation::GroupPermutation(const TwoSamples& samples) {
  const std::size_t n = samples.second.size();
  if (!samples.groups.empty() && samples.groups.size() != n) {
    throw InputError("a shift test got a different number of groups than of images");
  }
  std::map<int, int> sample_of_group;
  for (std::size_t i = 0; i < n; ++i) {
    const int group = samples.groups.empty() ? static_cast<int>(i) : samples.groups[i];
    const int second = samples.second[i];
    if (second != 0 && second != 1) throw InputError("a shift test compares two samples, 0 and 1");
    if (sample_of_group.emplace(group, second).first->second != second) {
      throw InputError("group " + std::to_string(group) +
                       " has images in both samples of a shift test; leave it out");
    }
  }
  std::map<int, std::size_t> number;
  for (const auto& [group, second] : sample_of_group) {
    number.emplace(group, second_.size());
    second_.push_back(second);
  }
  for (std::size_t i = 0; i < n; ++i) {
    group_of_image_.push_back(
        number.at(samples.groups.empty() ? static_cast<int>(i) : samples.groups[i]));
  }
}

bool GroupPermutation::testable() const {
  const auto second = std::count(second_.begin(), second_.end(), 1);
  return second >= 2 && static_cast<std::ptrdiff_t>(second_.size()) - second >= 2;
}

std::vector<int> GroupPermutation::next(RandomStream& random) {
  random.shuffle(std::span<int>(second_));
  std::vector<int> of_image;
  of_image.reserve(group_of_image_.size());
  for (const std::size_t g : group_of_image_) of_image.push_back(second_[g]);
  return of_image;
}

double permutation_p(double observed, std::span<const double> permuted) {
  const double bound = observed - 1e-12 * std::abs(observed);
  const auto hits =
      std::count_if(permuted.begin(), permuted.end(), [&](double v) { return v >= bound; });
  return (1 + static_cast<double>(hits)) / (1 + static_cast<double>(permuted.size()));
}

}  // namespace bioptic
