// A trend over a numeric setting as one linear contrast of the settings' values.
#pragma once

#include <span>
#include <vector>

namespace bioptic {

// Weights w, summing to 0, such that sum of w_k y_k is the change from the smallest to the largest
// setting on the least-squares line of y over log(setting).  settings > 0, at least two different.
// Throws InputError otherwise.
std::vector<double> trend_weights(std::span<const double> settings);

}  // namespace bioptic
