// [[claim]]: a statement about arms, as the study file declares it.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace bioptic {

enum class ClaimKind { difference, trend, order, index, shape, gap, all_of };

// What a trial's curve is condensed to.  `end`: no curve but the value at the selected epoch;
// `mean`: of the curve; the others are the indices of stats/curve_index.h.
enum class CurveValue {
  end,
  mean,
  step_spread,
  noise_level,
  excess_travel,
  worst_drawdown,
  worst_steps
};

// What a shape claim says of every single curve.
enum class CurveShape {
  rises,                    // the means of its three thirds rise
  peaks_early,              // its highest value lies in its first third
  ends_below_start,         // its last value lies below its first
  peaks_early_and_ends_low  // both
};

struct ClaimSpec {
  std::string id, sentence;
  ClaimKind kind = ClaimKind::difference;
  // Of a value: accuracy, auroc, balanced_accuracy, sensitivity, specificity, brier, log_loss, loss
  // (each arm's own criterion); of a curve: accuracy, loss, auroc.
  std::string metric = "accuracy";
  // test, val, holdout; train: the training split evaluated at the end of every epoch;
  // train_running: the running mean over the epoch's batches.
  std::string split;
  // difference, index: two, the effect is first - second; order: the first is claimed to lead the
  // others; trend: from two on; shape, gap: from one on.
  std::vector<std::string> arms;
  std::string setting;         // trend: "batch_size", "optimizer.lr"
  std::vector<double> values;  // trend: the setting's value of every arm, above 0
  bool higher = true;          // the direction that the claim states
  std::optional<double> margin, detect;
  CurveValue value = CurveValue::end;
  int first_epoch = 1, last_epoch = 0;  // the curve's window; 0 = to its end
  CurveShape shape = CurveShape::rises;
  bool because_of_shift = false;  // gap: the claim also names the reason
  std::vector<ClaimSpec> parts;   // all_of
  int line = 0;                   // in the study file
};

// Names as they stand in TOML.
const char* name_of(ClaimKind);
const char* name_of(CurveValue);
const char* name_of(CurveShape);

// Does the claim speak of curves by epoch, or of an index of them?
bool speaks_of_curve(const ClaimSpec& claim);
// True for an index of steadiness: in units of its own, for which the study's margin says nothing.
bool is_steadiness(CurveValue value);
// "test accuracy", "step spread of the validation accuracy, epochs 6 to 30", for sentences.
std::string quantity_words(const ClaimSpec& claim);
// "rises from third to third", for sentences.
const char* shape_words(CurveShape shape);

}  // namespace bioptic
