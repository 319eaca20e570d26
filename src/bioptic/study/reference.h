// The reference part of docs/study-file.md, made from the tables of keys.
#pragma once

#include <string>

namespace bioptic {

// Markdown: one table of keys per section and per table inside a section.
std::string study_file_reference();

}  // namespace bioptic
