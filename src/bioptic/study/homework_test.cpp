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
  EXPECT_EQ(names, "loss batch_size scheduler ");
}

}  // namespace
}  // namespace bioptic
