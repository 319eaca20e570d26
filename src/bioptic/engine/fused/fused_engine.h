// The fast engine: float32, vectorised, one pass over the first layer's weights per step
// (kernel/pass.h).  Same bits on any number of threads and any instruction set.
#pragma once

#include <memory>

#include "bioptic/engine/engine.h"

namespace bioptic {

// Changes whenever the same trial would give other bits.
inline constexpr int kFusedNumericsVersion = 2;

// Throws InputError for an unknown config.isa.
std::unique_ptr<Engine> make_fused_engine(const EngineConfig& config);

}  // namespace bioptic
