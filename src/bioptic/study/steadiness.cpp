#include "bioptic/study/steadiness.h"

#include <algorithm>

#include "bioptic/stats/intervals.h"
#include "bioptic/study/claim_values.h"

namespace bioptic {
namespace {

bool has_train_eval(const StudySummary& summary) {
  for (const ArmSummary& arm : summary.arms) {
    for (const TrialSummary& trial : arm.trials) {
      if (!trial.result.history.empty() && trial.result.history.front().train_eval_loss) {
        return true;
      }
    }
  }
  return false;
}

Steadiness row_of(const ArmSummary& arm, const ClaimSpec& curve) {
  Steadiness row{
      arm.name, curve.split, curve.metric, curve.value, {curve.first_epoch, curve.last_epoch}, {},
      0,        {}};
  std::vector<double> values;
  for (const TrialSummary& trial : arm.trials) {
    const std::optional<double> value = claim_value(trial, curve);
    if (value) {
      row.seeds.push_back({trial.seed, *value});
      values.push_back(*value);
    } else {
      ++row.undefined;
    }
  }
  const MeanInterval i = t_interval(values);
  row.over_seeds = {i.mean, i.sd, i.low, i.high, i.n};
  return row;
}

}  // namespace

std::vector<const ClaimSpec*> steadiness_claims(const StudySummary& summary) {
  std::vector<const ClaimSpec*> out;
  for (const ClaimResult& claim : summary.claims) {
    if (is_steadiness(claim.spec.value)) out.push_back(&claim.spec);
    for (const ClaimSpec& part : claim.spec.parts) {
      if (is_steadiness(part.value)) out.push_back(&part);
    }
  }
  return out;
}

std::vector<Steadiness> steadiness(const StudySummary& summary) {
  std::vector<EpochWindow> windows = {{}};
  for (const ClaimSpec* claim : steadiness_claims(summary)) {
    const EpochWindow window{claim->first_epoch, claim->last_epoch};
    if (std::find(windows.begin(), windows.end(), window) == windows.end()) {
      windows.push_back(window);
    }
  }
  std::vector<std::string> splits = {"val", "train_running"};
  if (has_train_eval(summary)) splits.emplace_back("train");
  std::vector<Steadiness> out;
  for (const EpochWindow& window : windows) {
    for (const std::string& split : splits) {
      for (const char* metric : {"accuracy", "loss"}) {
        for (const CurveValue index :
             {CurveValue::step_spread, CurveValue::noise_level, CurveValue::excess_travel,
              CurveValue::worst_drawdown, CurveValue::worst_steps}) {
          ClaimSpec curve;
          curve.split = split;
          curve.metric = metric;
          curve.value = index;
          curve.first_epoch = window.first;
          curve.last_epoch = window.last;
          for (const ArmSummary& arm : summary.arms) out.push_back(row_of(arm, curve));
        }
      }
    }
  }
  return out;
}

}  // namespace bioptic
