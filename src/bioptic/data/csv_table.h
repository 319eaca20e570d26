// A table with a header line, as other people's programs write it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bioptic/base/files.h"

namespace bioptic {

// CSV in UTF-8, or in UTF-16 with a byte order mark (Excel's "Unicode text"); lines end in \n, \r\n
// or \r; fields are separated by the first of , ; tab | under which the header line names the
// needed columns (a line "sep=;" before it may say so, too).  Lines without a letter and spare
// empty fields at the end of a row do not count.  Read row by row, as often as wanted, so that none
// is kept.
class CsvTable {
 public:
  // Throws InputError for a file that cannot be read or holds zero bytes.
  CsvTable(const std::filesystem::path& file, std::span<const std::string_view> needed);

  // Without white space around them; empty where the file has no line.
  const std::vector<std::string>& header() const { return header_; }
  // The column of that name, else the only one of it in another case.  Throws InputError where two
  // have it.
  std::optional<std::size_t> column(std::string_view name) const;

  // Goes to the next row; false after the last.  Throws InputError FILE:LINE where it has not as
  // many fields as the header line.
  bool next();
  // Before the first row, again.
  void rewind();

  std::size_t line() const { return row_line_; }  // where the row begins, from 1
  // A field of the row.  Throws InputError where it is not UTF-8, with the remedy.
  const std::string& text(std::size_t column) const;
  // As it stands there: the name of a file, which may be any bytes.
  const std::string& bytes(std::size_t column) const { return fields_[column]; }
  [[noreturn]] void fail(const std::string& why) const;  // InputError "FILE:LINE: why"

  const std::string& name() const { return name_; }
  // Where fields are separated by semicolons, a comma is a decimal comma, as in R's read.csv2.
  bool decimal_comma() const { return separator_ == ';'; }
  // What was recognised that a person may want to know, as sentences.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  void decode();
  std::vector<std::string> record();
  void find_header(std::span<const std::string_view> needed);

  std::string name_;
  MappedFile map_;
  std::string decoded_;  // where the file is not in UTF-8
  std::string_view text_;
  bool utf8_ = true;
  char separator_ = ',';
  std::size_t at_ = 0, line_ = 1, row_line_ = 1;
  std::size_t first_at_ = 0, first_line_ = 1;  // of the rows
  std::vector<std::string> header_, fields_, notes_;
};

// What to do with a table that is not in UTF-8: "if it is in Latin-1 (...), convert it: ...".
std::string not_utf8_remedy(const std::string& file);

}  // namespace bioptic
