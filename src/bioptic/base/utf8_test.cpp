#include "bioptic/base/utf8.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "bioptic/base/json_text.h"

namespace bioptic {
namespace {

TEST(Utf8, TellsWhatIsNone) {
  for (const char* good : {"", "plain", "Müller", "日本", "\xF0\x9F\x98\x80", "\xED\x9F\xBF",
                           "\xF4\x8F\xBF\xBF", "twelve lettersü"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
    EXPECT_EQ(as_utf8(good), good);
  }
  // Latin-1, a lone continuation, overlong forms, a surrogate, above U+10FFFF, cut off.
  for (const char* bad : {"M\xFCller", "\x80", "\xC0\x80", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF",
                          "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE6\x97", "seventeen plain \xFF"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
    EXPECT_TRUE(is_utf8(as_utf8(bad))) << bad;
  }
  EXPECT_EQ(find_not_utf8("eight---M\xFCller"), 9U);
}

TEST(Utf8, EscapesSoThatNothingIsLost) {
  EXPECT_EQ(as_utf8("M\xFCller"), "M\\xFCller");
  EXPECT_EQ(as_utf8("a\\b\xFF"), "a\\\\b\\xFF");  // a backslash is told from an escape
  EXPECT_EQ(as_utf8("a\\b"), "a\\b");
  EXPECT_EQ(as_utf8("ü\xE6\x97"), "ü\\xE6\\x97");
}

TEST(Utf8, ReadsUtf16) {
  std::size_t damaged = 0;
  EXPECT_EQ(utf8_of_utf16(std::string_view("M\0\xFC\0", 4), false, damaged), "Mü");
  EXPECT_EQ(utf8_of_utf16(std::string_view("\0M\0\xFC", 4), true, damaged), "Mü");
  EXPECT_EQ(utf8_of_utf16(std::string_view("\x3D\xD8\x00\xDE", 4), false, damaged),
            "\xF0\x9F\x98\x80");
  EXPECT_EQ(damaged, 0U);
  EXPECT_EQ(utf8_of_utf16(std::string_view("\x3D\xD8"
                                           "a\0b",
                                           5),
                          false, damaged),
            "\xEF\xBF\xBD"
            "a\xEF\xBF\xBD");
  EXPECT_EQ(damaged, 2U);
}

TEST(Utf8, JsonIsWrittenWhateverItHolds) {
  const nlohmann::json j = {{"a", "M\xFCller"}, {"b\xFF", {"x", 1.5}}, {"c", "ü"}};
  EXPECT_EQ(json_text(j), R"({"a":"M\\xFCller","b\\xFF":["x",1.5],"c":"ü"})");
  EXPECT_EQ(json_text(nlohmann::json{{"a", "ü"}}, 2), "{\n  \"a\": \"ü\"\n}");
}

}  // namespace
}  // namespace bioptic
