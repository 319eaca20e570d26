// Which seeds are the folds of one cross-validation.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace bioptic {

// images[s]: what seed s tests, ascending; times_tested: by image, over all seeds.  Repetitions
// whose seeds together test every image that some seed tests exactly once, all with the same number
// of seeds (2 or more): indices of seeds, ascending; each repetition takes the lowest free seed and
// then the lowest that fit.  Nothing where the seeds cannot be dealt so (or not within a bounded
// search).
std::optional<std::vector<std::vector<std::size_t>>> fold_cover(
    const std::vector<const std::vector<std::size_t>*>& images,
    const std::vector<std::size_t>& times_tested);

}  // namespace bioptic
