// The keys of [train], which are also those of an arm and of [grid].
#include "bioptic/base/error.h"
#include "bioptic/study/keys.h"

namespace bioptic::schema {
namespace {

constexpr int kMaxWidth = 65536, kMaxLayers = 100, kMaxEpochs = 100000;
constexpr double kMaxRate = 1000;  // a learning rate above this is a slip of the decimal point
const Range kRate{0, kMaxRate, true, false};

template <typename E>
E value_of(const Choices<E>& choices, std::string_view name) {
  for (const auto& [known, value] : choices) {
    if (known == name) return value;
  }
  throw InputError("unknown kind '" + std::string(name) + "'");
}

template <typename E>
std::string_view name_in(const Choices<E>& choices, E wanted) {
  for (const auto& [name, value] : choices) {
    if (value == wanted) return name;
  }
  return "";
}

template <typename E>
std::vector<std::string_view> names_of(const Choices<E>& choices) {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : choices) names.push_back(name);
  return names;
}

const Choices<LossKind>& loss_kinds() {
  static const Choices<LossKind> kinds{{"bce", LossKind::bce},
                                       {"bce_with_logits", LossKind::bce_with_logits},
                                       {"cross_entropy", LossKind::cross_entropy}};
  return kinds;
}

const Choices<OptimizerKind>& optimizer_kinds() {
  static const Choices<OptimizerKind> kinds{
      {"sgd", OptimizerKind::sgd}, {"adam", OptimizerKind::adam}, {"adamw", OptimizerKind::adamw}};
  return kinds;
}

const Choices<ScheduleKind>& schedule_kinds() {
  using K = ScheduleKind;
  static const Choices<K> kinds{
      {"constant", K::constant},   {"step", K::step},
      {"multistep", K::multistep}, {"exponential", K::exponential},
      {"linear", K::linear},       {"polynomial", K::polynomial},
      {"cosine", K::cosine},       {"cosine_restarts", K::cosine_restarts},
      {"one_cycle", K::one_cycle}, {"cyclic", K::cyclic},
      {"plateau", K::plateau}};
  return kinds;
}

const Choices<NormalisationKind>& normalisation_kinds() {
  using K = NormalisationKind;
  static const Choices<K> kinds{{"pixel", K::pixel},
                                {"training", K::training},
                                {"image", K::image},
                                {"histogram", K::histogram},
                                {"clahe", K::clahe}};
  return kinds;
}

const Choices<ValidationMetric>& validation_metrics() {
  static const Choices<ValidationMetric> metrics{{"val_loss", ValidationMetric::loss},
                                                 {"val_accuracy", ValidationMetric::accuracy},
                                                 {"val_auroc", ValidationMetric::auroc}};
  return metrics;
}

std::string list_text(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return "[" + text + "]";
}

Binding<ModelSpec> hidden_binding() {
  const std::string type = "an array of whole numbers from 1 to " + std::to_string(kMaxWidth);
  return {
      type,
      [=](ModelSpec& to, const Node& node, const Place& place, std::string_view key) {
        if (!node.is_array() || node.items.size() > kMaxLayers) {
          fail_value(place, key, node, type + " (at most 100 of them)");
        }
        to.hidden.clear();
        for (const Node& item : node.items) {
          if (item.type != Node::Type::integer || item.integer < 1 || item.integer > kMaxWidth) {
            fail_value(place, key, node, type);
          }
          to.hidden.push_back(static_cast<int>(item.integer));
        }
      },
      [](const ModelSpec& from) {
        std::vector<std::string> items;
        for (const int width : from.hidden) items.push_back(std::to_string(width));
        return list_text(items);
      }};
}

Binding<LossDraft> class_weight_binding() {
  const std::string type =
      "\"balanced\", an array of positive numbers by label, or a table { CLASS = number }";
  return {type,
          [=](LossDraft& to, const Node& node, const Place& place, std::string_view key) {
            to.class_weight.clear();
            to.spec.class_weight.clear();
            to.spec.balanced = node.is_text() && node.text == "balanced";
            if (to.spec.balanced) return;
            const auto weight = [&](const Node& item) {
              if (!is_number(item) || !kPositive.holds(item.number))
                fail_value(place, key, node, type);
              return item.number;
            };
            if (node.is_array() && node.items.size() != 1) {
              for (const Node& item : node.items) to.spec.class_weight.push_back(weight(item));
            } else if (node.is_table()) {
              for (const Entry& entry : node.entries) {
                to.class_weight[entry.key] = weight(entry.value);
              }
            } else {
              fail_value(place, key, node, type);
            }
          },
          [](const LossDraft& from) -> std::string {
            if (from.spec.balanced) return "\"balanced\"";
            std::vector<std::string> items;
            for (const double w : from.spec.class_weight) items.push_back(toml_text(w));
            if (!items.empty()) return list_text(items);
            std::string text;
            for (const auto& [name, w] : from.class_weight) {
              text += (text.empty() ? "" : ", ") + toml_text(std::string_view(name)) + " = " +
                      toml_text(w);
            }
            return text.empty() ? "" : "{ " + text + " }";
          }};
}

Binding<OptimizerSpec> betas_binding() {
  const std::string type = "an array of two numbers in [0, 1)";
  return {type,
          [=](OptimizerSpec& to, const Node& node, const Place& place, std::string_view key) {
            if (!node.is_array() || node.items.size() != 2 || !is_number(node.items[0]) ||
                !is_number(node.items[1]) || !kBelowOne.holds(node.items[0].number) ||
                !kBelowOne.holds(node.items[1].number)) {
              fail_value(place, key, node, type);
            }
            to.beta1 = node.items[0].number;
            to.beta2 = node.items[1].number;
          },
          [](const OptimizerSpec& from) {
            return list_text({toml_text(from.beta1), toml_text(from.beta2)});
          }};
}

Binding<ScheduleSpec> milestones_binding() {
  const std::string type = "an array of ascending positive numbers";
  return {type,
          [=](ScheduleSpec& to, const Node& node, const Place& place, std::string_view key) {
            to.milestones.clear();
            if (!node.is_array() || node.items.empty()) fail_value(place, key, node, type);
            for (const Node& item : node.items) {
              const double last = to.milestones.empty() ? 0 : to.milestones.back();
              if (!is_number(item) || !kPositive.holds(item.number) || item.number <= last) {
                fail_value(place, key, node, type);
              }
              to.milestones.push_back(item.number);
            }
          },
          [](const ScheduleSpec& from) {
            std::vector<std::string> items;
            for (const double m : from.milestones) items.push_back(toml_text(m));
            return items.empty() ? std::string() : list_text(items);
          }};
}

// Shown only where it was set: 0 stands for "the rest of the run".
template <typename Get>
Binding<ScheduleSpec> epochs_or_unset(Get get) {
  Binding<ScheduleSpec> binding = number<ScheduleSpec>(get, kPositive);
  binding.text = [=](const ScheduleSpec& from) {
    const double value = std::invoke(get, from);
    return value > 0 ? toml_text(value) : std::string();
  };
  return binding;
}

// Written back only where it has an effect.
Binding<ScheduleSpec> shown_if(Binding<ScheduleSpec> binding,
                               bool (*matters)(const ScheduleSpec&)) {
  const auto text_of = binding.text;
  binding.text = [=](const ScheduleSpec& from) {
    return matters(from) ? text_of(from) : std::string();
  };
  return binding;
}
bool warms_up(const ScheduleSpec& s) { return s.warmup_epochs > 0; }
bool cycles_momentum(const ScheduleSpec& s) { return s.cycle_momentum; }
bool shrinks(const ScheduleSpec& s) { return s.mode == CyclicMode::exp_range; }

Binding<ScheduleSpec> interval_binding() {
  using S = ScheduleSpec;
  Binding<S> binding = choice<S, ScheduleInterval>(
      &S::interval, {{"step", ScheduleInterval::step}, {"epoch", ScheduleInterval::epoch}});
  const auto read = binding.read;
  binding.read = [read](S& to, const Node& node, const Place& place, std::string_view key) {
    read(to, node, place, key);
    if (to.kind == ScheduleKind::plateau && to.interval == ScheduleInterval::step) {
      fail_value(place, key, node,
                 "\"epoch\": a plateau is watched after every epoch's validation");
    }
  };
  return binding;
}

Binding<TrainDraft> threshold_binding() {
  const std::string type =
      R"(a number in [0, 1], "youden" or { sensitivity = a number in (0, 1] })";
  return {type,
          [=](TrainDraft& to, const Node& node, const Place& place, std::string_view key) {
            ThresholdSpec threshold;
            if (is_number(node) && kFraction.holds(node.number)) {
              threshold.value = node.number;
            } else if (node.is_text() && node.text == "youden") {
              threshold = {ThresholdKind::youden, 0};
            } else if (node.is_table() && !node.entries.empty()) {
              threshold.kind = ThresholdKind::sensitivity;
              const std::vector<Key<ThresholdSpec>> keys{
                  {"sensitivity", "", "",
                   number<ThresholdSpec>(&ThresholdSpec::value, kAboveZeroToOne), "", ""}};
              read_table(threshold, keys, node, place.inside(key));
            } else {
              fail_value(place, key, node, type);
            }
            to.spec.threshold = threshold;
          },
          [](const TrainDraft& from) -> std::string {
            const ThresholdSpec& t = from.spec.threshold;
            if (t.kind == ThresholdKind::youden) return "\"youden\"";
            if (t.kind == ThresholdKind::fixed) return toml_text(t.value);
            return "{ sensitivity = " + toml_text(t.value) + " }";
          }};
}

Binding<TrainDraft> early_stopping_binding() {
  const std::string type = "false, or a table { metric, patience, min_delta }";
  return {type,
          [=](TrainDraft& to, const Node& node, const Place& place, std::string_view key) {
            if (node.type == Node::Type::boolean && !node.boolean) {
              to.spec.early_stopping.reset();
            } else if (node.is_table()) {
              EarlyStopping rule = to.spec.early_stopping.value_or(EarlyStopping{});
              read_table(rule, early_stopping_keys(), node, place.inside(key));
              to.spec.early_stopping = rule;
            } else {
              fail_value(place, key, node, type);
            }
          },
          [](const TrainDraft& from) -> std::string {
            return from.spec.early_stopping
                       ? table_text(*from.spec.early_stopping, early_stopping_keys())
                       : "false";
          }};
}

Binding<TrainDraft> augment_binding() {
  const std::string type =
      "false, or a table { shift, rotate, scale, flip, brightness, contrast, noise }";
  return {type,
          [=](TrainDraft& to, const Node& node, const Place& place, std::string_view key) {
            if (node.type == Node::Type::boolean && !node.boolean) {
              to.spec.augment = {};
            } else if (node.is_table()) {
              read_table(to.spec.augment, augment_keys(), node, place.inside(key));
            } else {
              fail_value(place, key, node, type);
            }
          },
          [](const TrainDraft& from) -> std::string {
            return from.spec.augment.any() ? table_text(from.spec.augment, augment_keys())
                                           : "false";
          }};
}

Binding<TrainDraft> select_binding() {
  std::vector<std::string_view> names = names_of(validation_metrics());
  names.insert(names.begin(), "last");
  return {
      one_of(names),
      [=](TrainDraft& to, const Node& node, const Place& place, std::string_view key) {
        if (!node.is_text() || std::find(names.begin(), names.end(), node.text) == names.end()) {
          fail_choice(place, key, node, names);
        }
        to.spec.select.reset();
        if (node.text != "last") to.spec.select = value_of(validation_metrics(), node.text);
      },
      [](const TrainDraft& from) {
        return toml_text(from.spec.select ? name_in(validation_metrics(), *from.spec.select)
                                          : std::string_view("last"));
      }};
}

Binding<TrainDraft> save_models_binding() {
  const Choices<SaveModels> choices{
      {"none", SaveModels::none}, {"first", SaveModels::first}, {"all", SaveModels::all}};
  Binding<TrainDraft> binding = choice<TrainDraft, SaveModels>(
      [](auto& t) -> auto& { return t.save_models; }, choices);
  binding.text = [](const TrainDraft&) { return std::string(); };  // shown with the study's keys
  return binding;
}

}  // namespace

const Kinded<ModelSpec>& model_table() {
  using S = ModelSpec;
  static const Kinded<S> table{
      "model",
      {"mlp"},
      {},
      "this release trains multi-layer perceptrons (\"mlp\"); bioptic compare takes the "
      "predictions of "
      "other models as CSV files",
      [](S&, std::string_view) {},
      [](const S&) { return std::string_view("mlp"); },
      {{"hidden", "", "", hidden_binding(), "[64, 64]",
        "Widths of the hidden layers; [] is a linear model."},
       {"activation", "", "",
        choice<S, Activation>(&S::activation, {{"relu", Activation::relu},
                                               {"leaky_relu", Activation::leaky_relu},
                                               {"tanh", Activation::tanh},
                                               {"gelu", Activation::gelu}}),
        "\"relu\"", "After every hidden layer; leaky_relu has slope 0.01, gelu is the exact one."},
       {"dropout", "", "p", number<S>(&S::dropout, kBelowOne), "0.0",
        "Probability of setting a hidden unit to 0, after every hidden layer."}}};
  return table;
}

const Kinded<LossDraft>& loss_table() {
  using S = LossDraft;
  static const Kinded<S> table{
      "loss",
      names_of(loss_kinds()),
      {{"ce", "cross_entropy"}},
      "",
      [](S& to, std::string_view kind) { to.spec.kind = value_of(loss_kinds(), kind); },
      [](const S& from) { return name_in(loss_kinds(), from.spec.kind); },
      {{"class_weight", "", "weight", class_weight_binding(), "(all 1)",
        "How much an image of each class counts, in the order of the labels or by name; "
        "\"balanced\": n / (C n_c) for the n_c of the trial's n training images that class c has, "
        "C classes, as scikit-learn's. "
        "cross_entropy divides by the sum of the batch's weights, the two bce losses by its size."},
       {"pos_weight", "bce_with_logits", "",
        number<S>(
            [](auto& s) -> auto& { return s.spec.pos_weight; }, kPositive),
        "(1)", "Factor of the second class's term."},
       {"label_smoothing", "cross_entropy", "",
        number<S>(
            [](auto& s) -> auto& { return s.spec.label_smoothing; }, kBelowOne),
        "0.0", "Share of the target that is spread over all classes."}}};
  return table;
}

const Kinded<OptimizerSpec>& optimizer_table() {
  using S = OptimizerSpec;
  static const Kinded<S> table{
      "optimizer",
      names_of(optimizer_kinds()),
      {},
      "",
      [](S& to, std::string_view kind) { to.kind = value_of(optimizer_kinds(), kind); },
      [](const S& from) { return name_in(optimizer_kinds(), from.kind); },
      {{"lr", "", "learning_rate", number<S>(&S::lr, kRate), "1e-3",
        "Learning rate; schedules start from it (one_cycle and cyclic have rates of their own)."},
       {"momentum", "sgd", "", number<S>(&S::momentum, kBelowOne), "0.0", "Momentum."},
       {"dampening", "sgd", "", number<S>(&S::dampening, kFraction), "0.0",
        "Dampening of the momentum."},
       {"nesterov", "sgd", "", flag<S>(&S::nesterov), "false",
        "Nesterov's momentum; needs momentum above 0 and dampening 0."},
       {"betas", "adam adamw", "", betas_binding(), "[0.9, 0.999]",
        "Decay of the running mean and of the running square of the gradient."},
       {"eps", "adam adamw", "", number<S>(&S::eps, kPositive), "1e-8",
        "Added to the denominator."},
       {"weight_decay", "sgd adam", "", number<S>(&S::weight_decay, kNotNegative), "0.0",
        "Added to the gradient as weight_decay * weight (L2)."},
       {"weight_decay", "adamw", "", number<S>(&S::weight_decay, kNotNegative), "0.01",
        "Decoupled: every step shrinks the weights by lr * weight_decay."}}};
  return table;
}

const Kinded<ScheduleSpec>& scheduler_table() {
  using S = ScheduleSpec;
  constexpr std::int64_t kMany = 1000000;
  static const Kinded<S> table{
      "scheduler",
      names_of(schedule_kinds()),
      {{"onecycle", "one_cycle"}},
      "",
      [](S& to, std::string_view kind) { to.kind = value_of(schedule_kinds(), kind); },
      [](const S& from) { return name_in(schedule_kinds(), from.kind); },
      {{"interval", "step multistep exponential plateau", "", interval_binding(), "\"epoch\"",
        "When the rate changes: after every epoch or every step."},
       {"interval", "constant linear polynomial cosine cosine_restarts one_cycle cyclic", "",
        interval_binding(), "\"step\"", "When the rate changes: after every epoch or every step."},
       {"warmup", "", "warmup_epochs warmup_steps",
        shown_if(number<S>(&S::warmup_epochs, kNotNegative), warms_up), "0.0",
        "Epochs of linear warm-up in front."},
       {"warmup_start", "", "", shown_if(number<S>(&S::warmup_start, kAboveZeroToOne), warms_up),
        "0.01", "The warm-up starts at this share of the rate."},
       {"gamma", "step multistep", "", number<S>(&S::gamma, kAboveZeroToOne), "0.1",
        "The rate is multiplied by this."},
       {"gamma", "exponential", "", number<S>(&S::gamma, kAboveZeroToOne), "0.95",
        "The rate is multiplied by this at every interval."},
       {"gamma", "cyclic", "", shown_if(number<S>(&S::gamma, kAboveZeroToOne), shrinks), "1.0",
        "exp_range: the height of the cycles is multiplied by this at every interval."},
       {"step_size", "step", "", number<S>(&S::step_epochs, kPositive), "10.0",
        "Epochs between two multiplications by gamma."},
       {"milestones", "multistep", "", milestones_binding(), "(required)",
        "Epochs after which the rate is multiplied by gamma."},
       {"start_factor", "linear", "", number<S>(&S::start_factor, kAboveZeroToOne),
        "0.3333333333333333", "The rate starts at this share of lr ..."},
       {"end_factor", "linear", "", number<S>(&S::end_factor, kFraction), "1.0",
        "... and ends at this share."},
       {"duration", "linear polynomial cosine one_cycle", "T_max total_iters total_steps",
        epochs_or_unset(&S::duration_epochs), "(the whole run)", "Epochs that the schedule takes."},
       {"power", "polynomial", "", number<S>(&S::power, kPositive), "1.0",
        "Power of the polynomial; 1 = a straight line to 0."},
       {"eta_min", "cosine cosine_restarts", "", number<S>(&S::eta_min, kNotNegative), "0.0",
        "Lowest rate."},
       {"t_0", "cosine_restarts", "T_0", number<S>(&S::restart_epochs, kPositive), "10.0",
        "Epochs until the first restart."},
       {"t_mult", "cosine_restarts", "T_mult", whole<S, int>(&S::restart_mult, 1, kMany), "1",
        "Every cycle is this many times as long as the one before."},
       {"base_lr", "cyclic", "", number<S>(&S::base_lr, kRate), "(required)", "Lowest rate."},
       {"max_lr", "one_cycle cyclic", "", number<S>(&S::max_lr, kRate), "(required)",
        "Highest rate."},
       {"pct_start", "one_cycle", "", number<S>(&S::pct_start, kOpenFraction), "0.3",
        "Share of the cycle in which the rate rises."},
       {"anneal", "one_cycle", "anneal_strategy",
        choice<S, Anneal>(&S::anneal, {{"cosine", Anneal::cosine}, {"linear", Anneal::linear}}),
        "\"cosine\"", "Form of the rise and the fall."},
       {"div_factor", "one_cycle", "", number<S>(&S::div_factor, kPositive), "25.0",
        "The rate starts at max_lr / div_factor ..."},
       {"final_div_factor", "one_cycle", "", number<S>(&S::final_div_factor, kPositive), "10000.0",
        "... and ends at max_lr / (div_factor * final_div_factor)."},
       {"three_phase", "one_cycle", "", flag<S>(&S::three_phase), "false",
        "Falls first to where it began, in as many steps as it rose, then to the end."},
       {"up", "cyclic", "step_size_up", epochs_or_unset(&S::up_epochs), "(required)",
        "Epochs in which the rate rises."},
       {"down", "cyclic", "step_size_down", epochs_or_unset(&S::down_epochs), "(as up)",
        "Epochs in which it falls."},
       {"mode", "cyclic", "",
        choice<S, CyclicMode>(&S::mode, {{"triangular", CyclicMode::triangular},
                                         {"triangular2", CyclicMode::triangular2},
                                         {"exp_range", CyclicMode::exp_range}}),
        "\"triangular\"", "Cycles of one height, halved each time, or shrinking by gamma."},
       {"cycle_momentum", "one_cycle cyclic", "", flag<S>(&S::cycle_momentum), "true",
        "Momentum (sgd) or beta1 (adam, adamw) falls while the rate rises, and back."},
       {"base_momentum", "one_cycle", "",
        shown_if(number<S>(&S::base_momentum, kBelowOne), cycles_momentum), "0.85",
        "Lowest momentum."},
       {"base_momentum", "cyclic", "",
        shown_if(number<S>(&S::base_momentum, kBelowOne), cycles_momentum), "0.8",
        "Lowest momentum."},
       {"max_momentum", "one_cycle", "",
        shown_if(number<S>(&S::max_momentum, kBelowOne), cycles_momentum), "0.95",
        "Highest momentum."},
       {"max_momentum", "cyclic", "",
        shown_if(number<S>(&S::max_momentum, kBelowOne), cycles_momentum), "0.9",
        "Highest momentum."},
       {"factor", "plateau", "", number<S>(&S::factor, kOpenFraction), "0.1",
        "The rate is multiplied by this when the metric stops improving."},
       {"patience", "plateau", "", whole<S, int>(&S::patience, 0, kMany), "10",
        "Epochs without improvement that are waited for."},
       {"cooldown", "plateau", "", whole<S, int>(&S::cooldown, 0, kMany), "0",
        "Epochs after a reduction that are not counted."},
       {"threshold", "plateau", "", number<S>(&S::threshold, kBelowOne), "1e-4",
        "Smallest relative improvement that counts."},
       {"min_lr", "plateau", "", number<S>(&S::min_lr, kNotNegative), "0.0", "Lowest rate."},
       {"metric", "plateau", "",
        choice<S, std::string>(&S::metric,
                               {{"val_loss", "val_loss"}, {"val_accuracy", "val_accuracy"}}),
        "\"val_loss\"", "What has to improve."}}};
  return table;
}

const Kinded<NormalisationSpec>& normalisation_table() {
  using S = NormalisationSpec;
  static const Kinded<S> table{
      "normalisation",
      names_of(normalisation_kinds()),
      {},
      "",
      [](S& to, std::string_view kind) { to.kind = value_of(normalisation_kinds(), kind); },
      [](const S& from) { return name_in(normalisation_kinds(), from.kind); },
      {{"clip_limit", "clahe", "", number<S>(&S::clip_limit, kAboveZeroToOne), "0.01",
        "No grey value's bin may hold more than this share of a tile's pixels; the rest is spread "
        "over all bins. 1 = not limited. OpenCV's clipLimit is 256 times this number."},
       {"tiles", "clahe", "tileGridSize kernel_size", whole<S, int>(&S::tiles, 1, 256), "8",
        "Tiles along each side of the image."}}};
  return table;
}

const std::vector<Key<EarlyStopping>>& early_stopping_keys() {
  using S = EarlyStopping;
  static const std::vector<Key<S>> keys{
      {"metric", "", "", choice<S, ValidationMetric>(&S::metric, validation_metrics()),
       "\"val_loss\"", "What has to improve."},
      {"patience", "", "", whole<S, int>(&S::patience, 1, kMaxEpochs), "10",
       "Epochs without improvement after which training ends."},
      {"min_delta", "", "", number<S>(&S::min_delta, kNotNegative), "0.0",
       "Smallest improvement that counts."},
  };
  return keys;
}

const std::vector<Key<AugmentSpec>>& augment_keys() {
  using S = AugmentSpec;
  static const std::vector<Key<S>> keys{
      {"shift", "", "translate", number<S>(&S::shift, {0, 0.5}), "0.0",
       "Moved right or left and down or up by at most this share of the side."},
      {"rotate", "", "rotation degrees", number<S>(&S::rotate, {0, 180}), "0.0",
       "Turned about the centre by at most this many degrees, either way."},
      {"scale", "", "zoom", number<S>(&S::scale, {0, 0.5}), "0.0",
       "Enlarged by a factor from 1 - scale to 1 + scale."},
      {"flip", "", "hflip horizontal_flip", flag<S>(&S::flip), "false",
       "Turned left to right with probability 1/2."},
      {"brightness", "", "", number<S>(&S::brightness, kFraction), "0.0",
       "Made brighter or darker by at most this share of the range of grey (255)."},
      {"contrast", "", "", number<S>(&S::contrast, kFraction), "0.0",
       "Distance from the middle grey multiplied by 1 - contrast to 1 + contrast."},
      {"noise", "", "noise_sd", number<S>(&S::noise, {0, 64}), "0.0",
       "Standard deviation, in grey levels, of normal noise added to every pixel."},
  };
  return keys;
}

const std::vector<Key<TrainDraft>>& train_keys() {
  using S = TrainDraft;
  static const std::vector<Key<S>> keys{
      {"model", "", "",
       kinded_table<S, ModelSpec>(
           [](auto& t) -> auto& { return t.spec.model; }, model_table()),
       "\"mlp\"", "The network."},
      {"epochs", "", "",
       whole<S, int>(
           [](auto& t) -> auto& { return t.spec.epochs; }, 1, kMaxEpochs),
       "30", "Passes over the training images."},
      {"batch_size", "", "",
       whole<S, int>(
           [](auto& t) -> auto& { return t.spec.batch_size; }, 1, 1000000),
       "30",
       "Images per step; the last, smaller batch of an epoch is used. At most the number of "
       "training "
       "images."},
      {"loss", "", "",
       kinded_table<S, LossDraft>(
           [](auto& t) -> auto& { return t.loss; }, loss_table()),
       "\"bce_with_logits\"",
       "What is minimised. The two bce losses have one output and need two classes; cross_entropy "
       "has one output per class."},
      {"optimizer", "", "",
       kinded_table<S, OptimizerSpec>(
           [](auto& t) -> auto& { return t.spec.optimizer; }, optimizer_table()),
       "\"adam\"", "How weights follow the gradient, with PyTorch's definitions and defaults."},
      {"scheduler", "", "",
       kinded_table<S, ScheduleSpec>(
           [](auto& t) -> auto& { return t.spec.schedule; }, scheduler_table()),
       "\"constant\"", "The learning rate over the run."},
      {"normalisation", "", "normalization normalize standardize",
       kinded_table<S, NormalisationSpec>(
           [](auto& t) -> auto& { return t.spec.normalisation; }, normalisation_table()),
       "\"pixel\"",
       "How grey values become inputs: p / 255; less the training images' mean over their spread, "
       "per channel; each image by its own mean and spread; histograms matched to the training "
       "images'; CLAHE. Fitted on the trial's training images only, kept with the model."},
      {"threshold", "", "", threshold_binding(), "0.5",
       "Above which score an image is called positive: a number, the one with the largest "
       "sensitivity + specificity on validation, or the one that reaches a sensitivity on "
       "validation. Chosen per trial. Two classes only."},
      {"early_stopping", "", "", early_stopping_binding(), "false",
       "Ends a training that no longer improves."},
      {"select", "", "", select_binding(), "\"last\"",
       "Which epoch's weights count: the last, or the one with the best validation metric. "
       "val_auroc looks at the order of the scores alone, so it may choose an epoch that predicts "
       "one class: such a training counts as collapsed, and the report says what chose it."},
      {"train_eval", "", "", flag<S>([](auto& t) -> auto& { return t.spec.train_eval; }), "false",
       "Also evaluate the training split at the end of every epoch."},
      {"augment", "", "augmentation transforms", augment_binding(), "false",
       "Changes the images of every training batch at random, anew for every image and epoch; what "
       "is evaluated is never changed. See [augmentation.md](augmentation.md)."},
      {"sampler", "", "",
       choice<S, Sampler>([](auto& t) -> auto& { return t.spec.sampler; },
                          {{"shuffle", Sampler::shuffle}, {"balanced", Sampler::balanced}}),
       "\"shuffle\"",
       "How an epoch's images are drawn: every training image once, in random order; or balanced: "
       "as many draws as there are training images, with replacement, every class equally likely "
       "and every image of a class equally likely (as PyTorch's WeightedRandomSampler with one "
       "over the class's images as the weight). The running training accuracy is then that of the "
       "drawn images."},
      {"sample_weight", "", "weight sample_weights",
       flag<S>([](auto& t) -> auto& { return t.spec.sample_weight; }), "false",
       "Multiply the loss of a training image by its weight in the dataset (a manifest's column "
       "weight). As in PyTorch, the batch is divided as without weights, so that they are best "
       "about 1 on average. Validation and test count every image once."},
      {"save_models", "", "", save_models_binding(), "(as in [study])",
       "The same as save_models in [study]; not in an arm."},
  };
  return keys;
}

TrainDraft default_train() {
  TrainDraft draft;
  for (const Key<TrainDraft>& key : train_keys()) {
    if (key.fallback.empty() || key.fallback.front() == '(') continue;
    key.value.read(draft, parse_value(key.fallback), {"built-in default", "", ""}, key.name);
  }
  return draft;
}

std::string home_of(std::string_view key) {
  const auto among = [key](const auto& keys) {
    for (const auto& known : keys) {
      if (known.name == key) return true;
    }
    return false;
  };
  if (among(study_keys())) return "[study]";
  if (among(data_keys())) return "[data]";
  if (among(train_keys())) return "[train]";
  if (among(shift_keys())) return "[shift]";
  if (key == "reported") return "[[arm]]";
  if (key == "sentence" || key == "direction") return "[[claim]]";
  if (among(model_table().keys)) return "[train] model = { ... }";
  if (among(loss_table().keys)) return "[train] loss = { ... }";
  if (among(optimizer_table().keys)) return "[train] optimizer = { ... }";
  if (among(scheduler_table().keys)) return "[train] scheduler = { ... }";
  if (among(normalisation_table().keys)) return "[train] normalisation = { ... }";
  if (among(early_stopping_keys())) return "[train] early_stopping = { ... }";
  if (among(augment_keys())) return "[train] augment = { ... }";
  if (among(phantom_keys())) return "[data] phantom = { ... }";
  return "";
}

}  // namespace bioptic::schema
