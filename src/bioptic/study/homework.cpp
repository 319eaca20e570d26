#include "bioptic/study/homework.h"

#include <array>

namespace bioptic {
namespace {

// Made by study/CMakeLists.txt from the files in studies/: rows of { name, text }.
constexpr auto kStudies = std::to_array<HomeworkStudy>({
#include "homework_studies.inc"
});

}  // namespace

std::span<const HomeworkStudy> homework_studies() { return kStudies; }

}  // namespace bioptic
