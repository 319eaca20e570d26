#include "bioptic/report/overview.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "bioptic/base/version.h"
#include "bioptic/stats/curve_index.h"

namespace bioptic {
namespace {

using Value = std::function<double(const EpochRecord&)>;

// Epochs to show of `count`, from 0: all, or kMostPoints at equal distances.
std::vector<std::size_t> shown_epochs(std::size_t count) {
  std::vector<std::size_t> out;
  const std::size_t points = std::min(count, kMostPoints);
  for (std::size_t i = 0; i < points; ++i) {
    out.push_back(points < 2 ? 0 : i * (count - 1) / (points - 1));
  }
  return out;
}

// Trials that stopped early end there; NaN where none is left or none is finite.
OverviewCurve curve_of(const ArmSummary& arm, const std::vector<std::size_t>& epochs,
                       const Value& value) {
  OverviewCurve curve;
  for (const std::size_t epoch : epochs) {
    std::vector<double> values;
    for (const TrialSummary& trial : arm.trials) {
      if (epoch >= trial.result.history.size()) continue;
      const double v = value(trial.result.history[epoch]);
      if (std::isfinite(v)) values.push_back(v);
    }
    const auto quantile = [&](double q) {
      return values.empty() ? kUndefined : linear_quantile(values, q);
    };
    curve.low.push_back(quantile(0.25));
    curve.median.push_back(quantile(0.5));
    curve.high.push_back(quantile(0.75));
  }
  return curve;
}

OverviewArm arm_of(const ArmSummary& arm) {
  OverviewArm out;
  out.name = arm.name;
  out.figure = arm.reported_figure;
  out.trials = arm.trials.size();
  out.collapsed = arm.collapsed;
  if (const auto test = arm.metrics.find("test_accuracy"); test != arm.metrics.end()) {
    const MetricSummary& m = test->second;
    out.test_accuracy = m.mean;
    out.test_sd = m.sd;
    out.seeds_low = m.low;
    out.seeds_high = m.high;
    out.patients_low = m.patients_low;
    out.patients_high = m.patients_high;
  }
  if (const auto val = arm.metrics.find("val_accuracy"); val != arm.metrics.end()) {
    out.val_accuracy = val->second.mean;
  }
  if (const auto said = arm.reported.find("test_accuracy"); said != arm.reported.end()) {
    out.reported = said->second;
  }
  std::size_t longest = 0;
  for (const TrialSummary& trial : arm.trials) {
    longest = std::max(longest, trial.result.history.size());
    if (const auto m = trial.metrics.find("test_accuracy"); m != trial.metrics.end()) {
      out.by_seed.push_back(m->second);
    }
  }
  const std::vector<std::size_t> epochs = shown_epochs(longest);
  for (const std::size_t epoch : epochs) out.epochs.push_back(static_cast<int>(epoch) + 1);
  const auto curve = [&](const Value& value) { return curve_of(arm, epochs, value); };
  out.training_accuracy = curve([](const EpochRecord& e) { return e.train_accuracy; });
  out.validation_accuracy = curve([](const EpochRecord& e) { return e.val_accuracy; });
  out.training_loss = curve([](const EpochRecord& e) { return e.train_loss; });
  out.validation_loss = curve([](const EpochRecord& e) { return e.val_loss; });
  return out;
}

OverviewPair pair_of(const Comparison& c) {
  const JudgedEvidence& e = c.headline();
  const JudgedEvidence::Shown shown = e.shown();
  return {c.a, c.b, e.verdict, c.difference, shown.low, shown.high, shown.confidence, e.reason};
}

OverviewClaim claim_of(const ClaimResult& r) {
  const JudgedEvidence& e = r.headline();
  const JudgedEvidence::Shown shown = e.shown();
  OverviewClaim out;
  out.id = r.spec.id;
  out.sentence = r.spec.sentence;
  out.effect_of = r.words;
  out.reason = e.reason;
  out.verdict = e.verdict;
  out.gap = r.spec.kind == ClaimKind::gap;
  out.shift = r.spec.because_of_shift;
  out.patients = r.headline_is_e2();
  out.points = r.points;
  out.null_value = r.null_value;
  out.effect = out.gap && out.patients ? r.effect2 : r.effect;
  out.low = shown.low;
  out.high = shown.high;
  out.confidence = shown.confidence;
  return out;
}

}  // namespace

StudyOverview overview_of(const StudySummary& summary) {
  StudyOverview out;
  out.name = summary.name;
  out.question = summary.question;
  out.version = kVersion;
  const nlohmann::json provenance =
      nlohmann::json::parse(summary.dataset.provenance, nullptr, /*allow_exceptions=*/false);
  out.simulated = provenance.is_object() && provenance.value("kind", "") == "phantom";
  out.shift_by_design = out.simulated && provenance.value("shift", 0.0) > 0;
  out.patients_known = summary.groups < summary.images.size();
  out.patients = summary.inference == Inference::patients;
  out.width = summary.dataset.width;
  out.height = summary.dataset.height;
  out.images = static_cast<std::size_t>(summary.dataset.images);
  out.train = summary.train_images;
  out.val = summary.val_images;
  out.test = summary.test_images;
  out.test_groups = summary.test_groups;
  out.margin = summary.margin;
  out.unfinished = summary.unfinished;
  for (const ArmSummary& arm : summary.arms) {
    out.arms.push_back(arm_of(arm));
    out.seeds = std::max(out.seeds, arm.trials.size());
  }
  for (const Comparison& c : summary.comparisons) {
    if (c.split != "test" || c.metric != "accuracy") continue;
    out.pairs.push_back(pair_of(c));
    if (c.shared) out.shared_groups = c.shared->shared;
  }
  for (const ClaimResult& claim : summary.claims) out.claims.push_back(claim_of(claim));
  return out;
}

}  // namespace bioptic
