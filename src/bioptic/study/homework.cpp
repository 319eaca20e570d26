#include "bioptic/study/homework.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>
#include <stdexcept>

#include "bioptic/base/counted.h"
#include "bioptic/base/error.h"
#include "bioptic/study/spec.h"

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

// From "[data]" to the blank line that ends the section.
void set_data_section(std::string& text, const std::string& section) {
  const std::size_t begin = text.find("\n[data]\n");
  const std::size_t end = begin == std::string::npos ? begin : text.find("\n\n", begin);
  if (end == std::string::npos) throw std::logic_error("no [data] in a study of the homework");
  text.replace(begin + 1, end - begin, section);
}

// Lines that tell how the shipped file is run, and on what, are not true of the new one.
void set_usage(std::string& text, std::string_view name) {
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#   bioptic ") && line.find("--data") != std::string::npos) continue;
    const std::size_t folder = line.find("studies/");
    if (line.starts_with("#   bioptic ") && folder != std::string::npos) {
      line = fmt::format("{}{}.toml", line.substr(0, folder), name);
    }
    out += line + "\n";
  }
  text = out;
}

// "reported = { ... }", and the figure that it was read from, become comments.
void comment_out_reported(std::string& text) {
  constexpr std::string_view kLine = "\nreported";
  for (std::size_t at = text.find(kLine); at != std::string::npos; at = text.find(kLine, at)) {
    text.insert(at + 1, "# ");
  }
}

}  // namespace

bool are_homework_classes(const std::vector<std::string>& classes) {
  std::vector<std::string> names = classes;
  for (std::string& name : names) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  }
  std::sort(names.begin(), names.end());
  return names == std::vector<std::string>{"normal", "pneumonia"};
}

std::string homework_text(const HomeworkStudy& study, const DataFacts& facts, int seeds) {
  if (!facts.classes.empty() && facts.classes.size() != 2) {
    throw InputError(fmt::format(
        "the homework compares binary cross-entropy (bce) with cross-entropy, which takes two "
        "classes; the data have {}: {}. For more classes: bioptic init DATA --vary "
        "batch_size=10,50,100, which writes a study with cross_entropy",
        counted(facts.classes.size(), "class"), fmt::join(facts.classes, ", ")));
  }
  std::string text(study.text);
  set_number(text, "seeds", seeds);
  DataFacts own = facts;
  own.by_image = true;
  set_data_section(text, data_section(own));
  set_usage(text, study.name);
  if (!are_homework_classes(facts.classes)) comment_out_reported(text);
  parse_study_text(text, std::string(study.name) + ".toml");
  return text;
}

std::string homework_text(const HomeworkStudy& study, int size, int seeds) {
  std::string text(study.text);
  set_number(text, "size", size);
  set_number(text, "seeds", seeds);
  return text;
}

std::span<const HomeworkStudy> homework_studies() { return kStudies; }

}  // namespace bioptic
