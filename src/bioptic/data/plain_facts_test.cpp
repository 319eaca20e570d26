#include "bioptic/data/plain_facts.h"

#include <gtest/gtest.h>

namespace bioptic {
namespace {

using Lines = std::vector<std::string>;

TEST(PlainFacts, AreLinesWithoutBrackets) {
  EXPECT_EQ(plain_facts(R"({"source": "xrays", "float_range": [0.25, 1], "skipped": 2,
                            "images": {"width": [20, 24]}})"),
            (Lines{"float range: 0.25 to 1", "images before they were prepared: width 20 to 24",
                   "skipped: 2", "source: xrays"}));
  EXPECT_EQ(plain_facts(R"({"losses": {}})"), Lines{"losses: none"});
  EXPECT_EQ(plain_facts("{}"), Lines{});
}

TEST(PlainFacts, SayALossAsItsWarningDid) {
  EXPECT_EQ(plain_facts(R"({"losses": {"pages": {"count": 1, "images": 1}}})"),
            Lines{"lost: 1 further page of 1 image was left out: of a file with several, the first "
                  "is read."});
  // Of a later program.
  EXPECT_EQ(plain_facts(R"({"losses": {"sound": {"count": 3, "images": 2}}})"),
            Lines{"lost: sound: 3 in 2 images"});
}

TEST(PlainFacts, AreAsTheyAreWhereTheyAreNoObject) {
  EXPECT_EQ(plain_facts("[1]"), Lines{"[1]"});
  EXPECT_EQ(plain_facts("{"), Lines{"{"});
  const std::string deep = std::string(100, '[');
  EXPECT_EQ(plain_facts(deep), Lines{deep});
}

}  // namespace
}  // namespace bioptic
