// Test images that differ between the seeds: which kind of resampling they come from, and whether a
// verdict may rest on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bioptic/study/prediction_table.h"

namespace bioptic {

enum class TestSets {
  same,      // every seed tests the same images
  folds,     // k seeds together test every image once: cross-validation, once or repeated
  resplits,  // random subsets that overlap
  other,     // none of these
};

struct Resampling {
  TestSets kind = TestSets::same;
  std::string name;  // "5-fold cross-validation, repeated 10 times", "30 random splits", ...
  // Why no verdict may rest on it, beginning with the name; "" = one may.
  std::string why_not;
  // What had to be assumed of the training images, as a sentence; "" = nothing.
  std::string assumed;
  std::size_t images = 0;  // that some seed tests
  // Indices into the seeds that were asked about.  folds: repetitions[r] are the k seeds of
  // repetition r, in ascending order.  test_sets[t]: the seeds that test the same images, which
  // count as one split.
  std::vector<std::vector<std::size_t>> repetitions, test_sets;
  std::size_t folds = 0;  // k
  // n_test / n_train, mean over the splits; images that a seed does not test are taken as those
  // that it was trained on, where nothing else is known.
  double test_over_train = 0;
};

// Repetitions and splits from which on a verdict is given.
inline constexpr std::size_t kLeastRepetitions = 5;

// What the images of these seeds are, as `arm` was tested with them (the other arms of a contrast
// on the same images seed by seed: the caller has checked).  Seeds: ascending, all of which the arm
// has.
Resampling resampling_of(const PredictionTable& table, std::size_t arm,
                         std::span<const std::int64_t> seeds);

// The same for the validation images of a study's seeds.  trained_on: images that each was trained
// on.  patients_shared: validation is drawn by image and some patient has several; a patient with
// images on both sides that the table shows is found without it.
Resampling validation_resampling(const PredictionTable& table, std::size_t arm,
                                 std::span<const std::int64_t> seeds, std::size_t trained_on,
                                 bool patients_shared);

}  // namespace bioptic
