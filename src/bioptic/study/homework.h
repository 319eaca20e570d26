// The homework: the shipped studies of loss, batch size and scheduler, kept in the program.
#pragma once

#include <span>
#include <string_view>

namespace bioptic {

struct HomeworkStudy {
  std::string_view name;  // "loss": the study's name and its file's, without .toml
  std::string_view text;  // studies/<name>.toml as it was when the program was built
};

// In the order in which they are run.
std::span<const HomeworkStudy> homework_studies();

}  // namespace bioptic
