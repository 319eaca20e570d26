#include "bioptic/base/json_integer.h"

#include <gtest/gtest.h>

#include <limits>

namespace bioptic {
namespace {

using nlohmann::json;

TEST(JsonInteger, IsTheNumberOrAnError) {
  EXPECT_EQ(integer<int>(json::parse("-7")), -7);
  EXPECT_EQ(integer<int>(json::parse("2147483647")), std::numeric_limits<int>::max());
  EXPECT_EQ(integer<std::size_t>(json::parse("18446744073709551615")),
            std::numeric_limits<std::size_t>::max());
  for (const char* text : {"2147483648", "-2147483649", "18446744073709551615", "2.5", "2.0",
                           "1e99", "null", "\"3\"", "true", "[3]"}) {
    EXPECT_THROW(integer<int>(json::parse(text)), json::type_error) << text;
  }
  EXPECT_THROW(integer<std::size_t>(json::parse("-1")), json::type_error);
  EXPECT_THROW(integer<std::size_t>(json::parse("18446744073709551616")), json::type_error);
}

TEST(JsonInteger, ArraysAreArrays) {
  EXPECT_EQ(integers<int>(json::parse("[3, -4]")), (std::vector<int>{3, -4}));
  for (const char* text : {"3", "{\"0\": 3}", "[3.5]", "[[3]]"}) {
    EXPECT_THROW(integers<int>(json::parse(text)), json::type_error) << text;
  }
}

// Deeper than any stack: an error that showed the value would never be told.
TEST(JsonInteger, AnErrorDoesNotShowWhatIsNested) {
  std::string deep(1'000'000, '[');
  deep.append(deep.size(), ']');
  const json nested = json::parse(deep);
  EXPECT_THROW(integer<int>(nested), json::type_error);
}

}  // namespace
}  // namespace bioptic
