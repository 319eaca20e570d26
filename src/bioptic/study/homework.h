// The homework: the shipped studies of loss, batch size and scheduler, and that of the gap, which
// has the last of the report's eleven statements; kept in the program.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bioptic/study/template.h"

namespace bioptic {

inline constexpr int kHomeworkSeeds = 10;  // with five, a claim about a shape cannot be decided

struct HomeworkStudy {
  std::string_view name;  // "loss": the study's name and its file's, without .toml
  std::string_view text;  // studies/<name>.toml as it was when the program was built
};

// In the order in which they are run.
std::span<const HomeworkStudy> homework_studies();

// The study's text with images of size x size pixels and so many seeds.
std::string homework_text(const HomeworkStudy& study, int size, int seeds);

// The study's text for other data: its [data] section is theirs, validation is drawn by image as in
// the report, and what the report said (`reported`) stays where the classes are its own, normal and
// pneumonia; else it is put in a comment.  parse_study takes the result.  Throws InputError where
// the data have not two classes, which the studies' losses need.
std::string homework_text(const HomeworkStudy& study, const DataFacts& facts, int seeds);

// Whether the classes are those of the report, in any case.
bool are_homework_classes(const std::vector<std::string>& classes);

}  // namespace bioptic
