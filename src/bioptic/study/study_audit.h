// The audit of a study's data (data/audit.h), as every report shows it.
#pragma once

#include <filesystem>
#include <optional>

#include "bioptic/data/audit.h"
#include "bioptic/study/summary.h"

namespace bioptic {

// The checks on the images as they are trained on, grouped and split as seed 0 does.  Made once for
// a dataset with these splits and kept in <out>/.audit-*.json; where none is kept and `images` is
// null, nothing.  It takes little time whatever the dataset's size: above some 200 MB of pixels
// what is measured is measured in a random sample, and above kStudyNearImages near duplicates are
// not looked for; both are said in the checks.
std::optional<Audit> study_audit(const StudySummary& summary, const Dataset* images,
                                 const std::filesystem::path& out, int threads);

inline constexpr std::size_t kStudyNearImages = 1000;

}  // namespace bioptic
