#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/engine/engine.h"
#include "bioptic/model/loss.h"
#include "bioptic/model/schedule.h"
#include "bioptic/train/batches.h"
#include "bioptic/train/evaluation.h"
#include "bioptic/train/sampler.h"
#include "bioptic/train/trial.h"
#include "bioptic/train/weights.h"

namespace bioptic {
namespace {

// One split's rows, ready for Engine::evaluate.
struct EvaluationSet {
  const NormalisedImages& images;
  std::vector<std::uint32_t> rows;
  std::vector<std::int64_t> labels;

  EvaluationSet(const NormalisedImages& all, std::vector<std::uint32_t> which)
      : images(all), rows(std::move(which)) {
    for (const std::uint32_t row : rows) labels.push_back(images.dataset().label(row));
  }
  // Some images at a time: they are read from the disk when they are asked for.
  std::vector<float> logits(Engine& engine, std::size_t outputs) const {
    constexpr std::size_t kAtOnce = 960;
    std::vector<float> out(rows.size() * outputs);
    std::vector<Row> pixels;
    for (std::size_t begin = 0; begin < rows.size(); begin += kAtOnce) {
      const std::size_t n = std::min(kAtOnce, rows.size() - begin);
      pixels.clear();
      for (std::size_t i = begin; i < begin + n; ++i) pixels.push_back(images.row(rows[i]));
      engine.evaluate(pixels, std::span(out).subspan(begin * outputs, n * outputs));
    }
    return out;
  }
};

double metric_of(const EpochRecord& record, ValidationMetric metric) {
  switch (metric) {
    case ValidationMetric::loss:
      return record.val_loss;
    case ValidationMetric::accuracy:
      return record.val_accuracy;
    case ValidationMetric::auroc:
      return record.val_auroc;
  }
  return 0;
}

// True when `value` is better than `best` by more than `delta`; anything is better than NaN.
bool improves(ValidationMetric metric, double value, double best, double delta) {
  if (std::isnan(value)) return false;
  if (std::isnan(best)) return true;
  return metric == ValidationMetric::loss ? value < best - delta : value > best + delta;
}

// The running loss and accuracy of an epoch, from the logits of its steps.
class RunningMean {
 public:
  // weighted: images have weights of their own, so that a batch's loss, the one minimised, is the
  // sum of its images' losses by the step's coefficients.
  RunningMean(const Reading& reading, double threshold, bool weighted)
      : reading_(reading), threshold_(threshold), weighted_(weighted) {}

  // Returns the batch's loss.
  double add(const Step& step) {
    const double batch = static_cast<double>(step.labels.size());
    const double loss = weighted_
                            ? weighted_loss(reading_, step.labels, step.logits, step.coefficients)
                            : mean_loss(reading_, step.labels, step.logits);
    loss_ += loss * batch;
    right_ += accuracy(reading_, step.labels, step.logits, threshold_) * batch;
    samples_ += batch;
    return loss;
  }
  double loss() const { return loss_ / samples_; }
  // right_ is a sum of k/B * B, which may be off by rounding: the count is a whole number.
  double accuracy_value() const { return std::floor(right_ + 0.5) / samples_; }

 private:
  const Reading& reading_;
  double threshold_;
  bool weighted_;
  double loss_ = 0, right_ = 0, samples_ = 0;
};

void check_fits(const TrialSpec& spec, const Dataset& dataset, const Splits& splits) {
  if (spec.train.batch_size < 1 ||
      static_cast<std::size_t>(spec.train.batch_size) > splits.train.size()) {
    throw InputError(fmt::format("batch_size = {} does not fit {} training images; choose 1 to {}",
                                 spec.train.batch_size, splits.train.size(), splits.train.size()));
  }
  if (spec.train.augment.any()) {
    check_augmentable(static_cast<std::size_t>(dataset.info().height),
                      static_cast<std::size_t>(dataset.info().width));
  }
  const auto classes = static_cast<int>(dataset.info().classes.size());
  if (classes != 2 && spec.train.loss.kind != LossKind::cross_entropy) {
    throw InputError(fmt::format(
        "loss = \"{}\" needs two classes and the data have {}; use loss = \"cross_entropy\"",
        name_of(spec.train.loss.kind), classes));
  }
}

std::int64_t steps_per_epoch(const TrainSpec& train, std::size_t images) {
  const auto batch = static_cast<std::size_t>(train.batch_size);
  return static_cast<std::int64_t>((images + batch - 1) / batch);
}

// The specification with every weight of the loss a number by label.
TrainSpec settled(const TrialSpec& spec, const Dataset& dataset, const Splits& splits) {
  TrainSpec train = spec.train;
  train.loss = settled_loss(train.loss, spec.positive, count_classes(dataset, splits.train),
                            dataset.info().classes);
  return train;
}

EngineConfig engine_config(const TrainSpec& train, const Dataset& dataset,
                           const TrialControl& control, ThreadPool& pool) {
  const DatasetInfo& info = dataset.info();
  EngineConfig config;
  config.channels = static_cast<std::size_t>(info.channels);
  config.pixels_per_channel = dataset.pixels_per_image() / config.channels;
  config.classes = static_cast<int>(info.classes.size());
  config.model = train.model;
  config.loss = train.loss;
  config.optimizer = train.optimizer;
  config.cycles_momentum =
      train.schedule.cycle_momentum && (train.schedule.kind == ScheduleKind::one_cycle ||
                                        train.schedule.kind == ScheduleKind::cyclic);
  config.max_batch = static_cast<std::size_t>(train.batch_size);
  config.threads = control.threads;
  config.pool = &pool;
  config.isa = control.isa;
  return config;
}

// Null where the trial does not augment.
std::unique_ptr<Augmenter> make_augmenter(const TrialSpec& spec, const Dataset& dataset,
                                          const TrialControl& control) {
  if (!spec.train.augment.any()) return nullptr;
  const DatasetInfo& info = dataset.info();
  return std::make_unique<Augmenter>(spec.train.augment, static_cast<std::size_t>(info.channels),
                                     static_cast<std::size_t>(info.height),
                                     static_cast<std::size_t>(info.width), spec.seeds.order,
                                     control.isa);
}

// An engine with the trial's initial weights.
std::unique_ptr<Engine> start_engine(const TrialSpec& spec, const EngineConfig& config) {
  std::unique_ptr<Engine> engine = make_engine(spec.engine, config);
  engine->set_parameters(
      initial_parameters(layer_shapes(config.channels * config.pixels_per_channel, config.model,
                                      output_count(config.loss.kind, config.classes)),
                         spec.seeds.init));
  return engine;
}

}  // namespace

TrialResult run_trial(const TrialSpec& spec, const Dataset& dataset, const Groups& groups,
                      const SplitPlan& plan, const TrialControl& control) {
  const auto start = std::chrono::steady_clock::now();
  Splits splits = draw_splits(dataset, groups, spec.split, plan, spec.seeds.split);
  check_fits(spec, dataset, splits);
  const TrainSpec train = settled(spec, dataset, splits);

  ThreadPool pool(control.threads);
  const EngineConfig config = engine_config(train, dataset, control, pool);
  const std::unique_ptr<Augmenter> augmenter = make_augmenter(spec, dataset, control);
  const std::unique_ptr<Engine> engine = start_engine(spec, config);
  const Reading reading{train.loss, config.classes, spec.positive};
  const std::size_t outputs = reading.outputs();

  const Normaliser normaliser = Normaliser::fit(train.normalisation, dataset, splits.train);
  std::vector<std::uint32_t> used = splits.train;
  for (const auto& rows : {splits.val, splits.test, plan.holdout}) {
    used.insert(used.end(), rows.begin(), rows.end());
  }
  const NormalisedImages images(dataset, normaliser, used);
  const EvaluationSet val(images, splits.val), test(images, splits.test),
      holdout(images, plan.holdout);
  std::optional<EvaluationSet> train_set;
  if (train.train_eval) train_set.emplace(images, splits.train);

  const Schedule schedule(train.schedule, train.optimizer,
                          steps_per_epoch(train, splits.train.size()), train.epochs);
  const std::vector<double> weights = sample_weights(train, dataset);
  const BatchContext context{
      &images,          &train,          &schedule, static_cast<int>(outputs),
      spec.seeds.order, augmenter.get(), &pool,     weights};
  // A threshold that is chosen on validation is chosen once, at the end; curves use 0.5 until then.
  const double curve_threshold =
      train.threshold.kind == ThresholdKind::fixed ? train.threshold.value : 0.5;

  TrialResult result;
  std::vector<double> watched;
  std::vector<float> val_logits;   // of the selected epoch so far
  std::optional<Parameters> kept;  // weights of the selected epoch, where it need not be the last
  double best = std::nan(""), best_for_stop = std::nan("");
  int epochs_without_gain = 0;
  bool finite = true;

  for (int epoch = 1; epoch <= train.epochs; ++epoch) {
    RunningMean running(reading, curve_threshold, train.sample_weight);
    EpochRecord record;
    record.epoch = epoch;
    EpochSource source(
        context, sampled_order(dataset, splits.train, train.sampler, spec.seeds.order, epoch),
        epoch, watched,
        [&](std::int64_t number, const Step& step, std::span<const std::uint32_t> rows) {
          const double loss = running.add(step);
          record.step = number + 1;
          record.lr = step.lr;
          if (control.on_step) control.on_step(number, step, loss, rows);
        });
    engine->run(source);
    record.train_loss = running.loss();
    record.train_accuracy = running.accuracy_value();

    std::vector<float> logits = val.logits(*engine, outputs);
    record.val_loss = mean_loss(reading, val.labels, logits);
    record.val_accuracy = accuracy(reading, val.labels, logits, curve_threshold);
    record.val_auroc = area_under_roc(reading, val.labels, logits);
    if (train_set) {
      const std::vector<float> all = train_set->logits(*engine, outputs);
      record.train_eval_loss = mean_loss(reading, train_set->labels, all);
      record.train_eval_accuracy = accuracy(reading, train_set->labels, all, curve_threshold);
    }
    finite = finite && std::isfinite(record.train_loss) && std::isfinite(record.val_loss);
    result.history.push_back(record);
    watched.push_back(train.schedule.metric == "val_accuracy" ? record.val_accuracy
                                                              : record.val_loss);

    if (!train.select || epoch == 1 ||
        improves(*train.select, metric_of(record, *train.select), best, 0)) {
      if (train.select) {
        best = metric_of(record, *train.select);
        kept = engine->parameters();
      }
      result.selected_epoch = epoch;
      val_logits = std::move(logits);
    }
    if (control.on_epoch && !control.on_epoch(record, train.epochs)) {
      throw Interrupted(fmt::format("stopped in epoch {} of {}", epoch, train.epochs));
    }
    if (train.early_stopping) {
      const double value = metric_of(record, train.early_stopping->metric);
      if (epoch == 1 || improves(train.early_stopping->metric, value, best_for_stop,
                                 train.early_stopping->min_delta)) {
        best_for_stop = value;
        epochs_without_gain = 0;
      } else if (++epochs_without_gain >= train.early_stopping->patience) {
        break;
      }
    }
  }

  if (kept && result.selected_epoch != result.history.back().epoch) engine->set_parameters(*kept);
  std::vector<float> test_logits = test.logits(*engine, outputs);
  std::vector<float> holdout_logits;
  if (!plan.holdout.empty()) holdout_logits = holdout.logits(*engine, outputs);
  result.weights = engine->parameters();
  result.weights_sha256 = parameters_sha256(result.weights);
  result.normalisation = normaliser.fitted();

  const EpochRecord& selected = result.history[static_cast<std::size_t>(result.selected_epoch) - 1];
  result.steps = result.history.back().step;
  result.train_loss = selected.train_loss;
  result.train_accuracy = selected.train_accuracy;
  result.threshold = choose_threshold(train.threshold, reading, val.labels, val_logits);
  result.val_loss = selected.val_loss;
  result.val_accuracy = accuracy(reading, val.labels, val_logits, result.threshold);
  result.test_loss = mean_loss(reading, test.labels, test_logits);
  result.test_accuracy = accuracy(reading, test.labels, test_logits, result.threshold);
  if (!finite || one_predicted_class(reading, val_logits, result.threshold)) {
    result.status = TrialStatus::collapsed;
  }
  result.predictions.push_back({"val", val.rows, std::move(val_logits)});
  result.predictions.push_back({"test", test.rows, std::move(test_logits)});
  if (!plan.holdout.empty()) {
    result.predictions.push_back({"holdout", holdout.rows, std::move(holdout_logits)});
  }
  result.wall_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

void check_trial(const TrialSpec& spec, const Dataset& dataset, const Groups& groups,
                 const SplitPlan& plan) {
  const Splits splits = draw_splits(dataset, groups, spec.split, plan, spec.seeds.split);
  check_fits(spec, dataset, splits);
  settled(spec, dataset, splits);
  sample_weights(spec.train, dataset);
  const Schedule schedule(spec.train.schedule, spec.train.optimizer,
                          steps_per_epoch(spec.train, splits.train.size()), spec.train.epochs);
}

std::int64_t planned_steps(const TrialSpec& spec, const Dataset& dataset, const Groups& groups,
                           const SplitPlan& plan) {
  const Splits splits = draw_splits(dataset, groups, spec.split, plan, spec.seeds.split);
  return steps_per_epoch(spec.train, splits.train.size()) * spec.train.epochs;
}

double estimate_seconds(const TrialSpec& spec, const Dataset& dataset, const Groups& groups,
                        const SplitPlan& plan, const TrialControl& control) {
  using Clock = std::chrono::steady_clock;
  constexpr std::size_t kSteps = 8, kEvaluated = 96;
  const Splits splits = draw_splits(dataset, groups, spec.split, plan, spec.seeds.split);
  check_fits(spec, dataset, splits);
  const TrainSpec train = settled(spec, dataset, splits);
  ThreadPool pool(control.threads);
  const EngineConfig config = engine_config(train, dataset, control, pool);
  const std::unique_ptr<Augmenter> augmenter = make_augmenter(spec, dataset, control);
  const std::unique_ptr<Engine> engine = start_engine(spec, config);
  const std::int64_t per_epoch = steps_per_epoch(train, splits.train.size());
  const Schedule schedule(train.schedule, train.optimizer, per_epoch, train.epochs);
  const int outputs = output_count(train.loss.kind, config.classes);
  const std::vector<double> weights = sample_weights(train, dataset);
  std::vector<std::uint32_t> order =
      sampled_order(dataset, splits.train, train.sampler, spec.seeds.order, 1);
  order.resize(std::min(order.size(), kSteps * static_cast<std::size_t>(train.batch_size)));
  std::vector<std::uint32_t> some = splits.val;
  some.resize(std::min(some.size(), kEvaluated));
  // Fitted on the images of these steps: how long a step takes does not depend on what was fitted.
  const Normaliser normaliser = Normaliser::fit(train.normalisation, dataset, order);
  std::vector<std::uint32_t> used = order;
  used.insert(used.end(), some.begin(), some.end());
  const NormalisedImages images(dataset, normaliser, used);
  const BatchContext context{&images,          &train,          &schedule, outputs,
                             spec.seeds.order, augmenter.get(), &pool,     weights};
  std::vector<Clock::time_point> ends;
  EpochSource source(context, order, 1, {},
                     [&](std::int64_t, const Step&, std::span<const std::uint32_t>) {
                       ends.push_back(Clock::now());
                     });
  const Clock::time_point begin = Clock::now();
  engine->run(source);
  std::vector<double> steps;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    steps.push_back(
        std::chrono::duration<double>(ends[i] - (i == 0 ? begin : ends[i - 1])).count());
  }
  std::nth_element(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2),
                   steps.end());
  const double step = steps[steps.size() / 2];

  const EvaluationSet sample(images, some);
  const Clock::time_point evaluation = Clock::now();
  sample.logits(*engine, static_cast<std::size_t>(outputs));
  const double image = std::chrono::duration<double>(Clock::now() - evaluation).count() /
                       static_cast<double>(some.size());
  const double evaluated =
      static_cast<double>(splits.val.size() + (train.train_eval ? splits.train.size() : 0));
  return train.epochs * (static_cast<double>(per_epoch) * step + evaluated * image) +
         static_cast<double>(splits.test.size() + plan.holdout.size()) * image;
}

}  // namespace bioptic
