#include "bioptic/study/template.h"

#include <gtest/gtest.h>

#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/study/spec.h"

namespace bioptic {
namespace {

TEST(Template, ParsesAndHoldsWhatIsKnown) {
  DataFacts facts;
  facts.source = "../da\"ta";
  facts.size = 28;
  facts.channels = 3;
  facts.classes = {"a", "c", "b"};
  facts.source_has_val = facts.groups_known = facts.sixteen_bit = true;
  const StudySpec study =
      parse_study_text(study_template(facts, "mine", {"batch_size=10,50", "epochs=3,4"}), "x.toml");
  EXPECT_EQ(study.name, "mine");
  EXPECT_EQ(study.data.source, "../da\"ta");
  EXPECT_EQ(study.data.size, 28);
  EXPECT_EQ(study.data.channels, 3);
  EXPECT_EQ(study.data.positive, "c");
  EXPECT_EQ(study.data.split.split_by, SplitBy::group);
  ASSERT_EQ(study.arms.size(), 4U);
  EXPECT_EQ(study.arms[3].train.batch_size, 50);
  EXPECT_EQ(study.arms[3].train.loss.kind, LossKind::cross_entropy);
}

TEST(Template, ParsesWhenLittleIsKnown) {
  DataFacts facts;
  EXPECT_EQ(parse_study_text(study_template(facts, "study", {}), "x.toml").arms.size(), 1U);
  facts.source = "images.npz";
  const StudySpec study = parse_study_text(study_template(facts, "study", {}), "x.toml");
  EXPECT_FALSE(study.data.size.has_value());
}

// As a person types them: hyphens and capitals, PyTorch's names, keys without their table.
TEST(Template, VaryTakesKeysAsTheyAreTyped) {
  const auto arms = [](const std::vector<std::string>& vary) {
    return parse_study_text(study_template({}, "study", vary), "x.toml").arms;
  };
  const auto scheduled = arms({"scheduler=cosine,exponential,One-Cycle,multistep,cyclic"});
  ASSERT_EQ(scheduled.size(), 5U);
  EXPECT_EQ(scheduled[2].name, "scheduler=one_cycle");
  EXPECT_EQ(scheduled[2].train.schedule.kind, ScheduleKind::one_cycle);
  EXPECT_GT(scheduled[2].train.schedule.max_lr, 0);
  EXPECT_FALSE(scheduled[3].train.schedule.milestones.empty());
  EXPECT_EQ(arms({"dropout=0,0.5"})[1].train.model.dropout, 0.5);
  EXPECT_EQ(arms({"learning_rate=1e-3,1e-2"})[1].train.optimizer.lr, 1e-2);
  EXPECT_EQ(arms({"batch-size=10,50"})[1].train.batch_size, 50);
  EXPECT_EQ(arms({"split_by=image,group"})[1].name, "split_by=group");
  EXPECT_EQ(arms({"loss=bce,cross-entropy"})[1].train.loss.kind, LossKind::cross_entropy);
}

// A kind and a key of it, in either order, are one table; what a kind needs is added only where it
// is not given.
TEST(Template, VaryOfAKindAndOfItsKeysGivesTheGrid) {
  for (const bool kind_first : {true, false}) {
    std::vector<std::string> vary = {"scheduler=one_cycle", "max_lr=0.01,0.002"};
    if (!kind_first) std::swap(vary[0], vary[1]);
    const auto arms = parse_study_text(study_template({}, "study", vary), "x.toml").arms;
    ASSERT_EQ(arms.size(), 2U);
    EXPECT_EQ(arms[0].train.schedule.kind, ScheduleKind::one_cycle);
    EXPECT_EQ(arms[1].train.schedule.max_lr, 0.002);
  }
}

// What is shown in a comment is valid once the comment sign is removed.
TEST(Template, CommentedKeysAreValid) {
  DataFacts facts;
  std::string text = study_template(facts, "study", {});
  for (const char* key : {"size = ", "channels = ", "group = ", "positive = ", "[[arm]]",
                          "name = ", "scheduler = {", "reported = "}) {
    const std::size_t at = text.find(std::string("\n# ") + key);
    if (at != std::string::npos) text.erase(at + 1, 2);
  }
  EXPECT_EQ(parse_study_text(text, "x.toml").arms.size(), 2U) << text;
}

TEST(Template, VaryThatNoStudyWouldTakeIsNamed) {
  const auto message = [](const std::string& option) {
    try {
      study_template({}, "study", {option});
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(message("scheduler=CosineAnnealingLR").find("\"CosineAnnealingLR\": expected"),
            std::string::npos);
  EXPECT_NE(message("seeds=5,10").find("seeds stands in [study]"), std::string::npos);
  EXPECT_NE(message("optimizer.momentum=0.5,0.9").find("does not belong"), std::string::npos);
  EXPECT_NE(message("batch=1,2").find("--vary batch=1,2"), std::string::npos);
}

}  // namespace
}  // namespace bioptic
