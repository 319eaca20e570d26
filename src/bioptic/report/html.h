// report.html: one self-contained file.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "bioptic/report/gnuplot.h"
#include "bioptic/study/summary.h"

namespace bioptic {

// `figures` that exist as files in `folder` are put in (SVG, those with pixels as PNG).  `notes`:
// what could not be made.
std::string report_html(const StudySummary& summary, const std::vector<Figure>& figures,
                        const std::filesystem::path& folder, const std::vector<std::string>& notes);

// Whether a file is a report that report_html() made, in this version or one before.
bool is_report_html(std::string_view html);

}  // namespace bioptic
