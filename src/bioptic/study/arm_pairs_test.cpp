#include "bioptic/study/arm_pairs.h"

#include <gtest/gtest.h>

#include "bioptic/base/error.h"

namespace bioptic {
namespace {

std::vector<std::string> numbered(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back("arm" + std::to_string(i));
  return names;
}

std::string text(const ArmPairs& of) {
  std::string out;
  for (const ArmPair& pair : of.pairs) {
    out += std::to_string(pair.a) + "-" + std::to_string(pair.b) + " ";
  }
  return out;
}

std::string fault(const PairPlan& plan) {
  try {
    pairs_of(numbered(3), plan);
  } catch (const InputError& e) {
    return e.what();
  }
  return "";
}

TEST(ArmPairs, AreAllWithoutAPlan) {
  EXPECT_EQ(text(pairs_of(numbered(3), {})), "0-1 0-2 1-2 ");
  EXPECT_EQ(pairs_of(numbered(3), {}).note, "");
  EXPECT_EQ(text(pairs_of(numbered(1), {})), "");
}

TEST(ArmPairs, MeetTheReferenceWhichIsTakenAway) {
  EXPECT_EQ(text(pairs_of(numbered(4), {"arm1", {}})), "0-1 2-1 3-1 ");
}

TEST(ArmPairs, AreThoseThatWerePlanned) {
  EXPECT_EQ(text(pairs_of(numbered(4), {"", {{"arm3", "arm0"}, {"arm1", "arm2"}}})), "3-0 1-2 ");
}

TEST(ArmPairs, AreStatedWhereAllWouldBeTooMany) {
  EXPECT_EQ(pairs_of(numbered(25), {}).pairs.size(), 300U);
  const ArmPairs many = pairs_of(numbered(26), {});
  EXPECT_EQ(many.pairs.size(), 25U);
  EXPECT_EQ(many.pairs[0].b, 0U);
  EXPECT_NE(many.note.find("26 arms make 325 pairs"), std::string::npos) << many.note;
  // Planned ones are as many as were planned.
  PairPlan plan;
  for (std::size_t i = 0; i < 400; ++i) {
    plan.pairs.emplace_back("arm" + std::to_string(i % 20), "arm" + std::to_string(20 + i / 20));
  }
  EXPECT_EQ(pairs_of(numbered(40), plan).pairs.size(), 400U);
}

TEST(ArmPairs, OfUnknownArmsAndPairsTwiceAreRefused) {
  EXPECT_NE(fault({"arm4", {}}).find("'arm4': there is no such arm"), std::string::npos);
  EXPECT_NE(fault({"", {{"arm0", "arm1"}, {"arm1", "arm0"}}}).find("given twice"),
            std::string::npos);
  EXPECT_NE(fault({"", {{"arm0", "arm0"}}}).find("with itself"), std::string::npos);
}

}  // namespace
}  // namespace bioptic
