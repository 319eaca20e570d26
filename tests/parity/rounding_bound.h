// How far a float32 engine may be from exact arithmetic after one step, derived by carrying
// rounding errors through the net: standard forward error analysis (Higham, Accuracy and Stability
// of Numerical Algorithms, chapter 3).  Exact arithmetic is the reference net in double, whose own
// error is 2^-29 of these bounds.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "bioptic/engine/engine.h"
#include "bioptic/engine/reference/reference_net.h"

namespace bioptic {

// Half an ulp of 1 in float.
inline constexpr double kUnit = 0x1p-24;

// A sum of n products in any order has an error of at most gamma_n sum |x||w|.
inline double gamma_of(std::size_t n) {
  const double nu = static_cast<double>(n) * kUnit;
  return nu / (1 - nu);
}

// Bounds on |float engine - exact| of one layer, in the shapes of ReferenceNet::Layer.
struct LayerBound {
  std::vector<double> z, a, delta, weight_gradient, bias_gradient;
};

// After forward() and backward() of `net` on this batch.  masks may be empty.
std::vector<LayerBound> rounding_bounds(const ReferenceNet<double>& net, const EngineConfig& config,
                                        std::span<const float> coefficients,
                                        const std::vector<std::vector<float>>& masks);

// One weight with its moments, in exact arithmetic, and bounds on the engine's errors in them.
struct BoundedState {
  double w = 0, m = 0, v = 0;
  double w_error = 0, m_error = 0, v_error = 0;
};

// One optimizer step on `s` with the exact gradient g, known to within g_error.  t: the step's
// number from 1.  The error of a division is carried through its derivative.
void bounded_update(const OptimizerSpec& optimizer, std::int64_t t, double lr, double momentum,
                    double g, double g_error, BoundedState& s);

}  // namespace bioptic
