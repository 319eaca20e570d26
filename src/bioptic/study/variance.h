// Where the chance comes from, when the seeds of a study are crossed: pure data.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "bioptic/stats/variance_components.h"

namespace bioptic {

// In the order of Component: "split", "init", "order", "split x init", ..., "split x init x order".
extern const std::array<const char*, kComponents> kComponentNames;

struct MetricVariance {
  std::string metric;  // test_accuracy, ...
  VarianceComponents parts;
};

struct ArmVariance {
  std::string arm;
  std::array<std::size_t, 3> levels{};  // seeds of split, init, order
  std::vector<MetricVariance> metrics;  // test_accuracy first; empty: see reason
  std::string reason;                   // why there are none
  std::string sentence;                 // what to repeat
};

}  // namespace bioptic
