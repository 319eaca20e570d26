// Checksums of a store's rows: damage that leaves a database whole and changes a number in it.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "bioptic/base/sha256.h"

namespace bioptic {

// What one checksum covers: all rows that its queries give for one id, a study's name or a trial's.
enum class Part { study, images, places, trial, predictions };

struct PartQueries {
  const char* name;   // in the table of checksums
  const char* words;  // "the images of study", for a person
  // Each takes the id.  All columns that a report is made from, in the order in which they are read
  // and hashed.
  std::vector<const char*> queries;
};

const PartQueries& queries_of(Part part);
inline constexpr std::array kParts = {Part::study, Part::images, Part::places, Part::trial,
                                      Part::predictions};

// SHA-256 over rows, each column with its type, so that no two rows have the same bytes.
class RowHash {
 public:
  // The statement's present row.
  void add(SQLite::Statement& row);
  std::string hex() { return hash_.hex(); }

 private:
  Sha256 hash_;
};

// Over the rows as they are in the database now.
std::string checksum_of(SQLite::Database& db, Part part, const std::string& id);

}  // namespace bioptic
