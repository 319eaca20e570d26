#include "bioptic/study/claim_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace bioptic {

const char* name_of(ClaimKind kind) {
  constexpr std::array<const char*, 7> kNames = {"difference", "trend", "order", "index",
                                                 "shape",      "gap",   "all_of"};
  return kNames[static_cast<std::size_t>(kind)];
}

const char* name_of(CurveValue value) {
  constexpr std::array<const char*, 7> kNames = {"end",         "mean",          "step_spread",
                                                 "noise_level", "excess_travel", "worst_drawdown",
                                                 "worst_steps"};
  return kNames[static_cast<std::size_t>(value)];
}

const char* name_of(CurveShape shape) {
  constexpr std::array<const char*, 4> kNames = {"rises", "peaks_early", "ends_below_start",
                                                 "peaks_early_and_ends_low"};
  return kNames[static_cast<std::size_t>(shape)];
}

const char* shape_words(CurveShape shape) {
  constexpr std::array<const char*, 4> kWords = {
      "rises from third to third of the run", "peaks in the first third of the run",
      "ends below its beginning",
      "peaks in the first third of the run and ends below its beginning"};
  return kWords[static_cast<std::size_t>(shape)];
}

bool speaks_of_curve(const ClaimSpec& claim) {
  return claim.kind == ClaimKind::shape || claim.value != CurveValue::end;
}

bool is_steadiness(CurveValue value) {
  return value != CurveValue::end && value != CurveValue::mean;
}

std::string quantity_words(const ClaimSpec& claim) {
  std::string split = claim.split;
  if (split == "val") split = "validation";
  if (split == "train") split = "training";
  if (split == "train_running") split = "running training";
  if (split == "holdout") split = "hold-out";
  std::string metric = claim.metric;
  if (metric == "auroc") metric = "AUROC";
  if (metric == "brier") metric = "Brier score";
  std::replace(metric.begin(), metric.end(), '_', ' ');
  std::string words = split + " " + metric;
  if (!speaks_of_curve(claim)) return words;
  if (claim.value == CurveValue::mean) {
    words = "mean of the " + words + " over the epochs";
  } else if (claim.kind != ClaimKind::shape) {
    std::string index = name_of(claim.value);
    std::replace(index.begin(), index.end(), '_', ' ');
    words = index + " of the " + words;
  }
  if (claim.first_epoch > 1 || claim.last_epoch > 0) {
    words += claim.last_epoch > 0
                 ? fmt::format(" (epochs {} to {})", claim.first_epoch, claim.last_epoch)
                 : fmt::format(" (from epoch {} on)", claim.first_epoch);
  }
  return words;
}

}  // namespace bioptic
