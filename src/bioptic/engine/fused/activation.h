// Activations of the small layers, elementwise.
#pragma once

#include <span>

#include "bioptic/model/spec.h"

namespace bioptic {

// a = f(z), each (n).
void activate(Activation kind, std::span<const float> z, std::span<float> a);
// delta *= f'(z); a = f(z) as made by activate.
void multiply_by_derivative(Activation kind, std::span<const float> z, std::span<const float> a,
                            std::span<float> delta);

}  // namespace bioptic
