// What the audit of a study's data found, in a line and in full.
#pragma once

#include <string>

#include "bioptic/data/audit.h"

namespace bioptic {

// "2 of 12 checks found something: patients on both sides of a split (...); ...  Not done: ..."
std::string audit_line(const Audit& audit);
std::string audit_html(const Audit& audit);

}  // namespace bioptic
