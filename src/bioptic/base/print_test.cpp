#include "bioptic/base/print.h"

#include <gtest/gtest.h>

namespace bioptic {
namespace {

TEST(Print, ControlCharactersAreShownNotSent) {
  EXPECT_EQ(printable("a\tb\n"), "a\tb\n");
  EXPECT_EQ(printable("\x1b[2Jred\r\x07\x7f"), "\\u001b[2Jred\\u000d\\u0007\\u007f");
  EXPECT_EQ(printable("\xc2\x9b\x33"), "\\u009b3");  // the one-character form of ESC [
  EXPECT_EQ(printable("\xc3\xa9 \xc2\xb5\xc2"), "\xc3\xa9 \xc2\xb5\xc2");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\u0000");
}

}  // namespace
}  // namespace bioptic
