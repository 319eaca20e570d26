#include "bioptic/study/homework.h"

#include <array>
#include <stdexcept>

namespace bioptic {
namespace {

// Made by study/CMakeLists.txt from the files in studies/: rows of { name, text }.
constexpr auto kStudies = std::to_array<HomeworkStudy>({
#include "homework_studies.inc"
});

// The number of a line "key = number" of its own; a comment behind it stays.
void set_number(std::string& text, const std::string& key, int value) {
  const std::string line = "\n" + key + " = ";
  const std::size_t at = text.find(line);
  if (at == std::string::npos) throw std::logic_error("no " + key + " in a study of the homework");
  const std::size_t from = at + line.size();
  text.replace(from, text.find_first_not_of("0123456789", from) - from, std::to_string(value));
}

}  // namespace

std::string homework_text(const HomeworkStudy& study, int size, int seeds) {
  std::string text(study.text);
  set_number(text, "size", size);
  set_number(text, "seeds", seeds);
  return text;
}

std::span<const HomeworkStudy> homework_studies() { return kStudies; }

}  // namespace bioptic
