#include "bioptic/study/seed_independence.h"

#include <algorithm>
#include <cstdint>
#include <set>

namespace bioptic {

std::string why_seeds_depend(const StudySummary& summary) {
  const auto independent = [](const ArmSummary& arm) {
    std::set<std::uint64_t> split, init, order;
    for (const TrialSummary& trial : arm.trials) {
      split.insert(trial.seeds.split);
      init.insert(trial.seeds.init);
      order.insert(trial.seeds.order);
    }
    const auto fine = [&](const std::set<std::uint64_t>& values) {
      return values.size() <= 1 || values.size() == arm.trials.size();
    };
    return fine(split) && fine(init) && fine(order);
  };
  if (std::all_of(summary.arms.begin(), summary.arms.end(), independent)) return "";
  return "in a crossed plan of seeds, trials share splits, initial weights or orders, so they are "
         "not independent repetitions; give the study a plain number of seeds";
}

std::string dependent_seeds_note(const StudySummary& summary) {
  const std::string why = why_seeds_depend(summary);
  if (why.empty()) return "";
  return "The arms' t intervals take the trials for independent repetitions and are then too "
         "narrow: " +
         why + ".";
}

}  // namespace bioptic
