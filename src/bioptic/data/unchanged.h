// Whether a dataset's files are still those that were opened.
#pragma once

#include <cstdint>
#include <vector>

#include "bioptic/data/dataset.h"

namespace bioptic {

// Made when the dataset was opened and held to its content hash; asked before what was made from
// the pixels is kept.
class UnchangedDataset {
 public:
  explicit UnchangedDataset(const Dataset& dataset);

  // Throws Failure naming the file that was written to since.  The size and the time of change
  // tell; where they differ the content hash decides, so that a touched file is no fault.  A file
  // put in the place of the old one is none either: the map holds the old one.  (One that is cut
  // off ends the process, see base/mapped_fault.h.)
  void require() const;

 private:
  struct Stamp {
    std::uint64_t inode = 0;
    std::int64_t bytes = 0, seconds = 0, nanoseconds = 0;  // the time of its last change
    bool operator==(const Stamp&) const = default;
  };
  static Stamp stamp_of(const std::filesystem::path& file);  // all zero where there is none

  Dataset dataset_;
  std::vector<Stamp> stamps_;
};

}  // namespace bioptic
