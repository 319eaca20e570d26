#include "bioptic/study/fold_cover.h"

#include <algorithm>

namespace bioptic {
namespace {

// Exact covers by depth-first search: the first image that the repetition does not yet test must be
// in one of the free seeds, and only in as many as there are repetitions left.
class Search {
 public:
  Search(const std::vector<const std::vector<std::size_t>*>& images,
         const std::vector<std::size_t>& times_tested)
      : images_(images), tests_(times_tested.size()), free_(images.size(), 1) {
    for (std::size_t s = 0; s < images.size(); ++s) {
      for (const std::size_t i : *images[s]) tests_[i].push_back(s);
    }
    for (std::size_t i = 0; i < times_tested.size(); ++i) {
      if (times_tested[i] > 0) all_.push_back(i);
    }
    covered_.assign(times_tested.size(), 0);
  }

  bool complete() {
    if (++steps_ > kMostSteps) return false;
    const auto missing =
        std::find_if(all_.begin(), all_.end(), [&](std::size_t i) { return covered_[i] == 0; });
    if (missing != all_.end()) return try_seeds(tests_[*missing]);
    // The repetition is whole.
    if (repetitions_.back().size() != repetitions_.front().size()) return false;
    const auto next = std::find(free_.begin(), free_.end(), 1);
    if (next == free_.end()) return true;
    std::fill(covered_.begin(), covered_.end(), 0);
    repetitions_.emplace_back();
    if (try_seeds({static_cast<std::size_t>(next - free_.begin())})) return true;
    repetitions_.pop_back();
    for (const std::size_t i : all_) covered_[i] = 1;
    return false;
  }

  bool start() {
    repetitions_.emplace_back();
    return try_seeds({0});
  }

  std::vector<std::vector<std::size_t>> take() {
    for (auto& repetition : repetitions_) std::sort(repetition.begin(), repetition.end());
    return std::move(repetitions_);
  }

 private:
  static constexpr int kMostSteps = 100000;

  bool try_seeds(const std::vector<std::size_t>& seeds) {
    for (const std::size_t s : seeds) {
      const auto covered = [&](std::size_t i) { return covered_[i] != 0; };
      if (free_[s] == 0 || std::any_of(images_[s]->begin(), images_[s]->end(), covered)) continue;
      mark(s, 1);
      repetitions_.back().push_back(s);
      if (complete()) return true;
      repetitions_.back().pop_back();
      mark(s, 0);
    }
    return false;
  }

  void mark(std::size_t seed, char used) {
    free_[seed] = used == 0 ? 1 : 0;
    for (const std::size_t i : *images_[seed]) covered_[i] = used;
  }

  const std::vector<const std::vector<std::size_t>*>& images_;
  std::vector<std::vector<std::size_t>> tests_;  // by image: the seeds that test it
  std::vector<std::size_t> all_;                 // images that some seed tests
  std::vector<char> covered_, free_;             // by image: in this repetition; by seed
  std::vector<std::vector<std::size_t>> repetitions_;
  int steps_ = 0;
};

}  // namespace

std::optional<std::vector<std::vector<std::size_t>>> fold_cover(
    const std::vector<const std::vector<std::size_t>*>& images,
    const std::vector<std::size_t>& times_tested) {
  std::size_t times = 0;
  for (const std::size_t n : times_tested) {
    if (n == 0) continue;
    if (times != 0 && n != times) return std::nullopt;
    times = n;
  }
  const auto none = [](const auto* set) { return set->empty(); };
  if (times == 0 || std::any_of(images.begin(), images.end(), none)) return std::nullopt;
  Search search(images, times_tested);
  if (!search.start()) return std::nullopt;
  auto repetitions = search.take();
  if (repetitions.front().size() < 2) return std::nullopt;
  return repetitions;
}

}  // namespace bioptic
