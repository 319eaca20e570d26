// Checks of numbers on the command line.  CLI::Range lets "nan" through: no comparison with it is
// true.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <string>

namespace bioptic {

// A finite number from `low` to `high`.
inline CLI::Validator number_between(double low, double high) {
  return {[low, high](std::string& text) {
            double value = 0;
            const bool good = CLI::detail::lexical_cast(text, value) && std::isfinite(value) &&
                              value >= low && value <= high;
            return good ? std::string()
                        : fmt::format("{} is no number from {} to {}", text, low, high);
          },
          fmt::format("in [{} - {}]", low, high)};
}

inline CLI::Validator finite_number() {
  return {[](std::string& text) {
            double value = 0;
            const bool good = CLI::detail::lexical_cast(text, value) && std::isfinite(value);
            return good ? std::string() : text + " is no finite number";
          },
          "finite"};
}

}  // namespace bioptic
