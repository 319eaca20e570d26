// What stands where a command is about to write.
#pragma once

#include <filesystem>
#include <initializer_list>

namespace bioptic {

// Throws InputError, which names --force, where one of them exists and `force` is not given.
void refuse_to_overwrite(std::initializer_list<std::filesystem::path> files, bool force);

// The same for STEM.svg, STEM.png and STEM.pdf.
void refuse_to_overwrite_figure(const std::filesystem::path& stem, bool force);

// The same for report.html in `folder`, unless it is one of this program.  Tables and figures
// without one are what a report that was stopped left behind.
void refuse_to_overwrite_report(const std::filesystem::path& folder, bool force);

}  // namespace bioptic
