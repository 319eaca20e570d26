#include "bioptic/base/counted.h"

#include <gtest/gtest.h>

namespace bioptic {
namespace {

TEST(Counted, SingularOfOneAndPluralOfAllElse) {
  EXPECT_EQ(counted(1, "group"), "1 group");
  EXPECT_EQ(counted(0, "group"), "0 groups");
  EXPECT_EQ(counted(21, "hold-out image"), "21 hold-out images");
  EXPECT_EQ(counted(2, "class"), "2 classes");
  EXPECT_EQ(counted(1, "class"), "1 class");
  EXPECT_EQ(counted(3, "study"), "3 studies");
  EXPECT_EQ(counted(3, "key"), "3 keys");
  EXPECT_EQ(noun_of(1, "patch"), "patch");
  EXPECT_EQ(noun_of(2, "patch"), "patches");
  EXPECT_EQ(noun_of(2, "epoch"), "epochs");
}

}  // namespace
}  // namespace bioptic
