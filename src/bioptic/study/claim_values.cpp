#include "bioptic/study/claim_values.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "bioptic/stats/curve_index.h"

namespace bioptic {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double of_epoch(const EpochRecord& e, const std::string& split, const std::string& metric) {
  const bool accuracy = metric == "accuracy";
  if (split == "val") {
    return accuracy ? e.val_accuracy : metric == "loss" ? e.val_loss : e.val_auroc;
  }
  if (split == "train_running") return accuracy ? e.train_accuracy : e.train_loss;
  return (accuracy ? e.train_eval_accuracy : e.train_eval_loss).value_or(kNan);
}

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

bool all_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

}  // namespace

std::vector<double> metric_curve(const TrialSummary& trial, const std::string& split,
                                 const std::string& metric) {
  std::vector<double> curve;
  curve.reserve(trial.result.history.size());
  for (const EpochRecord& e : trial.result.history) curve.push_back(of_epoch(e, split, metric));
  return curve;
}

std::vector<double> claim_curve(const TrialSummary& trial, const ClaimSpec& claim) {
  const std::vector<double> all = metric_curve(trial, claim.split, claim.metric);
  const auto begin = std::min(static_cast<std::size_t>(claim.first_epoch - 1), all.size());
  const std::size_t end = claim.last_epoch > 0
                              ? std::min(static_cast<std::size_t>(claim.last_epoch), all.size())
                              : all.size();
  if (begin >= end) return {};
  return {all.begin() + static_cast<std::ptrdiff_t>(begin),
          all.begin() + static_cast<std::ptrdiff_t>(end)};
}

std::optional<double> curve_value(const std::vector<double>& curve, CurveValue value,
                                  bool larger_is_better) {
  if (curve.empty() || !all_finite(curve)) return std::nullopt;
  if (value == CurveValue::mean) return mean_of(curve);
  const CurveIndices indices = curve_indices(curve, {}, larger_is_better);
  switch (value) {
    case CurveValue::step_spread:
      return indices.step_spread;
    case CurveValue::noise_level:
      return indices.noise_level;
    case CurveValue::excess_travel:
      return indices.excess_travel;
    case CurveValue::worst_drawdown:
      return indices.worst_drawdown;
    case CurveValue::worst_steps:
      return indices.worst_steps;
    default:
      return std::nullopt;
  }
}

std::optional<double> claim_value(const TrialSummary& trial, const ClaimSpec& claim) {
  if (claim.value != CurveValue::end) {
    return curve_value(claim_curve(trial, claim), claim.value, claim.metric != "loss");
  }
  const std::string split = claim.split == "train"           ? "train_eval"
                            : claim.split == "train_running" ? "train"
                                                             : claim.split;
  const auto found = trial.metrics.find(split + "_" + claim.metric);
  if (found == trial.metrics.end() || !std::isfinite(found->second)) return std::nullopt;
  return found->second;
}

std::optional<bool> has_shape(const std::vector<double>& curve, CurveShape shape) {
  if (curve.size() < 3 || !all_finite(curve)) return std::nullopt;
  const std::span<const double> all(curve);
  const std::size_t third = curve.size() / 3;
  const bool low_end = curve.back() < curve.front();
  const auto peak =
      static_cast<std::size_t>(std::max_element(curve.begin(), curve.end()) - curve.begin());
  switch (shape) {
    case CurveShape::rises: {
      const double first = mean_of(all.first(third));
      const double middle = mean_of(all.subspan(third, curve.size() - 2 * third));
      return first < middle && middle < mean_of(all.last(third));
    }
    case CurveShape::peaks_early:
      return peak < third;
    case CurveShape::ends_below_start:
      return low_end;
    case CurveShape::peaks_early_and_ends_low:
      return low_end && peak < third;
  }
  return std::nullopt;
}

}  // namespace bioptic
