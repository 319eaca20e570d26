// Whole numbers of JSON that come from files.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bioptic/base/json.h"

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
  // Not j itself in words, which could be nested deeper than the stack.
  const std::string found = j.is_number() ? j.dump() : j.type_name();
  throw nlohmann::json::type_error::create(302, "expected a whole number, found " + found, &j);
}

// An array of them.
template <std::integral T>
std::vector<T> integers(const nlohmann::json& j) {
  if (!j.is_array()) {
    throw nlohmann::json::type_error::create(
        302, std::string("expected an array of whole numbers, found ") + j.type_name(), &j);
  }
  std::vector<T> out;
  for (const nlohmann::json& each : j) out.push_back(integer<T>(each));
  return out;
}

}  // namespace bioptic
