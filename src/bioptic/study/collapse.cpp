#include "bioptic/study/collapse.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "bioptic/study/claim_values.h"

namespace bioptic {
namespace {

// Below it the logits of an image differ from those of another by rounding alone.
constexpr float kSameLogit = 1e-6F;

enum class Collapse : std::size_t { not_finite, constant, one_class };

Collapse kind_of(const TrialSummary& trial, std::size_t outputs) {
  bool same = true;
  for (const SplitPredictions& p : trial.result.predictions) {
    if (p.split != "val") continue;
    for (std::size_t i = 0; i < p.logits.size(); ++i) {
      if (!std::isfinite(p.logits[i])) return Collapse::not_finite;
      same = same && std::abs(p.logits[i] - p.logits[i % outputs]) <= kSameLogit;
    }
  }
  return same ? Collapse::constant : Collapse::one_class;
}

}  // namespace

std::string collapse_words(const ArmSummary& arm) {
  std::array<std::size_t, 3> counts{};
  for (const TrialSummary& trial : arm.trials) {
    if (trial.result.status != TrialStatus::collapsed) continue;
    ++counts[static_cast<std::size_t>(kind_of(trial, static_cast<std::size_t>(arm.outputs)))];
  }
  const std::array<std::string, 3> words = {
      "scores that are not finite", "the same score for every validation image",
      fmt::format("one predicted class at the threshold ({}) although the scores differ",
                  arm.threshold.empty() ? "0.5" : arm.threshold)};
  const bool several = std::count(counts.begin(), counts.end(), 0U) < 2;
  std::string text;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] == 0) continue;
    text += (text.empty() ? "" : ", ") +
            (several ? fmt::format("{} with {}", counts[k], words[k]) : words[k]);
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
