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

TEST(Losses, AgreeWithTheirNumber) {
  for (const std::uint64_t count : {1U, 2U}) {
    Losses one;
    for (std::size_t k = 0; k < kLosses; ++k) one.counts[k] = count;
    LossTotal total;
    total.add(one);
    std::string all;
    for (const std::string& warning : total.warnings()) all += warning + "\n";
    const std::vector<std::string> wanted =
        count == 1
            ? std::vector<std::string>{"1 byte of 1 image belongs to",
                                       "1 pixel value of 1 image was", "1 pixel of 1 image is",
                                       "1 overlay in", "1 image does not say"}
            : std::vector<std::string>{"2 bytes of 1 image belong to",
                                       "2 pixel values of 1 image were", "2 pixels of 1 image are",
                                       "2 overlays in", "image do not say"};
    for (const std::string& words : wanted)
      EXPECT_NE(all.find(words), std::string::npos) << words << "\n" << all;
  }
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
