// Whether a study's search for patients ends in time.
#pragma once

#include "bioptic/store/store.h"
#include "bioptic/study/spec.h"

namespace bioptic {

// Throws InputError where the expression of [data] group is one that a search may take for ever
// with (require_bounded), before it is searched with.  A study that the store knows goes on: it was
// begun when these were taken.  store: null = no store yet.
void require_bounded_group(const StudySpec& study, const Store* store);

}  // namespace bioptic
