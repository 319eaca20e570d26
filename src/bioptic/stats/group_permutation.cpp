#include "bioptic/stats/group_permutation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/base/sha256.h"

namespace bioptic {
namespace {

struct Group {
  int second = 0;
  std::vector<std::size_t> images;  // places in the given order
  std::string content;
};

// By the groups' given numbers.
std::map<int, Group> groups_of(const TwoSamples& samples) {
  const std::size_t n = samples.second.size();
  std::map<int, Group> groups;
  for (std::size_t i = 0; i < n; ++i) {
    const int number = samples.groups.empty() ? static_cast<int>(i) : samples.groups[i];
    const int second = samples.second[i];
    if (second != 0 && second != 1) throw InputError("a shift test compares two samples, 0 and 1");
    Group& group = groups[number];
    if (group.images.empty()) group.second = second;
    if (group.second != second) {
      throw InputError(
          fmt::format("group {} has images in both samples of a shift test; leave it out", number));
    }
    group.images.push_back(i);
  }
  return groups;
}

}  // namespace

std::string content_of_group(std::vector<std::string> contents) {
  std::sort(contents.begin(), contents.end());
  std::string all;
  for (const std::string& content : contents) all += content;
  return sha256_hex(all);
}

GroupPermutation::GroupPermutation(const TwoSamples& samples,
                                   std::span<const std::string> content) {
  const std::size_t n = samples.second.size();
  if (!samples.groups.empty() && samples.groups.size() != n) {
    throw InputError("a shift test got a different number of groups than of images");
  }
  if (content.size() != n) {
    throw InputError("a shift test got a different number of samples than of images");
  }
  std::vector<Group> groups;
  for (auto& [number, group] : groups_of(samples)) {
    std::sort(group.images.begin(), group.images.end(),
              [&](std::size_t a, std::size_t b) { return content[a] < content[b]; });
    std::vector<std::string> contents;
    for (const std::size_t i : group.images) contents.push_back(content[i]);
    group.content = content_of_group(std::move(contents));
    groups.push_back(std::move(group));
  }
  std::sort(groups.begin(), groups.end(),
            [](const Group& a, const Group& b) { return a.content < b.content; });
  for (const Group& group : groups) {
    for (const std::size_t i : group.images) {
      order_.push_back(i);
      second_.push_back(group.second);
      group_of_image_.push_back(group_content_.size());
    }
    group_content_.push_back(group.content);
    dealt_.push_back(group.second);
  }
  std::sort(dealt_.begin(), dealt_.end());  // a start that does not depend on who is in which
}

bool GroupPermutation::testable() const {
  const auto second = std::count(dealt_.begin(), dealt_.end(), 1);
  return second >= 2 && static_cast<std::ptrdiff_t>(dealt_.size()) - second >= 2;
}

std::vector<int> GroupPermutation::next(RandomStream& random) {
  random.shuffle(std::span<int>(dealt_));
  std::vector<int> of_image;
  of_image.reserve(group_of_image_.size());
  for (const std::size_t g : group_of_image_) of_image.push_back(dealt_[g]);
  return of_image;
}

std::size_t GroupPermutation::folds(std::size_t most) const {
  std::size_t unlike = 0;
  for (std::size_t g = 0; g < groups(); ++g) {
    unlike += g == 0 || group_content_[g] != group_content_[g - 1] ? 1 : 0;
  }
  return std::min(most, unlike);
}

std::vector<std::size_t> GroupPermutation::deal_folds(std::size_t most, std::uint64_t seed,
                                                      std::size_t deal) const {
  std::map<std::string, std::size_t> fold_of_hash;
  std::vector<std::string> hashes;
  for (const std::string& content : group_content_) {
    hashes.push_back(sha256_hex(fmt::format("shift folds {} {} {}", seed, deal, content)));
    fold_of_hash.emplace(hashes.back(), 0);
  }
  const std::size_t count = folds(most);
  std::size_t turn = 0;
  for (auto& [hash, fold] : fold_of_hash) fold = turn++ % count;
  std::vector<std::size_t> folds_of_images;
  for (const std::size_t g : group_of_image_) folds_of_images.push_back(fold_of_hash.at(hashes[g]));
  return folds_of_images;
}

double permutation_p(double observed, std::span<const double> permuted) {
  const double bound = observed - 1e-12 * std::abs(observed);
  const auto hits =
      std::count_if(permuted.begin(), permuted.end(), [&](double v) { return v >= bound; });
  return (1 + static_cast<double>(hits)) / (1 + static_cast<double>(permuted.size()));
}

}  // namespace bioptic
