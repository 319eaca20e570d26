#include "bioptic/data/loss.h"

#include <gtest/gtest.h>

namespace bioptic {
namespace {

TEST(Losses, AreCountedByValueAndImageAndSaidOnce) {
  LossTotal total;
  EXPECT_EQ(total.json(), "{}");
  EXPECT_TRUE(total.warnings().empty());
  Losses one;
  one[Loss::clipped_values] = 5;
  total.add(one);
  total.add(Losses{});
  one[Loss::clipped_values] = 7;
  total.add(one);
  EXPECT_EQ(total.json(), R"({"clipped_values":{"count":12,"images":2}})");
  ASSERT_EQ(total.warnings().size(), 1U);
  EXPECT_EQ(total.warnings().front(),
            "Warning: 12 pixel values of 2 images lie outside 0..65535 and were clipped; choose a "
            "window (--window LOW:HIGH).");
}

TEST(Losses, OfAFolderAreNotOfImages) {
  Losses one;
  one[Loss::linked_folders] = 3;
  LossTotal total;
  total.add(one);
  EXPECT_EQ(total.warnings().front(), "Warning: Links to folders that were not followed: 3.");
  EXPECT_EQ(total.json(), R"({"linked_folders":{"count":3}})");
}

}  // namespace
}  // namespace bioptic
