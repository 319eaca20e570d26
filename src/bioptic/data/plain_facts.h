// What a dataset says of where it comes from, for people.
#pragma once

#include <string>
#include <vector>

namespace bioptic {

// The lines of a JSON object's text (DatasetInfo::provenance, ::preprocessing): "kind: class
// folders", "width: 100 to 300", and each loss as its sentence.  What is no object is one line as
// it is; none for "{}".
std::vector<std::string> plain_facts(const std::string& json);

}  // namespace bioptic
