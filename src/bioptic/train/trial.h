// One trial: one arm trained with one seed.  A pure function of its specification and the dataset.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bioptic/data/dataset.h"
#include "bioptic/data/split.h"
#include "bioptic/engine/engine.h"
#include "bioptic/model/parameters.h"
#include "bioptic/model/spec.h"

namespace bioptic {

// The seed of each stream (what `vary` leaves out stays 0).
struct TrialSeeds {
  std::uint64_t split = 0, init = 0, order = 0;
};

struct TrialSpec {
  TrainSpec train;
  SplitSpec split;
  std::string group_pattern;  // [data] group
  int positive = 1;           // label of the positive class
  TrialSeeds seeds;
  std::string dataset_hash;  // of the uint8 dataset that is trained on
  std::string engine = "fused";
  int numerics_version = 0;
};

// SHA-256 (64 hex digits) of the specification's canonical JSON.
std::string trial_id(const TrialSpec& spec);
std::string canonical_json(const TrialSpec& spec);
// The part of it that says how the data are split; and back (throws nlohmann::json::exception).
std::string canonical_json(const SplitSpec& spec);
SplitSpec split_spec_from_json(const std::string& text);

enum class TrialStatus { done, collapsed, failed };
const char* name_of(TrialStatus);

struct EpochRecord {
  int epoch = 0;                              // from 1
  std::int64_t step = 0;                      // optimizer steps so far
  double lr = 0;                              // of the epoch's last step
  double train_loss = 0, train_accuracy = 0;  // running, sample-weighted mean over the epoch
  double val_loss = 0, val_accuracy = 0, val_auroc = 0;        // auroc NaN where undefined
  std::optional<double> train_eval_loss, train_eval_accuracy;  // end of epoch, when asked for
};

// Predictions of one split at the selected epoch.
struct SplitPredictions {
  std::string split;                // "val", "test" or "holdout"
  std::vector<std::uint32_t> rows;  // of the dataset
  std::vector<float> logits;        // rows x outputs
};

struct TrialResult {
  TrialStatus status = TrialStatus::done;
  std::string error;  // failed: why
  std::vector<EpochRecord> history;
  int selected_epoch = 0;
  std::int64_t steps = 0;
  double threshold = 0.5;                     // on the score of the positive class
  double train_loss = 0, train_accuracy = 0;  // of the selected epoch
  double val_loss = 0, val_accuracy = 0, test_loss = 0, test_accuracy = 0;
  std::vector<SplitPredictions> predictions;  // val, test, and holdout where there is one
  std::string weights_sha256;
  double wall_seconds = 0;
  Parameters weights;         // of the selected epoch
  std::string normalisation;  // Normaliser::fitted(); not in the store, models keep it
};

struct TrialControl {
  int threads = 1;
  std::string isa;
  // Called after every epoch; returning false stops the trial (Interrupted is thrown).
  std::function<bool(const EpochRecord&, int epochs)> on_epoch;
  // --trace: every step (its number from 0, learning rate, ...), its loss and its rows of the
  // dataset.
  std::function<void(std::int64_t number, const Step& step, double loss,
                     std::span<const std::uint32_t> rows)>
      on_step;
};

// Throws InputError where the specification does not fit the dataset: batch size above the number
// of training images, a loss for two classes on more, an empty split, a duration without a step.
// Done for every trial before the first is trained.
void check_trial(const TrialSpec& spec, const Dataset& dataset, const Groups& groups,
                 const SplitPlan& plan);

// Optimizer steps of the whole trial (without early stopping).
std::int64_t planned_steps(const TrialSpec& spec, const Dataset& dataset, const Groups& groups,
                           const SplitPlan& plan);

// Seconds that a trial takes, from a few steps and evaluations measured now.
double estimate_seconds(const TrialSpec& spec, const Dataset& dataset, const Groups& groups,
                        const SplitPlan& plan, const TrialControl& control);

// `dataset` must be uint8 (see window.h), equalized where the normalisation is clahe (see clahe.h).
// Throws InputError for a specification that does not fit the dataset (batch size above the number
// of training images, ...).
TrialResult run_trial(const TrialSpec& spec, const Dataset& dataset, const Groups& groups,
                      const SplitPlan& plan, const TrialControl& control);

// Score of a class from logits (float32, as stored) and the predicted label.  Two classes:
// predicted positive when score > threshold, strictly.  More: the first largest logit.  -1, no
// class and so wrong whatever the label, where a score is not finite.
float positive_score(LossKind loss, int positive, const float* logits);
int predicted_label(LossKind loss, int classes, int positive, double threshold,
                    const float* logits);
// The column of a confusion matrix: of no class the one after the image's own.
std::size_t confusion_column(int predicted, std::int64_t label, int classes);

}  // namespace bioptic
