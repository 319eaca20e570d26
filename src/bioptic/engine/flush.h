// Moments below 2^-120 in size become 0 in the reference engine (the fused engine has the processor
// flush what is below 2^-126, base/flush_to_zero.h): a gradient that stays exactly 0
// (a dead unit, a constant pixel) would let the first moment decay into subnormal numbers, where it
// sticks and slows every instruction that touches it.  A documented deviation from PyTorch, whose
// default keeps them; it cannot be seen in a weight: such a moment moves it by less than
// lr * 2^-120 / eps.
#pragma once

#include <cmath>

namespace bioptic {

inline float flush_tiny(float x) { return std::fabs(x) < 0x1p-120F ? 0.0F : x; }
inline double flush_tiny(double x) { return x; }

}  // namespace bioptic
