// How far a study's repetitions and cases reach: what the seeds changed, and whose images are
// tested on.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bioptic {

struct ArmSummary;
struct StudySummary;

// Of the groups (patients) of a split, those that also have images in training.
struct SharedGroups {
  std::size_t shared = 0, groups = 0;
};

// "split", "initial weights", "batch order": what is the same in all of an arm's trials, of which
// there are several; empty for one trial.
std::vector<std::string> standing_still(const ArmSummary& arm);

// What a verdict over these arms' repetitions speaks for: "seeds", or "batch orders (split and
// initial weights stand still)".  arms: names with what stands still in them.
std::string other_seeds(const std::vector<std::pair<std::string, std::vector<std::string>>>& arms);

// Empty where the split has no images.  Training is every image that some trial may train on: the
// training split, and validation where seeds draw it anew.
std::optional<SharedGroups> shared_with_training(const StudySummary& summary,
                                                 const std::string& split);

// " (101 of the 305 patients tested on also have images in training)"; "" for none or unknown.
std::string shared_words(const std::optional<SharedGroups>& shared);

}  // namespace bioptic
