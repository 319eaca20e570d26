// index.html: several studies on one page.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bioptic/report/overview.h"

namespace bioptic {

// The page; reports are linked as NAME/report.html.
std::string overview_html(std::span<const StudyOverview> studies);

// What write_report() put beside the reports of the studies called `names` in `out`, in the order
// of the report that they repeat, then as given.  Left out: what has none yet, or none that can be
// read.
std::vector<StudyOverview> read_overviews(const std::filesystem::path& out,
                                          std::span<const std::string> names);

// Writes out/index.html where two or more studies have a report.  An index.html that no version of
// this program made is left alone.  Returns its path, or nothing where none was written.
std::optional<std::filesystem::path> write_overview(const std::filesystem::path& out,
                                                    std::span<const std::string> names);

}  // namespace bioptic
