// Learning rate, and momentum where the schedule cycles it, as a pure function of the step and of
// past validation.  Same numbers as torch.optim.lr_scheduler (1e-10 relative; PyTorch's recursive
// forms round differently), with durations compiled from epochs to exact steps.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "bioptic/model/spec.h"

namespace bioptic {

struct ScheduleValue {
  double lr = 0;
  std::optional<double>
      momentum;  // momentum (sgd) or beta1 (adam, adamw); unset: the optimizer's own
};

class Schedule {
 public:
  // steps_per_epoch >= 1, epochs >= 1.  Throws InputError when a duration compiles to no step.
  Schedule(const ScheduleSpec& spec, const OptimizerSpec& optimizer, std::int64_t steps_per_epoch,
           int epochs);

  // step: 0 .. steps_per_epoch * epochs - 1.  watched: the plateau's metric after each finished
  // epoch, in order (other kinds ignore it).
  ScheduleValue at(std::int64_t step, std::span<const double> watched) const;

  bool watches_validation() const;  // plateau

 private:
  ScheduleValue main(std::int64_t k, std::span<const double> watched) const;
  double plateau_lr(std::span<const double> watched) const;

  ScheduleSpec spec_;
  OptimizerSpec optimizer_;
  std::int64_t steps_per_epoch_ = 1;
  // From here on in intervals: steps or epochs, by spec_.interval.
  double per_epoch_ = 1;
  std::int64_t warmup_ = 0;
  std::int64_t total_ = 1;               // duration of the kinds that have one
  std::int64_t first_ = 1, second_ = 1;  // step size, first period, or the two sides of a cycle
  std::vector<std::int64_t> milestones_;
};

}  // namespace bioptic
