#include "bioptic/study/homework.h"

#include <gtest/gtest.h>

#include <string>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/study/spec.h"

namespace bioptic {
namespace {

TEST(Homework, IsTheShippedStudiesWordForWord) {
  std::string names;
  for (const HomeworkStudy& study : homework_studies()) {
    names += std::string(study.name) + " ";
    const std::string file = std::string(study.name) + ".toml";
    EXPECT_EQ(study.text, read_file("studies/" + file)) << file;
    EXPECT_EQ(parse_study_text(std::string(study.text), file).name, study.name);
  }
  EXPECT_EQ(names, "loss batch_size scheduler gap ");
}

TEST(Homework, ChangesTheSizeAndTheSeedsAndNothingElse) {
  for (const HomeworkStudy& study : homework_studies()) {
    const StudySpec before = parse_study_text(std::string(study.text), "a.toml");
    const StudySpec after = parse_study_text(homework_text(study, 64, 10), "a.toml");
    EXPECT_EQ(after.data.size, 64);
    EXPECT_EQ(after.seeds.count, 10);
    EXPECT_EQ(after.arms.size(), before.arms.size());
    EXPECT_EQ(homework_text(study, *before.data.size, before.seeds.count), study.text);
  }
}

DataFacts own_data() {
  DataFacts facts;
  facts.source = "../images";
  facts.size = 28;
  facts.channels = 3;
  facts.classes = {"healthy", "ill"};
  return facts;
}

// [data] is that of the new data; arms, claims and [train] are those of the shipped study.
TEST(Homework, OtherDataChangeTheirOwnSectionAlone) {
  for (const HomeworkStudy& study : homework_studies()) {
    const std::string file = std::string(study.name) + ".toml";
    const std::string text = homework_text(study, own_data(), 10);
    const StudySpec before = parse_study_text(std::string(study.text), file);
    const StudySpec after = parse_study_text(text, file);
    EXPECT_EQ(after.data.source, "../images");
    EXPECT_EQ(after.data.size, 28);
    EXPECT_EQ(after.data.positive, "ill");
    EXPECT_EQ(after.data.split.split_by, SplitBy::image);
    EXPECT_EQ(after.seeds.count, 10);
    EXPECT_EQ(after.margin, before.margin);
    EXPECT_EQ(after.claims.size(), before.claims.size());
    ASSERT_EQ(after.arms.size(), before.arms.size());
    for (std::size_t i = 0; i < after.arms.size(); ++i) {
      EXPECT_EQ(after.arms[i].name, before.arms[i].name);
      EXPECT_TRUE(after.arms[i].reported.empty()) << "what was said of other images";
    }
    EXPECT_EQ(text.find("studies/"), std::string::npos) << text;
    EXPECT_EQ(text.find("phantom = "), std::string::npos) << text;
  }
}

TEST(Homework, WhatTheReportSaidStaysBesideItsOwnClasses) {
  DataFacts facts = own_data();
  facts.classes = {"Normal", "Pneumonia"};
  const StudySpec study =
      parse_study_text(homework_text(homework_studies()[1], facts, 10), "batch_size.toml");
  EXPECT_EQ(study.arms[0].reported.at("test_accuracy"), 0.73);
  EXPECT_EQ(study.data.positive, "Pneumonia");
}

TEST(Homework, NeedsTwoClasses) {
  DataFacts facts = own_data();
  facts.classes.emplace_back("worse");
  try {
    homework_text(homework_studies()[0], facts, 10);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("3 classes: healthy, ill, worse"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace bioptic
