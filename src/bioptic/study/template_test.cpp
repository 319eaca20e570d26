#include "bioptic/study/template.h"

#include <gtest/gtest.h>

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
  EXPECT_NE(message("scheduler=cosine,one_cycle").find("needs max_lr"), std::string::npos);
  EXPECT_NE(message("optimizer.momentum=0.5,0.9").find("does not belong"), std::string::npos);
  EXPECT_NE(message("batch=1,2").find("--vary batch=1,2"), std::string::npos);
}

}  // namespace
}  // namespace bioptic
