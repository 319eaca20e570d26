// An audit as JSON text and back, for reports, scripts and the audits that are kept.
#pragma once

#include <string>

#include "bioptic/data/audit.h"

namespace bioptic {

// {"images": N, "found": bool, "checks": [{"id", "title", "state", "said", "examples"}, ...]}; the
// pairs of near duplicates are left out.
std::string audit_json(const Audit& audit);
// Throws InputError for any other text.
Audit audit_from_json(const std::string& text);

}  // namespace bioptic
