// Whole numbers of JSON that come from files.
#pragma once

#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace bioptic {

// The number as a T.  Throws json::type_error for what is not a whole number that a T can hold: the
// library's own get<T>() casts whatever number stands there, which makes another number of 2.5 and
// of 2^40, and is undefined for 1e99.
template <std::integral T>
T integer(const nlohmann::json& j) {
  if (j.is_number_unsigned()) {
    const auto value = j.get<std::uint64_t>();
    if (std::in_range<T>(value)) return static_cast<T>(value);
  } else if (j.is_number_integer()) {
    const auto value = j.get<std::int64_t>();
    if (std::in_range<T>(value)) return static_cast<T>(value);
  }
  throw nlohmann::json::type_error::create(302, "expected a whole number, found " + j.dump(), &j);
}

}  // namespace bioptic
