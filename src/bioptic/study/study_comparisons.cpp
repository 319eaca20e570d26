#include "bioptic/study/study_comparisons.h"

#include <algorithm>
#include <string>
#include <utility>

#include "bioptic/study/compare_arms.h"
#include "bioptic/study/prediction_table.h"
#include "bioptic/study/seed_independence.h"

namespace bioptic {

std::vector<Comparison> compare_study(const StudySummary& summary) {
  std::vector<Comparison> out;
  if (summary.arms.size() < 2) return out;
  std::vector<std::string> splits = {"test", "holdout", "val"}, there;
  for (const ArmSummary& arm : summary.arms) {
    for (const TrialSummary& trial : arm.trials) {
      for (const SplitPredictions& p : trial.result.predictions) {
        if (std::find(there.begin(), there.end(), p.split) == there.end()) there.push_back(p.split);
        if (std::find(splits.begin(), splits.end(), p.split) == splits.end()) {
          splits.push_back(p.split);
        }
      }
    }
  }
  const std::string dependent = why_seeds_depend(summary);
  std::vector<std::string> names;
  for (const ArmSummary& arm : summary.arms) names.push_back(arm.name);
  const std::vector<ArmPair> pairs = pairs_of(names, summary.pairs).pairs;
  for (const std::string& split : splits) {
    if (std::find(there.begin(), there.end(), split) == there.end()) continue;
    const PredictionTable table = prediction_table(summary, split);
    for (Comparison& c : compare_arms(
             table, {summary.margin, summary.detect, dependent, summary.inference, pairs})) {
      out.push_back(std::move(c));
    }
  }
  return out;
}

}  // namespace bioptic
