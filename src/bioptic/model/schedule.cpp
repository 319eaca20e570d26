#include "bioptic/model/schedule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "bioptic/base/error.h"
#include "bioptic/base/portable_math.h"

namespace bioptic {
namespace {

// gamma^n for a whole n.
double power(double gamma, std::int64_t n) { return portable::pow(gamma, static_cast<double>(n)); }

// From `start` at share 0 to `end` at share 1.
double anneal(Anneal kind, double start, double end, double share) {
  if (kind == Anneal::linear) return start + (end - start) * share;
  return end + (start - end) / 2 * (1 + portable::cos(portable::kPi * share));
}

// torch.optim.lr_scheduler.OneCycleLR at step k of `total`.
ScheduleValue one_cycle(const ScheduleSpec& s, std::int64_t k, std::int64_t total) {
  struct Phase {
    double end, lr_from, lr_to, momentum_from, momentum_to;
  };
  const double initial = s.max_lr / s.div_factor, lowest = initial / s.final_div_factor;
  const double n = static_cast<double>(total), top = s.pct_start * n - 1;
  const Phase up{top, initial, s.max_lr, s.max_momentum, s.base_momentum};
  std::array<Phase, 3> phases{};
  std::size_t count = 0;
  phases[count++] = up;
  if (s.three_phase) {
    phases[count++] = {2 * s.pct_start * n - 2, s.max_lr, initial, s.base_momentum, s.max_momentum};
    phases[count++] = {n - 1, initial, lowest, s.max_momentum, s.max_momentum};
  } else {
    phases[count++] = {n - 1, s.max_lr, lowest, s.base_momentum, s.max_momentum};
  }
  const double at = static_cast<double>(std::min(k, total - 1));
  double start = 0;
  for (std::size_t p = 0; p < count; ++p) {
    const Phase& phase = phases[p];
    if (at <= phase.end || p + 1 == count) {
      // A phase without length (a run of very few steps) is at its end.
      const double share = phase.end > start ? (at - start) / (phase.end - start) : 1;
      ScheduleValue value{anneal(s.anneal, phase.lr_from, phase.lr_to, share), std::nullopt};
      if (s.cycle_momentum) {
        value.momentum = anneal(s.anneal, phase.momentum_from, phase.momentum_to, share);
      }
      return value;
    }
    start = phase.end;
  }
  return {};
}

// torch.optim.lr_scheduler.CyclicLR at step k.
ScheduleValue cyclic(const ScheduleSpec& s, std::int64_t k, std::int64_t up, std::int64_t down) {
  const std::int64_t size = up + down, cycle = k / size, in_cycle = k % size;
  const double height = in_cycle <= up
                            ? static_cast<double>(in_cycle) / static_cast<double>(up)
                            : static_cast<double>(size - in_cycle) / static_cast<double>(down);
  double scale = 1;
  if (s.mode == CyclicMode::triangular2) scale = power(0.5, cycle);
  if (s.mode == CyclicMode::exp_range) scale = power(s.gamma, k);
  ScheduleValue value{s.base_lr + (s.max_lr - s.base_lr) * height * scale, std::nullopt};
  if (s.cycle_momentum) {
    value.momentum = s.max_momentum - (s.max_momentum - s.base_momentum) * height * scale;
  }
  return value;
}

// torch.optim.lr_scheduler.CosineAnnealingWarmRestarts at step k: the share of the current period.
double restart_share(std::int64_t k, std::int64_t first, int multiplier) {
  std::int64_t period = first;
  while (k >= period) {
    k -= period;
    period *= multiplier;
  }
  return static_cast<double>(k) / static_cast<double>(period);
}

// Epochs to intervals; a duration that is asked for has at least one.
std::int64_t compile(double epochs, const char* key, double intervals_per_epoch) {
  const auto n = static_cast<std::int64_t>(std::floor(epochs * intervals_per_epoch + 0.5));
  if (n < 1) {
    throw InputError("scheduler: " + std::string(key) + " = " + std::to_string(epochs) +
                     " epochs is no whole step of the schedule; make it longer");
  }
  return n;
}

}  // namespace

Schedule::Schedule(const ScheduleSpec& spec, const OptimizerSpec& optimizer,
                   std::int64_t steps_per_epoch, int epochs)
    : spec_(spec), optimizer_(optimizer), steps_per_epoch_(steps_per_epoch) {
  per_epoch_ = spec.interval == ScheduleInterval::step ? static_cast<double>(steps_per_epoch) : 1;
  if (spec.warmup_epochs > 0) warmup_ = compile(spec.warmup_epochs, "warmup", per_epoch_);
  const std::int64_t run = static_cast<std::int64_t>(per_epoch_) * epochs;
  total_ = spec.duration_epochs > 0 ? compile(spec.duration_epochs, "duration", per_epoch_)
                                    : run - warmup_;
  if (total_ < 1)
    throw InputError("scheduler: the warm-up is as long as the whole run; shorten it");
  switch (spec.kind) {
    case ScheduleKind::step:
      first_ = compile(spec.step_epochs, "step_size", per_epoch_);
      break;
    case ScheduleKind::cosine_restarts:
      first_ = compile(spec.restart_epochs, "t_0", per_epoch_);
      break;
    case ScheduleKind::cyclic:
      first_ = compile(spec.up_epochs, "up", per_epoch_);
      second_ = spec.down_epochs > 0 ? compile(spec.down_epochs, "down", per_epoch_) : first_;
      break;
    case ScheduleKind::multistep:
      for (const double milestone : spec.milestones) {
        milestones_.push_back(compile(milestone, "milestones", per_epoch_));
      }
      break;
    default:
      break;
  }
}

bool Schedule::watches_validation() const { return spec_.kind == ScheduleKind::plateau; }

ScheduleValue Schedule::at(std::int64_t step, std::span<const double> watched) const {
  const std::int64_t interval =
      spec_.interval == ScheduleInterval::step ? step : step / steps_per_epoch_;
  if (interval >= warmup_) return main(interval - warmup_, watched);
  // torch's SequentialLR of a LinearLR and the rest: the ramp ends at the optimizer's own learning
  // rate, or where a schedule that brings its own begins.  (For CyclicLR torch does so when that is
  // constructed before the LinearLR; in the other order it ramps to the optimizer's rate and
  // jumps.)
  const bool brings_own =
      spec_.kind == ScheduleKind::one_cycle || spec_.kind == ScheduleKind::cyclic;
  ScheduleValue value = main(0, watched);
  if (!brings_own) value.lr = optimizer_.lr;
  value.lr *= spec_.warmup_start + (1 - spec_.warmup_start) * static_cast<double>(interval) /
                                       static_cast<double>(warmup_);
  return value;
}

// k: intervals since the end of the warm-up.
ScheduleValue Schedule::main(std::int64_t k, std::span<const double> watched) const {
  const double lr = optimizer_.lr;
  const double share = static_cast<double>(std::min(k, total_)) / static_cast<double>(total_);
  const auto cosine = [&](double of_period) {
    return spec_.eta_min +
           (lr - spec_.eta_min) * (1 + portable::cos(portable::kPi * of_period)) / 2;
  };
  switch (spec_.kind) {
    case ScheduleKind::constant:
      return {lr, std::nullopt};
    case ScheduleKind::step:
      return {lr * power(spec_.gamma, k / first_), std::nullopt};
    case ScheduleKind::multistep: {
      const auto passed = std::count_if(milestones_.begin(), milestones_.end(),
                                        [&](std::int64_t milestone) { return milestone <= k; });
      return {lr * power(spec_.gamma, passed), std::nullopt};
    }
    case ScheduleKind::exponential:
      return {lr * power(spec_.gamma, k), std::nullopt};
    case ScheduleKind::linear:
      return {lr * (spec_.start_factor + (spec_.end_factor - spec_.start_factor) * share),
              std::nullopt};
    case ScheduleKind::polynomial:
      return {lr * portable::pow(1 - share, spec_.power), std::nullopt};
    case ScheduleKind::cosine:  // past its duration it rises again, as PyTorch's does
      return {cosine(static_cast<double>(k) / static_cast<double>(total_)), std::nullopt};
    case ScheduleKind::cosine_restarts:
      return {cosine(restart_share(k, first_, spec_.restart_mult)), std::nullopt};
    case ScheduleKind::one_cycle:
      return one_cycle(spec_, k, total_);
    case ScheduleKind::cyclic:
      return cyclic(spec_, k, first_, second_);
    case ScheduleKind::plateau:
      return {plateau_lr(watched), std::nullopt};
  }
  return {lr, std::nullopt};
}

// torch.optim.lr_scheduler.ReduceLROnPlateau (threshold_mode "rel", eps 1e-8) after these epochs.
double Schedule::plateau_lr(std::span<const double> watched) const {
  const bool more_is_better = spec_.metric != "val_loss";
  double best = more_is_better ? -std::numeric_limits<double>::infinity()
                               : std::numeric_limits<double>::infinity();
  double lr = optimizer_.lr;
  int bad = 0, cooldown = 0;
  for (const double value : watched) {
    const bool better = more_is_better ? value > best * (1 + spec_.threshold)
                                       : value < best * (1 - spec_.threshold);
    if (better) {
      best = value;
      bad = 0;
    } else {
      ++bad;
    }
    if (cooldown > 0) {
      --cooldown;
      bad = 0;
    }
    if (bad > spec_.patience) {
      const double lower = std::max(lr * spec_.factor, spec_.min_lr);
      if (lr - lower > 1e-8) lr = lower;
      cooldown = spec_.cooldown;
      bad = 0;
    }
  }
  return lr;
}

}  // namespace bioptic
