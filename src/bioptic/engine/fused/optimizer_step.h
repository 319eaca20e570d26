// The optimizer's constants of one step, computed in double and rounded once.
#pragma once

#include <cstdint>

#include "bioptic/kernel/kernels.h"
#include "bioptic/model/spec.h"

namespace bioptic {

// t: the step's number from 1.  lr, momentum: of this step (see Step).  has_momentum: sgd keeps a
// first moment.
// Source: torch.optim.SGD, Adam, AdamW (their documented algorithms).
kernel::OptimizerStep optimizer_step(const OptimizerSpec& spec, std::int64_t t, double lr,
                                     double momentum, bool has_momentum);

// Which of the moments the optimizer keeps.
bool keeps_first_moment(const OptimizerSpec& spec);
bool keeps_second_moment(const OptimizerSpec& spec);

}  // namespace bioptic
