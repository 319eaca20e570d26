#include "bioptic/study/homework.h"

#include <gtest/gtest.h>

#include <string>

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

}  // namespace
}  // namespace bioptic
