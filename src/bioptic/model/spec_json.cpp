// A specification as canonical JSON and back.  Only the fields that the kinds read are written, so
// that two specifications that train alike have one text and one trial id.
#include <nlohmann/json.hpp>
#include <string>

#include "bioptic/base/error.h"
#include "bioptic/base/json_integer.h"
#include "bioptic/model/spec.h"

namespace bioptic {
namespace {

using nlohmann::json;

constexpr const char* kBalanced = "balanced";

// The enumerator of that name among the first `count` of E.
template <typename E>
E parse_name(const json& value, int count) {
  const std::string name = value.get<std::string>();
  for (int i = 0; i < count; ++i) {
    if (name == name_of(static_cast<E>(i))) return static_cast<E>(i);
  }
  throw InputError("unknown name '" + name + "' in a stored specification");
}

json model_json(const ModelSpec& m) {
  return {{"kind", "mlp"},
          {"hidden", m.hidden},
          {"activation", name_of(m.activation)},
          {"dropout", m.dropout}};
}

json loss_json(const LossSpec& l) {
  json j = {{"kind", name_of(l.kind)}, {"class_weight", l.class_weight}};
  if (l.balanced) j["class_weight"] = kBalanced;
  if (l.kind == LossKind::bce_with_logits && l.pos_weight) j["pos_weight"] = *l.pos_weight;
  if (l.kind == LossKind::cross_entropy) j["label_smoothing"] = l.label_smoothing;
  return j;
}

json optimizer_json(const OptimizerSpec& o) {
  json j = {{"kind", name_of(o.kind)}, {"lr", o.lr}, {"weight_decay", o.weight_decay}};
  if (o.kind == OptimizerKind::sgd) {
    j["momentum"] = o.momentum;
    j["dampening"] = o.dampening;
    j["nesterov"] = o.nesterov;
  } else {
    j["betas"] = {o.beta1, o.beta2};
    j["eps"] = o.eps;
  }
  return j;
}

json schedule_json(const ScheduleSpec& s) {
  json j = {{"kind", name_of(s.kind)}, {"interval", name_of(s.interval)}};
  if (s.warmup_epochs > 0) {
    j["warmup"] = s.warmup_epochs;
    j["warmup_start"] = s.warmup_start;
  }
  const auto cycled_momentum = [&] {
    j["cycle_momentum"] = s.cycle_momentum;
    if (s.cycle_momentum) j["momentum"] = {s.base_momentum, s.max_momentum};
  };
  switch (s.kind) {
    case ScheduleKind::constant:
      break;
    case ScheduleKind::step:
      j["gamma"] = s.gamma;
      j["step_size"] = s.step_epochs;
      break;
    case ScheduleKind::multistep:
      j["gamma"] = s.gamma;
      j["milestones"] = s.milestones;
      break;
    case ScheduleKind::exponential:
      j["gamma"] = s.gamma;
      break;
    case ScheduleKind::linear:
      j["start_factor"] = s.start_factor;
      j["end_factor"] = s.end_factor;
      j["duration"] = s.duration_epochs;
      break;
    case ScheduleKind::polynomial:
      j["power"] = s.power;
      j["duration"] = s.duration_epochs;
      break;
    case ScheduleKind::cosine:
      j["eta_min"] = s.eta_min;
      j["duration"] = s.duration_epochs;
      break;
    case ScheduleKind::cosine_restarts:
      j["eta_min"] = s.eta_min;
      j["t_0"] = s.restart_epochs;
      j["t_mult"] = s.restart_mult;
      break;
    case ScheduleKind::one_cycle:
      j["max_lr"] = s.max_lr;
      j["pct_start"] = s.pct_start;
      j["anneal"] = name_of(s.anneal);
      j["div_factor"] = s.div_factor;
      j["final_div_factor"] = s.final_div_factor;
      j["three_phase"] = s.three_phase;
      j["duration"] = s.duration_epochs;
      cycled_momentum();
      break;
    case ScheduleKind::cyclic:
      j["base_lr"] = s.base_lr;
      j["max_lr"] = s.max_lr;
      j["up"] = s.up_epochs;
      j["down"] = s.down_epochs;
      j["mode"] = name_of(s.mode);
      if (s.mode == CyclicMode::exp_range) j["gamma"] = s.gamma;
      cycled_momentum();
      break;
    case ScheduleKind::plateau:
      j["factor"] = s.factor;
      j["patience"] = s.patience;
      j["cooldown"] = s.cooldown;
      j["threshold"] = s.threshold;
      j["min_lr"] = s.min_lr;
      j["metric"] = s.metric;
      break;
  }
  return j;
}

json augment_json(const AugmentSpec& a) {
  return {{"version", kAugmentVersion}, {"shift", a.shift}, {"rotate", a.rotate},
          {"scale", a.scale},           {"flip", a.flip},   {"brightness", a.brightness},
          {"contrast", a.contrast},     {"noise", a.noise}};
}

json normalisation_json(const NormalisationSpec& n) {
  json j = {{"kind", name_of(n.kind)}};
  if (n.kind == NormalisationKind::clahe) {
    j["clip_limit"] = n.clip_limit;
    j["tiles"] = n.tiles;
  }
  return j;
}

// Reads `key` into `target` where the object has it.
template <typename T>
void read(const json& j, const char* key, T& target) {
  if (j.contains(key)) target = j.at(key).get<T>();
}
void read(const json& j, const char* key, int& target) {
  if (j.contains(key)) target = integer<int>(j.at(key));
}
void read(const json& j, const char* key, std::vector<int>& target) {
  if (j.contains(key)) target = integers<int>(j.at(key));
}

ModelSpec model_from(const json& j) {
  ModelSpec m;
  read(j, "hidden", m.hidden);
  m.activation = parse_name<Activation>(j.at("activation"), 4);
  read(j, "dropout", m.dropout);
  return m;
}

LossSpec loss_from(const json& j) {
  LossSpec l;
  l.kind = parse_name<LossKind>(j.at("kind"), 3);
  l.balanced = j.contains("class_weight") && j.at("class_weight") == kBalanced;
  if (!l.balanced) read(j, "class_weight", l.class_weight);
  if (j.contains("pos_weight")) l.pos_weight = j.at("pos_weight").get<double>();
  read(j, "label_smoothing", l.label_smoothing);
  return l;
}

OptimizerSpec optimizer_from(const json& j) {
  OptimizerSpec o;
  o.kind = parse_name<OptimizerKind>(j.at("kind"), 3);
  read(j, "lr", o.lr);
  read(j, "weight_decay", o.weight_decay);
  read(j, "momentum", o.momentum);
  read(j, "dampening", o.dampening);
  read(j, "nesterov", o.nesterov);
  if (j.contains("betas")) {
    o.beta1 = j.at("betas").at(0).get<double>();
    o.beta2 = j.at("betas").at(1).get<double>();
  }
  read(j, "eps", o.eps);
  return o;
}

ScheduleSpec schedule_from(const json& j) {
  ScheduleSpec s;
  s.kind = parse_name<ScheduleKind>(j.at("kind"), 11);
  s.interval = parse_name<ScheduleInterval>(j.at("interval"), 2);
  read(j, "warmup", s.warmup_epochs);
  read(j, "warmup_start", s.warmup_start);
  read(j, "gamma", s.gamma);
  read(j, "step_size", s.step_epochs);
  read(j, "milestones", s.milestones);
  read(j, "start_factor", s.start_factor);
  read(j, "end_factor", s.end_factor);
  read(j, "duration", s.duration_epochs);
  read(j, "power", s.power);
  read(j, "eta_min", s.eta_min);
  read(j, "t_0", s.restart_epochs);
  read(j, "t_mult", s.restart_mult);
  read(j, "max_lr", s.max_lr);
  read(j, "pct_start", s.pct_start);
  if (j.contains("anneal")) s.anneal = parse_name<Anneal>(j.at("anneal"), 2);
  read(j, "div_factor", s.div_factor);
  read(j, "final_div_factor", s.final_div_factor);
  read(j, "three_phase", s.three_phase);
  read(j, "cycle_momentum", s.cycle_momentum);
  if (j.contains("momentum")) {
    s.base_momentum = j.at("momentum").at(0).get<double>();
    s.max_momentum = j.at("momentum").at(1).get<double>();
  }
  read(j, "base_lr", s.base_lr);
  read(j, "up", s.up_epochs);
  read(j, "down", s.down_epochs);
  if (j.contains("mode")) s.mode = parse_name<CyclicMode>(j.at("mode"), 3);
  read(j, "factor", s.factor);
  read(j, "patience", s.patience);
  read(j, "cooldown", s.cooldown);
  read(j, "threshold", s.threshold);
  read(j, "min_lr", s.min_lr);
  read(j, "metric", s.metric);
  return s;
}

AugmentSpec augment_from(const json& j) {
  AugmentSpec a;
  read(j, "shift", a.shift);
  read(j, "rotate", a.rotate);
  read(j, "scale", a.scale);
  read(j, "flip", a.flip);
  read(j, "brightness", a.brightness);
  read(j, "contrast", a.contrast);
  read(j, "noise", a.noise);
  return a;
}

NormalisationSpec normalisation_from(const json& j) {
  NormalisationSpec n;
  n.kind = parse_name<NormalisationKind>(j.at("kind"), 5);
  read(j, "clip_limit", n.clip_limit);
  read(j, "tiles", n.tiles);
  return n;
}

}  // namespace

std::string canonical_json(const TrainSpec& spec) {
  json j = {{"model", model_json(spec.model)},
            {"loss", loss_json(spec.loss)},
            {"optimizer", optimizer_json(spec.optimizer)},
            {"scheduler", schedule_json(spec.schedule)},
            {"epochs", spec.epochs},
            {"batch_size", spec.batch_size},
            {"threshold", {{"kind", name_of(spec.threshold.kind)}}},
            {"select", spec.select ? name_of(*spec.select) : "last"},
            {"train_eval", spec.train_eval}};
  if (spec.threshold.kind != ThresholdKind::youden) j["threshold"]["value"] = spec.threshold.value;
  if (spec.early_stopping) {
    j["early_stopping"] = {{"metric", name_of(spec.early_stopping->metric)},
                           {"patience", spec.early_stopping->patience},
                           {"min_delta", spec.early_stopping->min_delta}};
  }
  // Only where it does something: a trial without it keeps the id it had before there was any.
  if (spec.augment.any()) j["augment"] = augment_json(spec.augment);
  // Only where it is not p / 255, so that a trial keeps the id it had before there was a choice.
  if (spec.normalisation.kind != NormalisationKind::pixel) {
    j["normalisation"] = normalisation_json(spec.normalisation);
  }
  // Only where they are set, so that a trial without them keeps the id it had before there were
  // any.
  if (spec.sampler != Sampler::shuffle) j["sampler"] = name_of(spec.sampler);
  if (spec.sample_weight) j["sample_weight"] = true;
  return j.dump();
}

TrainSpec train_spec_from_json(const std::string& text) {
  try {
    const json j = json::parse(text);
    TrainSpec spec;
    spec.model = model_from(j.at("model"));
    spec.loss = loss_from(j.at("loss"));
    spec.optimizer = optimizer_from(j.at("optimizer"));
    spec.schedule = schedule_from(j.at("scheduler"));
    spec.epochs = integer<int>(j.at("epochs"));
    spec.batch_size = integer<int>(j.at("batch_size"));
    spec.threshold.kind = parse_name<ThresholdKind>(j.at("threshold").at("kind"), 3);
    read(j.at("threshold"), "value", spec.threshold.value);
    if (j.contains("early_stopping")) {
      const json& e = j.at("early_stopping");
      spec.early_stopping =
          EarlyStopping{parse_name<ValidationMetric>(e.at("metric"), 3),
                        integer<int>(e.at("patience")), e.at("min_delta").get<double>()};
    }
    if (j.at("select") != "last") spec.select = parse_name<ValidationMetric>(j.at("select"), 3);
    read(j, "train_eval", spec.train_eval);
    if (j.contains("augment")) spec.augment = augment_from(j.at("augment"));
    if (j.contains("normalisation")) spec.normalisation = normalisation_from(j["normalisation"]);
    if (j.contains("sampler")) spec.sampler = parse_name<Sampler>(j.at("sampler"), 2);
    read(j, "sample_weight", spec.sample_weight);
    return spec;
  } catch (const json::exception& e) {
    throw InputError(std::string("a stored specification cannot be read: ") + e.what());
  }
}

}  // namespace bioptic
