// Tables, figures and report.html of one study: pure functions from StudySummary to files.
#pragma once

#include <filesystem>
#include <string>

#include "bioptic/study/summary.h"

namespace bioptic {

// Writes summary.json, tables/, figures/ and report.html into `folder` (<out>/<study>), each file
// by a temporary name and a rename.  Figures are drawn by gnuplot; without it, or when it fails,
// the report says so and everything else is still written (returned as notes). `dataset`: for the
// montage and the most wrong images; null leaves those out and says so.
struct ReportOutcome {
  std::filesystem::path html;
  std::vector<std::string> notes;
};
ReportOutcome write_report(const StudySummary& summary, const Dataset* dataset,
                           const std::filesystem::path& folder);

// The table of arms for the terminal: mean, sd, interval, seeds, collapsed, reported.
std::string arms_table_text(const StudySummary& summary);

// summary.json's content.
std::string summary_json(const StudySummary& summary);

}  // namespace bioptic
