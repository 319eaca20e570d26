// A study's outcome in a few lines of a terminal.
#pragma once

#include <string>

#include "bioptic/report/overview.h"

namespace bioptic {

// The plain answer, then a line or two for each claim: mark, verdict, number.  80 columns, no new
// line at the end.
std::string overview_text(const StudyOverview& study);

}  // namespace bioptic
