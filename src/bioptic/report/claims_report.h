// Verdicts and steadiness for people: terminal, report.html, table.
#pragma once

#include <string>

#include "bioptic/study/summary.h"

namespace bioptic {

// One paragraph per claim for the terminal, wrapped to 100 columns; "" without claims.
std::string claims_text(const StudySummary& summary);

// The section on verdicts, with its heading, and its style sheet; "" without claims.
std::string claims_html(const StudySummary& summary);
const char* claims_css();

// The section on how steady the curves are: the two primary indices per arm with intervals.
std::string steadiness_html(const StudySummary& summary);

// tables/indices.csv: arm, split, metric, index, first_epoch, last_epoch, seed, value; every seed.
std::string indices_csv(const StudySummary& summary);

}  // namespace bioptic
