#include "bioptic/study/repeated_trainings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace bioptic {
namespace {

constexpr double kSame = 1e-6;

// Also infinite ones.
bool same(double a, double b) { return a == b || std::abs(a - b) <= kSame; }

bool same_predictions(const PredictedTrial& a, const PredictedTrial& b) {
  // Logits too, where there are any: probabilities near 0 and 1 are all alike.  The images last:
  // they are mostly the same, so that comparing them first goes through all of them.
  return std::equal(a.ranks.begin(), a.ranks.end(), b.ranks.begin(), b.ranks.end(), same) &&
         std::equal(a.scores.begin(), a.scores.end(), b.scores.begin(), b.scores.end(), same) &&
         a.images == b.images;
}

}  // namespace

std::string why_trainings_repeat(const PredictionTable& table, std::span<const std::size_t> arms,
                                 std::span<const std::int64_t> seeds) {
  std::vector<std::vector<const PredictedTrial*>> trials;  // by arm and seed
  for (const std::size_t arm : arms) {
    std::vector<const PredictedTrial*>& of_arm = trials.emplace_back();
    for (const std::int64_t seed : seeds) of_arm.push_back(table.trial(arm, seed));
  }
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    for (std::size_t k = i + 1; k < seeds.size(); ++k) {
      const bool repeated = std::all_of(trials.begin(), trials.end(), [&](const auto& of_arm) {
        const PredictedTrial *a = of_arm[i], *b = of_arm[k];
        return a != nullptr && b != nullptr && !a->images.empty() && same_predictions(*a, *b);
      });
      if (!repeated || arms.empty()) continue;
      return fmt::format(
          "seeds {} and {} have the same scores in {}, so they count as one training, and the "
          "seeds say nothing of other trainings",
          seeds[i], seeds[k],
          arms.size() == 1   ? "the arm"
          : arms.size() == 2 ? "both arms"
                             : "all of the arms");
    }
  }
  return "";
}

bool arms_are_identical(const PredictionTable& table, std::span<const std::size_t> arms,
                        std::span<const std::int64_t> seeds) {
  if (arms.size() < 2 || seeds.empty()) return false;
  return std::all_of(seeds.begin(), seeds.end(), [&](std::int64_t seed) {
    const PredictedTrial* first = table.trial(arms.front(), seed);
    return first != nullptr && std::all_of(arms.begin(), arms.end(), [&](std::size_t arm) {
             const PredictedTrial* other = table.trial(arm, seed);
             return other != nullptr && other->images == first->images &&
                    other->scores == first->scores && other->ranks == first->ranks;
           });
  });
}

std::string why_nothing_was_predicted(const PredictionTable& table,
                                      std::span<const std::size_t> arms,
                                      std::span<const std::int64_t> seeds) {
  for (const std::size_t arm : arms) {
    for (const std::int64_t seed : seeds) {
      const PredictedTrial* trial = table.trial(arm, seed);
      if (trial == nullptr || trial->images.empty()) continue;
      if (trial->not_finite < trial->images.size()) continue;
      return fmt::format("'{}' with seed {} has not one finite score: it predicted nothing",
                         table.arms[arm].name, seed);
    }
  }
  return "";
}

}  // namespace bioptic
