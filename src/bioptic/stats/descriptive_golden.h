// For tests: the oracle values of tests/golden/descriptive.json (made by descriptive.py there).
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bioptic::descriptive_golden {

inline nlohmann::json part(const std::string& name) {
  std::ifstream file("tests/golden/descriptive.json");
  return nlohmann::json::parse(file).at(name);
}

// null is NaN.
inline std::vector<double> numbers(const nlohmann::json& list) {
  std::vector<double> values;
  for (const auto& v : list) {
    values.push_back(v.is_null() ? std::numeric_limits<double>::quiet_NaN() : v.get<double>());
  }
  return values;
}

// Relative agreement; null in the file must be an empty value here.
inline void expect_near(const std::optional<double>& got, const nlohmann::json& want,
                        const std::string& what, double relative = 1e-9) {
  ASSERT_EQ(got.has_value(), !want.is_null()) << what;
  if (!got) return;
  const auto value = want.get<double>();
  EXPECT_NEAR(*got, value, relative * std::abs(value) + 1e-13) << what;
}

}  // namespace bioptic::descriptive_golden
