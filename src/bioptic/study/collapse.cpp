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

enum class Collapse : std::size_t { not_finite, loss_not_finite, constant, one_class };
constexpr std::size_t kCollapses = 4;

bool finite_losses(const TrialResult& result) {
  return std::all_of(result.history.begin(), result.history.end(), [](const EpochRecord& epoch) {
    return std::isfinite(epoch.train_loss) && std::isfinite(epoch.val_loss);
  });
}

Collapse kind_of(const TrialResult& result, std::size_t outputs) {
  bool same = true;
  for (const SplitPredictions& p : result.predictions) {
    if (p.split != "val") continue;
    for (std::size_t i = 0; i < p.logits.size(); ++i) {
      if (!std::isfinite(p.logits[i])) return Collapse::not_finite;
      same = same && std::abs(p.logits[i] - p.logits[i % outputs]) <= kSameLogit;
    }
  }
  if (!finite_losses(result)) return Collapse::loss_not_finite;
  return same ? Collapse::constant : Collapse::one_class;
}

// " in the epoch that val_auroc chose"; "" where the last epoch counts.
std::string where_chosen(const ArmSummary& arm) {
  return arm.selected_by.empty() ? "" : " in the epoch that " + arm.selected_by + " chose";
}

// More than two classes have no threshold: the largest score is the predicted class.
std::string one_class_words(const ArmSummary& arm) {
  return fmt::format("one predicted class{}{} although the scores differ", where_chosen(arm),
                     arm.outputs > 2 ? ""
                                     : fmt::format(" at the threshold ({})",
                                                   arm.threshold.empty() ? "0.5" : arm.threshold));
}

}  // namespace

std::string collapse_words(const TrialResult& result, const TrainSpec& train) {
  const bool finite = std::all_of(
      result.predictions.begin(), result.predictions.end(), [](const SplitPredictions& p) {
        return p.split != "val" || std::all_of(p.logits.begin(), p.logits.end(),
                                               [](float z) { return std::isfinite(z); });
      });
  if (!finite || !finite_losses(result)) return "a loss that is not finite";
  if (!train.select) return "one predicted class";
  return fmt::format("one predicted class in epoch {} of {}, which {} chose", result.selected_epoch,
                     result.history.size(), name_of(*train.select));
}

std::string collapse_words(const ArmSummary& arm) {
  std::array<std::size_t, kCollapses> counts{};
  for (const TrialSummary& trial : arm.trials) {
    if (trial.result.status != TrialStatus::collapsed) continue;
    ++counts[static_cast<std::size_t>(
        kind_of(trial.result, static_cast<std::size_t>(arm.outputs)))];
  }
  const std::array<std::string, kCollapses> words = {
      "scores that are not finite", "a loss that is not finite",
      "the same score for every validation image" + where_chosen(arm), one_class_words(arm)};
  const bool several =
      std::count(counts.begin(), counts.end(), 0U) < std::ptrdiff_t{kCollapses} - 1;
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
