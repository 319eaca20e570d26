#include "bioptic/study/weights_said.h"

#include <fmt/format.h>

#include <algorithm>

#include "bioptic/train/weights.h"

namespace bioptic {
namespace {

std::string quoted(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
  return text;
}

// "0.52 to 0.55", or the one number.
std::string range_text(double low, double high) {
  const std::string from = fmt::format("{:.4g}", low), to = fmt::format("{:.4g}", high);
  return from == to ? from : from + " to " + to;
}

// How the classes count in training; equal weights are none.
struct Weighting {
  std::vector<double> weights;
  double positive = 1;
  bool sampled = false;
  bool operator==(const Weighting&) const = default;
};

Weighting weighting(const ArmSummary& arm, const TrialSummary& trial) {
  Weighting out;
  const LossSpec& loss = trial.loss;
  const auto& w = loss.class_weight;
  if (std::any_of(w.begin(), w.end(), [&](double v) { return v != w.front(); })) out.weights = w;
  out.positive = loss.pos_weight.value_or(1);
  for (const auto& [key, value] : arm.settings) {
    out.sampled = out.sampled || (key == "sampler" && value == "balanced");
  }
  return out;
}

}  // namespace

LossSpec trained_loss(const TrainSpec& train, const TrialResult& result, const StudyImages& images,
                      int positive, const std::vector<std::string>& classes) {
  std::vector<std::size_t> counts(classes.size());
  for (const StudyImage image : images) ++counts[static_cast<std::size_t>(image.label)];
  for (const SplitPredictions& split : result.predictions) {
    for (const std::uint32_t row : split.rows) {
      --counts[static_cast<std::size_t>(images.at(row).label)];
    }
  }
  return settled_loss(train.loss, positive, counts, classes);
}

std::string class_weights_text(const std::vector<double>& weights,
                               const std::vector<std::string>& classes) {
  std::string text;
  for (std::size_t c = 0; c < weights.size(); ++c) {
    text += fmt::format("{}{}: {:.4g}", c > 0 ? ", " : "", classes[c], weights[c]);
  }
  return text;
}

std::vector<std::string> balanced_notes(const StudySummary& summary, const StudySpec& spec) {
  std::vector<std::string> notes;
  for (const ArmSpec& arm : spec.arms) {
    if (!arm.train.loss.balanced) continue;
    const std::vector<TrialSummary>* trials = nullptr;
    for (const auto* arms : {&summary.arms, &summary.controls}) {
      for (const ArmSummary& of : *arms) {
        if (of.name == arm.name && !of.trials.empty()) trials = &of.trials;
      }
    }
    if (trials == nullptr) continue;
    std::string text;
    for (std::size_t c = 0; c < summary.dataset.classes.size(); ++c) {
      double low = trials->front().loss.class_weight.at(c), high = low;
      for (const TrialSummary& trial : *trials) {
        low = std::min(low, trial.loss.class_weight.at(c));
        high = std::max(high, trial.loss.class_weight.at(c));
      }
      text += fmt::format("{}{}: {}", c > 0 ? ", " : "", summary.dataset.classes[c],
                          range_text(low, high));
    }
    notes.push_back(
        fmt::format("Arm {}: balanced class weights, from each trial's own training split: {}{}.",
                    arm.name, text, trials->size() > 1 ? " over the seeds" : ""));
  }
  return notes;
}

bool weighted_alike(const ArmSummary& a, const ArmSummary& b) {
  if (a.trials.empty() || b.trials.empty()) return true;
  // Balanced weights come from a trial's own training split: those of one seed are compared.
  for (const TrialSummary& of_a : a.trials) {
    for (const TrialSummary& of_b : b.trials) {
      if (of_a.seed == of_b.seed) return weighting(a, of_a) == weighting(b, of_b);
    }
  }
  return weighting(a, a.trials.front()) == weighting(b, b.trials.front());
}

std::string unequal_weights_note(const StudySummary& summary) {
  std::vector<std::string> even, uneven;
  bool alike = true;
  for (const ArmSummary& arm : summary.arms) {
    alike = alike && weighted_alike(arm, summary.arms.front());
    if (arm.trials.empty()) continue;
    (weighting(arm, arm.trials.front()) == Weighting{} ? even : uneven).push_back(arm.name);
  }
  if (alike) return "";
  return fmt::format(
      "Log loss, Brier score and calibration do not compare fairly here: classes were weighted (or "
      "sampled) to count differently in {}{}, which shifts every probability by as much, whatever "
      "was learned. The AUROC is not moved by such a shift.",
      quoted(uneven), even.empty() ? "" : " and not in " + quoted(even));
}

std::vector<std::string> sample_weight_notes(const StudySpec& spec, const Dataset& dataset) {
  if (!dataset.info().weighted) return {};
  std::vector<std::string> with, without;
  for (const ArmSpec& arm : spec.arms) {
    (arm.train.sample_weight ? with : without).push_back(arm.name);
  }
  double low = dataset.record(0).weight, high = low, sum = 0;
  for (std::size_t row = 0; row < dataset.size(); ++row) {
    const double weight = dataset.record(row).weight;
    low = std::min(low, weight);
    high = std::max(high, weight);
    sum += weight;
  }
  const std::string weights = fmt::format("{} (mean {:.4g})", range_text(low, high),
                                          sum / static_cast<double>(dataset.size()));
  if (with.empty()) {
    return {fmt::format(
        "The dataset gives its images weights, {}, which training does not use; sample_weight = "
        "true under [train] does.",
        weights)};
  }
  std::string text = fmt::format(
      "Training images count by the dataset's weights, {}{}; validation and test images all count "
      "once.",
      weights, without.empty() ? "" : ", in " + quoted(with) + " and not in " + quoted(without));
  return {std::move(text)};
}

}  // namespace bioptic
