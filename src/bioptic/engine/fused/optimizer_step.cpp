#include "bioptic/engine/fused/optimizer_step.h"

#include <cmath>
#include <limits>

#include "bioptic/base/portable_math.h"

namespace bioptic {

bool keeps_first_moment(const OptimizerSpec& spec) {
  return spec.kind != OptimizerKind::sgd || spec.momentum != 0;
}
bool keeps_second_moment(const OptimizerSpec& spec) { return spec.kind != OptimizerKind::sgd; }

kernel::OptimizerStep optimizer_step(const OptimizerSpec& spec, std::int64_t t, double lr,
                                     double momentum, bool has_momentum) {
  kernel::OptimizerStep step;
  const bool decoupled = spec.kind == OptimizerKind::adamw;
  step.decay = decoupled ? 0 : static_cast<float>(spec.weight_decay);
  step.shrink = decoupled ? static_cast<float>(1 - lr * spec.weight_decay) : 1;
  if (spec.kind == OptimizerKind::sgd) {
    step.kind =
        has_momentum ? kernel::OptimizerStep::Kind::sgd_momentum : kernel::OptimizerStep::Kind::sgd;
    step.lr = static_cast<float>(lr);
    step.momentum = static_cast<float>(momentum);
    step.damp = static_cast<float>(1 - spec.dampening);
    step.first = t == 1;
    step.nesterov = spec.nesterov;
    return step;
  }
  step.kind = kernel::OptimizerStep::Kind::adam;
  const auto n = static_cast<double>(t);
  step.beta1_rest = static_cast<float>(1 - momentum);
  step.beta2_rest = static_cast<float>(1 - spec.beta2);
  const double size = lr / (1 - portable::pow(momentum, n));
  step.root = static_cast<float>(1 / (size * std::sqrt(1 - portable::pow(spec.beta2, n))));
  step.floor = static_cast<float>(spec.eps / size);
  if (!std::isfinite(step.root)) {  // lr is 0, or next to nothing
    step.root = 0;
    step.floor = std::numeric_limits<float>::infinity();
  }
  return step;
}

}  // namespace bioptic
