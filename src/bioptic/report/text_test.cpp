#include "bioptic/report/text.h"

#include <gtest/gtest.h>

#include <limits>

namespace bioptic {
namespace {

TEST(Text, NumbersReadBackExactly) {
  EXPECT_EQ(number_text(0.1), "0.1");
  EXPECT_EQ(number_text(0.1F), "0.1");  // not 0.10000000149
  EXPECT_EQ(number_text(std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(number_text(-std::numeric_limits<float>::infinity()), "-inf");
  EXPECT_EQ(std::stod(number_text(1.0 / 3)), 1.0 / 3);
  EXPECT_EQ(percent_text(0.7354), "73.5");
  EXPECT_EQ(fixed_text(std::numeric_limits<double>::quiet_NaN(), 2), "-");
}

TEST(Text, CutsBetweenCharacters) {
  EXPECT_EQ(shortened("Lungenentzündung", 16), "Lungenentzündung");
  EXPECT_EQ(shortened("Lungenentzündung", 12), "Lungenentzü…");
  EXPECT_EQ(shortened("肺炎肺炎", 3), "肺炎…");
  EXPECT_EQ(display_width("肺炎…"), 3U);
  EXPECT_EQ(shortened("", 3), "");
}

TEST(Text, NothingEscapes) {
  EXPECT_EQ(html_escape("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
  EXPECT_EQ(tex_escape("50 % of_a"), "50 \\% of\\_a");
  EXPECT_EQ(tex_escape("lr<0.1>"), "lr\\textless{}0.1\\textgreater{}");
  EXPECT_EQ(markdown_escape("a|b <b> $x_1$"), "a\\|b \\<b\\> \\$x\\_1\\$");
  // Of an older program's store.
  EXPECT_EQ(html_escape("M\xFC<"), "M\\xFC&lt;");
  EXPECT_EQ(tex_escape("M\xFC"), "M\\textbackslash{}xFC");
  EXPECT_EQ(file_part("../lr=0.1, B 30"), "_.._lr=0.1__B_30");
}

}  // namespace
}  // namespace bioptic
