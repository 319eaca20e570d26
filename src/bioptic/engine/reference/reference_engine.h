// The plain engine: float32, scalar, one thread.  What the fused engine is tested against.
#pragma once

#include <memory>

#include "bioptic/engine/engine.h"

namespace bioptic {

inline constexpr int kReferenceNumericsVersion = 1;

std::unique_ptr<Engine> make_reference_engine(const EngineConfig& config);

}  // namespace bioptic
