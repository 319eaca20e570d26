// Which pairs of arms are compared: all of them, each with a reference, or those that were planned.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace bioptic {

// As it is asked for; at most one of the two is set.
struct PairPlan {
  std::string reference;                                   // "" = none: the arm all others meet
  std::vector<std::pair<std::string, std::string>> pairs;  // empty = none: a and b, by name
  bool operator==(const PairPlan&) const = default;
};

// Pairs grow as the arms squared, and so does what a report takes: 24 arms have 276 pairs.  More
// than these are compared only where they were planned.
inline constexpr std::size_t kMostPairs = 300;

struct ArmPair {
  std::size_t a = 0, b = 0;  // indices of arms; a difference is a - b
};

struct ArmPairs {
  std::vector<ArmPair> pairs;
  std::string note;  // a sentence where they are not what was asked for, else ""
};

// Without a plan all pairs, each arm with the later ones; where these are more than kMostPairs,
// each arm with the first.  Throws InputError for a name that no arm has ("'x': there is no such
// arm ..."), for a pair given twice, or of one arm with itself.
ArmPairs pairs_of(std::span<const std::string> arms, const PairPlan& plan);

}  // namespace bioptic
