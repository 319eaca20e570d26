#include "bioptic/model/spec.h"

namespace bioptic {

const char* name_of(Activation activation) {
  switch (activation) {
    case Activation::relu:
      return "relu";
    case Activation::leaky_relu:
      return "leaky_relu";
    case Activation::tanh:
      return "tanh";
    case Activation::gelu:
      return "gelu";
  }
  return "";
}

const char* name_of(LossKind kind) {
  switch (kind) {
    case LossKind::bce:
      return "bce";
    case LossKind::bce_with_logits:
      return "bce_with_logits";
    case LossKind::cross_entropy:
      return "cross_entropy";
  }
  return "";
}

const char* name_of(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::sgd:
      return "sgd";
    case OptimizerKind::adam:
      return "adam";
    case OptimizerKind::adamw:
      return "adamw";
  }
  return "";
}

const char* name_of(ScheduleKind kind) {
  switch (kind) {
    case ScheduleKind::constant:
      return "constant";
    case ScheduleKind::step:
      return "step";
    case ScheduleKind::multistep:
      return "multistep";
    case ScheduleKind::exponential:
      return "exponential";
    case ScheduleKind::linear:
      return "linear";
    case ScheduleKind::polynomial:
      return "polynomial";
    case ScheduleKind::cosine:
      return "cosine";
    case ScheduleKind::cosine_restarts:
      return "cosine_restarts";
    case ScheduleKind::one_cycle:
      return "one_cycle";
    case ScheduleKind::cyclic:
      return "cyclic";
    case ScheduleKind::plateau:
      return "plateau";
  }
  return "";
}

const char* name_of(ScheduleInterval interval) {
  return interval == ScheduleInterval::step ? "step" : "epoch";
}

const char* name_of(Anneal anneal) { return anneal == Anneal::cosine ? "cosine" : "linear"; }

const char* name_of(CyclicMode mode) {
  switch (mode) {
    case CyclicMode::triangular:
      return "triangular";
    case CyclicMode::triangular2:
      return "triangular2";
    case CyclicMode::exp_range:
      return "exp_range";
  }
  return "";
}

const char* name_of(ThresholdKind kind) {
  switch (kind) {
    case ThresholdKind::fixed:
      return "fixed";
    case ThresholdKind::youden:
      return "youden";
    case ThresholdKind::sensitivity:
      return "sensitivity";
  }
  return "";
}

const char* name_of(NormalisationKind kind) {
  switch (kind) {
    case NormalisationKind::pixel:
      return "pixel";
    case NormalisationKind::training:
      return "training";
    case NormalisationKind::image:
      return "image";
    case NormalisationKind::histogram:
      return "histogram";
    case NormalisationKind::clahe:
      return "clahe";
  }
  return "";
}

const char* name_of(ValidationMetric metric) {
  switch (metric) {
    case ValidationMetric::loss:
      return "val_loss";
    case ValidationMetric::accuracy:
      return "val_accuracy";
    case ValidationMetric::auroc:
      return "val_auroc";
  }
  return "";
}

const char* name_of(Sampler sampler) {
  return sampler == Sampler::balanced ? "balanced" : "shuffle";
}

int output_count(LossKind loss, int classes) {
  return loss == LossKind::cross_entropy ? classes : 1;
}

}  // namespace bioptic
