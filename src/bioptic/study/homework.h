// The homework: the shipped studies of loss, batch size and scheduler, and that of the gap, which has
// the last of the report's eleven statements; kept in the program.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace bioptic {

struct HomeworkStudy {
  std::string_view name;  // "loss": the study's name and its file's, without .toml
  std::string_view text;  // studies/<name>.toml as it was when the program was built
};

// In the order in which they are run.
std::span<const HomeworkStudy> homework_studies();

// The study's text with images of size x size pixels and so many seeds.
std::string homework_text(const HomeworkStudy& study, int size, int seeds);

}  // namespace bioptic
