#include "bioptic/study/resampling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "bioptic/study/fold_cover.h"

namespace bioptic {
namespace {

constexpr const char* kAssumed =
    "Every image that a seed does not test is taken as one that it was trained on.";

using Images = std::vector<std::size_t>;  // ascending indices into PredictionTable::images

std::vector<const Images*> images_of(const PredictionTable& table, std::size_t arm,
                                     std::span<const std::int64_t> seeds) {
  std::vector<const Images*> out;
  for (const std::int64_t seed : seeds) out.push_back(&table.trial(arm, seed)->images);
  return out;
}

// The seeds by what they test, in the order of their first seed.
std::vector<std::vector<std::size_t>> test_sets_of(const std::vector<const Images*>& images) {
  std::map<Images, std::size_t> place;
  std::vector<std::vector<std::size_t>> out;
  for (std::size_t s = 0; s < images.size(); ++s) {
    const auto [it, added] = place.try_emplace(*images[s], out.size());
    if (added) out.emplace_back();
    out[it->second].push_back(s);
  }
  return out;
}

// "seed 3 tests image 'b' and not image 'a' of the same patient", or "" where no seed divides one.
// Images that no seed tests are not known.
std::string divided_patient(const PredictionTable& table, std::span<const std::int64_t> seeds,
                            const std::vector<const Images*>& images,
                            const std::vector<std::size_t>& times_tested) {
  if (!table.grouped) return "";
  std::vector<std::vector<std::size_t>> members(table.groups);
  for (std::size_t i = 0; i < table.images.size(); ++i) {
    if (times_tested[i] > 0) members[table.images[i].group].push_back(i);
  }
  for (std::size_t s = 0; s < images.size(); ++s) {
    for (const std::size_t i : *images[s]) {
      for (const std::size_t other : members[table.images[i].group]) {
        if (std::binary_search(images[s]->begin(), images[s]->end(), other)) continue;
        return fmt::format(
            "with seed {} image '{}' is tested and image '{}' of the same group is "
            "not",
            seeds[s], table.images[i].id, table.images[other].id);
      }
    }
  }
  return "";
}

// Pairs of sets without a common image, and how many random sets of these sizes would have.
struct DisjointPairs {
  double found = 0, expected = 0;
};
DisjointPairs disjoint_pairs(const std::vector<const Images*>& sets, std::size_t images) {
  const auto log_choose = [](std::size_t n, std::size_t k) {
    return std::lgamma(static_cast<double>(n) + 1) - std::lgamma(static_cast<double>(k) + 1) -
           std::lgamma(static_cast<double>(n - k) + 1);
  };
  DisjointPairs out;
  for (std::size_t a = 0; a < sets.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      Images common;
      std::set_intersection(sets[a]->begin(), sets[a]->end(), sets[b]->begin(), sets[b]->end(),
                            std::back_inserter(common));
      out.found += common.empty() ? 1 : 0;
      const std::size_t left = images - sets[a]->size(), wanted = sets[b]->size();
      if (wanted <= left) {
        out.expected += std::exp(log_choose(left, wanted) - log_choose(images, wanted));
      }
    }
  }
  return out;
}

std::string times(std::size_t n) { return n == 1 ? "once" : fmt::format("repeated {} times", n); }

// Whether two repetitions divide the images in the same way.
bool same_folds_twice(const std::vector<const Images*>& images,
                      const std::vector<std::vector<std::size_t>>& repetitions) {
  std::set<std::set<Images>> seen;
  for (const std::vector<std::size_t>& repetition : repetitions) {
    std::set<Images> folds;
    for (const std::size_t s : repetition) folds.insert(*images[s]);
    if (!seen.insert(std::move(folds)).second) return true;
  }
  return false;
}

void describe_folds(const std::vector<const Images*>& images, const std::string& divided,
                    Resampling& out) {
  const std::size_t k = out.folds, repetitions = out.repetitions.size();
  out.test_over_train = 1 / static_cast<double>(k - 1);
  out.name = k == out.images ? "leave-one-out cross-validation, " + times(repetitions)
                             : fmt::format("{}-fold cross-validation, {}", k, times(repetitions));
  const std::string remedy = fmt::format(
      "repeat it at least {} times, each time with other folds drawn at random", kLeastRepetitions);
  if (!divided.empty()) {
    out.why_not = fmt::format(
        "{}: its folds divide patients, so that training has seen the patients tested on ({}); "
        "draw folds by patient",
        out.name, divided);
  } else if (repetitions == 1) {
    out.why_not = fmt::format(
        "{}: its folds share most of their training images, and no variance can be estimated from "
        "one cross-validation without bias; {}",
        out.name, remedy);
  } else if (same_folds_twice(images, out.repetitions)) {
    out.why_not = fmt::format(
        "{}: two of the repetitions have the same folds, so that they say nothing of other folds; "
        "{}",
        out.name, remedy);
  } else if (repetitions < kLeastRepetitions) {
    out.why_not =
        fmt::format("{}: verdicts are given from {} repetitions on", out.name, kLeastRepetitions);
  }
}

void describe_resplits(const PredictionTable& table, const std::string& divided, Resampling& out) {
  const std::size_t splits = out.test_sets.size();
  out.name = fmt::format("{} random splits", splits);
  if (!divided.empty()) {
    out.why_not = fmt::format(
        "{}: they divide patients, so that training has seen the patients {} on ({}); draw splits "
        "by patient",
        out.name, table.split == "val" ? "validated" : "tested", divided);
  } else if (splits < kLeastRepetitions) {
    out.why_not =
        fmt::format("{}: verdicts are given from {} splits on", out.name, kLeastRepetitions);
  }
}

}  // namespace

Resampling resampling_of(const PredictionTable& table, std::size_t arm,
                         std::span<const std::int64_t> seeds) {
  Resampling out;
  const std::vector<const Images*> images = images_of(table, arm, seeds);
  out.test_sets = test_sets_of(images);
  std::vector<std::size_t> times_tested(table.images.size(), 0);
  for (const Images* set : images) {
    for (const std::size_t i : *set) ++times_tested[i];
  }
  out.images = static_cast<std::size_t>(
      std::count_if(times_tested.begin(), times_tested.end(), [](std::size_t n) { return n > 0; }));
  if (out.test_sets.size() <= 1) {
    out.name = "the same images with every seed";
    return out;
  }
  const std::string divided = divided_patient(table, seeds, images, times_tested);
  if (const auto folds = fold_cover(images, times_tested)) {
    out.kind = TestSets::folds;
    out.assumed = kAssumed;
    out.repetitions = *folds;
    out.folds = folds->front().size();
    describe_folds(images, divided, out);
    return out;
  }
  std::vector<const Images*> sets;
  for (const auto& seeds_of_set : out.test_sets) sets.push_back(images[seeds_of_set.front()]);
  double most = 0;
  for (const Images* set : sets) {
    const auto n = static_cast<double>(set->size()), all = static_cast<double>(out.images);
    most = std::max(most, n);
    out.test_over_train += n / (all - n) / static_cast<double>(sets.size());
  }
  const DisjointPairs disjoint = disjoint_pairs(sets, out.images);
  out.kind = TestSets::other;
  out.name = "test images that differ between the seeds";
  if (2 * most > static_cast<double>(out.images)) {
    const auto [fewest, many] = std::minmax_element(
        sets.begin(), sets.end(), [](auto* a, auto* b) { return a->size() < b->size(); });
    out.why_not = fmt::format(
        "the test images differ between the seeds, {} to {} of {}, and are no random splits, which "
        "would leave most images to train on: are rows missing?",
        (*fewest)->size(), (*many)->size(), out.images);
  } else if (disjoint.found > 2 * disjoint.expected + 2) {
    const auto [least, largest] = std::minmax_element(times_tested.begin(), times_tested.end());
    out.why_not = fmt::format(
        "many seeds share no test image, as the folds of a cross-validation, but they do not make "
        "up whole ones: images are tested {} to {} times; give every fold of every repetition",
        *least, *largest);
  } else {
    out.kind = TestSets::resplits;
    out.assumed = kAssumed;
    describe_resplits(table, divided, out);
  }
  return out;
}

Resampling validation_resampling(const PredictionTable& table, std::size_t arm,
                                 std::span<const std::int64_t> seeds, std::size_t trained_on,
                                 bool patients_shared) {
  Resampling out;
  const std::vector<const Images*> images = images_of(table, arm, seeds);
  out.test_sets = test_sets_of(images);
  std::vector<std::size_t> times_tested(table.images.size(), 0);
  for (const Images* set : images) {
    for (const std::size_t i : *set) ++times_tested[i];
  }
  out.images = static_cast<std::size_t>(
      std::count_if(times_tested.begin(), times_tested.end(), [](std::size_t n) { return n > 0; }));
  if (out.test_sets.size() <= 1) {
    out.name = "the same images with every seed";
    return out;
  }
  out.kind = TestSets::resplits;
  for (const auto& set : out.test_sets) {
    out.test_over_train += static_cast<double>(images[set.front()]->size()) /
                           static_cast<double>(trained_on) /
                           static_cast<double>(out.test_sets.size());
  }
  std::string divided = divided_patient(table, seeds, images, times_tested);
  if (divided.empty() && patients_shared) divided = "they are drawn by image";
  describe_resplits(table, divided, out);
  return out;
}

}  // namespace bioptic
