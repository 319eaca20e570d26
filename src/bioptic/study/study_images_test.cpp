#include "bioptic/study/study_images.h"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <utility>

#include "bioptic/base/error.h"

namespace bioptic {
namespace {

TEST(StudyImages, GivesBackWhatWasAdded) {
  StudyImages images;
  const int n = 5000;  // more than one block of texts
  for (int i = 0; i < n; ++i) {
    images.add({"image" + std::to_string(i), i % 3 == 0 ? "test" : "train",
                i % 2 == 0 ? "" : "patient" + std::to_string(i / 2), i % 4});
  }
  ASSERT_EQ(images.size(), 5000U);
  int i = 0;
  for (const StudyImage image : images) {
    EXPECT_EQ(image.id, "image" + std::to_string(i));
    EXPECT_EQ(image.split, i % 3 == 0 ? "test" : "train");
    EXPECT_EQ(image.group, i % 2 == 0 ? "" : "patient" + std::to_string(i / 2));
    EXPECT_EQ(image.label, i % 4);
    ++i;
  }
  EXPECT_EQ(i, n);
  EXPECT_THROW(images.at(5000), std::out_of_range);
}

TEST(StudyImages, CopiesOutliveAndDoNotDisturbEachOther) {
  StudyImages copy;
  {
    StudyImages images;
    images.add({"a", "train", "g", 0});
    copy = images;
    images.add({"b", "val", "h", 1});
    copy.add({"c", "test", "i", 1});
    EXPECT_EQ(images[1].id, "b");
    EXPECT_EQ(images[1].split, "val");
  }
  ASSERT_EQ(copy.size(), 2U);
  EXPECT_EQ(copy[0].group, "g");
  EXPECT_EQ(copy[1].id, "c");
  EXPECT_EQ(copy[1].split, "test");
}

TEST(StudyImages, ALabelThatDoesNotFitStaysNoClass) {
  StudyImages images;
  images.add({"a", "train", "g", (std::int64_t{1} << 32) + 1});
  images.add({"b", "train", "g", -(std::int64_t{1} << 32)});
  EXPECT_GT(images[0].label, 1'000'000);
  EXPECT_LT(images[1].label, 0);
}

TEST(StudyImages, RefusesMoreSplitsThanItCanName) {
  StudyImages images;
  for (int i = 0; i < 256; ++i) images.add({"a", "split" + std::to_string(i), "g", 0});
  EXPECT_THROW(images.add({"a", "one more", "g", 0}), Failure);
  EXPECT_EQ(images[255].split, "split255");
}

}  // namespace
}  // namespace bioptic
