// Whether everything in an output folder still is what was written.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace bioptic {

// What was looked at and what was found of it.
struct Verification {
  enum class State { whole, damaged, unknown };
  State state = State::whole;  // unknown: there is nothing to hold it against
  std::string what;            // "store", "model", "dataset"
  std::string where;           // path
  std::string said;            // a sentence for a person
};

// Holds against their checksums: the rows of the store, the weights (which must be finite, too)
// and metadata of every model below `out`, and the datasets of the studies.  Changes nothing.
// Throws InputError when `out` holds no store, Failure or std::filesystem::filesystem_error where
// the system keeps it from looking.
std::vector<Verification> verify_run(const std::filesystem::path& out);

}  // namespace bioptic
