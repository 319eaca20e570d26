// Which images a trial trains on, validates on and is tested on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bioptic/data/dataset.h"

namespace bioptic {

enum class ValidationFrom { automatic, source, draw };
enum class SplitBy { image, group };

struct SplitSpec {
  double val_fraction = 0.2;   // of train + val, (0, 1)
  double test_fraction = 0.2;  // of all images, used only where the source names no test split
  ValidationFrom val = ValidationFrom::automatic;
  SplitBy split_by = SplitBy::image;
  double holdout_fraction = 0;  // of the images that are not test images, [0, 1); 0 = no hold-out
  // The control arm's splits: all images are pooled, whatever splits the source names, and test and
  // hold-out are drawn again from them, by group and of the sizes they would have had.  Validation
  // is then drawn too, also where the source names one.
  bool control = false;
};

// Groups (patients) of every image: the dataset's own where it names them, else the search
// expression `pattern` (ECMAScript; the first capture, or the whole match) over the file name of
// `source` (not its folders); no match = a group of its own.  "" = every image its own.
// Returns one name per image, never empty.  Throws InputError when the expression is not valid.
struct Groups {
  std::vector<std::string> names;  // by image
  std::string from;                // words for a person
  bool known = false;              // false: every image is its own group

  std::size_t count() const;  // different names
};
Groups find_groups(const Dataset& dataset, const std::string& pattern);

// What does not depend on a seed.
struct SplitPlan {
  std::vector<std::uint32_t> test;  // rows of the dataset, ascending
  // Never trained on, nor validated on; whole groups that own no image of the test split (nor of
  // the source's validation split, where it is kept).  Ascending; empty where none is asked for.
  std::vector<std::uint32_t> holdout;
  std::vector<std::uint32_t> pool;       // rows that train and validation are drawn from, ascending
  std::vector<std::uint32_t> fixed_val;  // rows of the source's validation split where it is kept
  bool val_from_source = false;
  std::vector<std::string> notes;  // sentences that the run prints and the report repeats
};

// Throws InputError when the dataset cannot be split so (no images left for a split, one class
// only, no group left for the hold-out).
SplitPlan plan_splits(const Dataset& dataset, const Groups& groups, const SplitSpec& spec);

struct Splits {
  std::vector<std::uint32_t> train, val, test;  // rows of the dataset, ascending
};

// Stratified by class: each class gives round(val_fraction * its images) images to validation,
// drawn from the stream (seed, "split").  By group: whole groups, in shuffled order within their
// majority class, until that number is reached as nearly as possible.  Throws InputError when a
// split is empty.
Splits draw_splits(const Dataset& dataset, const Groups& groups, const SplitSpec& spec,
                   const SplitPlan& plan, std::uint64_t seed);

}  // namespace bioptic
