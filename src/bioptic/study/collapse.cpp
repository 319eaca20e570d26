#include "bioptic/study/collapse.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bioptic/study/claim_values.h"

namespace bioptic {
namespace {

// Below it the logits of an image differ from those of another by rounding alone.
constexpr float kSameLogit = 1e-6F;

// Every image has the same finite logits up to rounding, or some logit is not finite.
bool scores_constant(const TrialSummary& trial, std::size_t outputs) {
  for (const SplitPredictions& p : trial.result.predictions) {
    if (p.split != "val") continue;
    for (std::size_t i = 0; i < p.logits.size(); ++i) {
      if (!std::isfinite(p.logits[i])) return true;
      if (std::abs(p.logits[i] - p.logits[i % outputs]) > kSameLogit) return false;
    }
  }
  return true;
}

}  // namespace

std::string collapse_words(const ArmSummary& arm) {
  std::size_t constant = 0, one_class = 0;
  for (const TrialSummary& trial : arm.trials) {
    if (trial.result.status != TrialStatus::collapsed) continue;
    ++(scores_constant(trial, static_cast<std::size_t>(arm.outputs)) ? constant : one_class);
  }
  std::string text;
  if (constant > 0) {
    text = fmt::format("{} with the same score, or none, for every validation image", constant);
  }
  if (one_class > 0) {
    text += fmt::format(
        "{}{} with one predicted class at the threshold ({}) although the scores differ",
        text.empty() ? "" : ", ", one_class, arm.threshold.empty() ? "0.5" : arm.threshold);
  }
  return text;
}

std::size_t flat_curves(const ArmSummary& arm, const ClaimSpec& claim) {
  return static_cast<std::size_t>(
      std::count_if(arm.trials.begin(), arm.trials.end(), [&](const TrialSummary& trial) {
        if (trial.result.status == TrialStatus::collapsed) return true;
        const std::vector<double> curve = claim_curve(trial, claim);
        return !curve.empty() && std::all_of(curve.begin(), curve.end(),
                                             [&](double v) { return v == curve.front(); });
      }));
}

}  // namespace bioptic
