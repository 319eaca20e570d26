// What is trained and how, as plain data: the [train] part of a study with every default filled in.
// Defaults are PyTorch's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bioptic {

enum class Activation {
  relu,
  leaky_relu,
  tanh,
  gelu
};  // leaky_relu: slope 0.01; gelu: exact (erf)

struct ModelSpec {
  std::vector<int> hidden = {64, 64};  // widths, each 1..65536; may be empty (logistic regression)
  Activation activation = Activation::relu;
  double dropout = 0;  // after each hidden layer, [0, 1)
};

enum class LossKind { bce, bce_with_logits, cross_entropy };

struct LossSpec {
  LossKind kind = LossKind::bce_with_logits;
  std::vector<double> class_weight;  // by label; empty = all 1
  std::optional<double> pos_weight;  // bce_with_logits only
  double label_smoothing = 0;        // cross_entropy only, [0, 1)
  // class_weight = "balanced": each trial's own numbers, from its training split (train/
  // class_weights.h); class_weight is empty until then.
  bool balanced = false;
};

enum class OptimizerKind { sgd, adam, adamw };

struct OptimizerSpec {
  OptimizerKind kind = OptimizerKind::adam;
  double lr = 1e-3;
  double momentum = 0, dampening = 0;             // sgd
  bool nesterov = false;                          // sgd; needs momentum > 0 and dampening = 0
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;  // adam, adamw
  double weight_decay = 0;  // adamw's default is 0.01, filled in by the parser
};

enum class ScheduleKind {
  constant,
  step,
  multistep,
  exponential,
  linear,
  polynomial,
  cosine,
  cosine_restarts,
  one_cycle,
  cyclic,
  plateau
};
enum class ScheduleInterval { step, epoch };
enum class Anneal { cosine, linear };
enum class CyclicMode { triangular, triangular2, exp_range };

// Durations are in epochs (fractions allowed) and compiled to steps by Schedule.  A field is read
// only by the kinds named beside it; unset optionals mean PyTorch's default.
struct ScheduleSpec {
  ScheduleKind kind = ScheduleKind::constant;
  ScheduleInterval interval =
      ScheduleInterval::step;  // the parser's default: epoch for step, multistep,
                               // exponential and plateau, step for the rest
  double warmup_epochs = 0;    // any: linear warm-up in front, from warmup_start * lr
  double warmup_start = 0.01;  // (0, 1]
  double gamma = 0.1;          // step, multistep (0.1), exponential (0.95), cyclic exp_range (1)
  double step_epochs = 10;     // step: StepLR's step_size
  std::vector<double> milestones;                 // multistep: in epochs, ascending
  double start_factor = 1.0 / 3, end_factor = 1;  // linear: LinearLR
  double duration_epochs = 0;  // linear, polynomial, cosine (T_max), one_cycle; 0 = the whole run
  double power = 1;            // polynomial: PolynomialLR
  double eta_min = 0;          // cosine, cosine_restarts
  double restart_epochs = 10;  // cosine_restarts: T_0
  int restart_mult = 1;        // cosine_restarts: T_mult
  double max_lr = 0;           // one_cycle, cyclic: required
  double pct_start = 0.3;      // one_cycle
  Anneal anneal = Anneal::cosine;                  // one_cycle
  double div_factor = 25, final_div_factor = 1e4;  // one_cycle
  bool three_phase = false;                        // one_cycle
  bool cycle_momentum = true;  // one_cycle, cyclic: momentum (sgd) or beta1 (adam)
  double base_momentum = 0.85,
         max_momentum = 0.95;                // one_cycle (cyclic: 0.8, 0.9, set by the parser)
  double base_lr = 0;                        // cyclic: required
  double up_epochs = 0, down_epochs = 0;     // cyclic: step_size_up/down; down 0 = up
  CyclicMode mode = CyclicMode::triangular;  // cyclic
  double factor = 0.1;                       // plateau
  int patience = 10, cooldown = 0;           // plateau, in epochs
  double threshold = 1e-4, min_lr = 0;       // plateau (relative threshold)
  std::string metric = "val_loss";           // plateau: val_loss (min) or val_accuracy (max)
};

enum class ThresholdKind { fixed, youden, sensitivity };
struct ThresholdSpec {
  ThresholdKind kind = ThresholdKind::fixed;
  double value = 0.5;  // fixed: the threshold; sensitivity: the sensitivity to reach
};

// One of val_loss, val_accuracy, val_auroc.
enum class ValidationMetric { loss, accuracy, auroc };

struct EarlyStopping {
  ValidationMetric metric = ValidationMetric::loss;
  int patience = 10;  // epochs without improvement
  double min_delta = 0;
};

// Raised whenever an augmented pixel would change; part of a trial's id where it augments.
inline constexpr int kAugmentVersion = 1;

// How far the images of a training batch are changed, drawn anew for every image and epoch
// (docs/augmentation.md).  0 and false: not at all.
struct AugmentSpec {
  double shift = 0;       // of the side, to either side, in both directions; [0, 0.5]
  double rotate = 0;      // degrees, either way; [0, 180]
  double scale = 0;       // by a factor of 1 - scale to 1 + scale; [0, 0.5]
  bool flip = false;      // left to right, every second time
  double brightness = 0;  // of the full range of grey, either way; [0, 1]
  double contrast = 0;    // by a factor of 1 - contrast to 1 + contrast; [0, 1]
  double noise = 0;       // standard deviation in grey levels; [0, 64]

  bool any() const {
    return shift > 0 || rotate > 0 || scale > 0 || flip || brightness > 0 || contrast > 0 ||
           noise > 0;
  }
};

enum class NormalisationKind { pixel, training, image, histogram, clahe };

// How stored grey values become inputs; docs/normalisation.md says what each does.
struct NormalisationSpec {
  NormalisationKind kind = NormalisationKind::pixel;  // p / 255
  // clahe; scikit-image's defaults.
  double clip_limit = 0.01;  // largest share of a tile's pixels in one bin, (0, 1]
  int tiles = 8;             // per axis
};

// How an epoch's images are drawn from the training split (train/batches.h).
enum class Sampler { shuffle, balanced };

struct TrainSpec {
  ModelSpec model;
  LossSpec loss;
  OptimizerSpec optimizer;
  ScheduleSpec schedule;
  int epochs = 30;
  int batch_size = 30;
  ThresholdSpec threshold;
  std::optional<EarlyStopping> early_stopping;
  std::optional<ValidationMetric> select;  // unset: the last epoch
  bool train_eval = false;                 // also evaluate the training split after each epoch
  AugmentSpec augment;
  NormalisationSpec normalisation;
  Sampler sampler = Sampler::shuffle;
  bool sample_weight = false;  // an image's loss counts by its weight in the dataset
};

// Names as they stand in TOML, and back (nullopt: no such name).
const char* name_of(Activation);
const char* name_of(LossKind);
const char* name_of(OptimizerKind);
const char* name_of(ScheduleKind);
const char* name_of(ScheduleInterval);
const char* name_of(Anneal);
const char* name_of(CyclicMode);
const char* name_of(ThresholdKind);
const char* name_of(NormalisationKind);
const char* name_of(ValidationMetric);  // "val_loss", ...
const char* name_of(Sampler);

// Logits of a model: 1 for the two bce losses (2 classes only), else `classes`.
int output_count(LossKind loss, int classes);

// JSON object with every field that the kinds read, keys sorted, numbers in shortest digits: what a
// trial's id is computed from, and what the report's settings are listed from.
std::string canonical_json(const TrainSpec& spec);
TrainSpec train_spec_from_json(const std::string& json);

}  // namespace bioptic
