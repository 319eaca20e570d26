#include "bioptic/study/bounded_group.h"

#include "bioptic/data/group_search.h"

namespace bioptic {

void require_bounded_group(const StudySpec& study, const Store* store) {
  if (store != nullptr && store->study(study.name)) return;
  const GroupSearch search(study.data.group, "group =");  // what is no expression is told as such
  require_bounded(study.data.group, study.file.string() + ": [data] group =");
}

}  // namespace bioptic
