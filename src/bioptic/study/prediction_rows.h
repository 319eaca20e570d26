// Rows of a CSV file of predictions, by column.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bioptic {

// One row with its cells read as cell.h says.  Numbers that are missing are NaN.
struct PredictionRow {
  std::string arm;
  bool arm_of_file = false;  // the file's name, as it has no such column
  std::string split;         // see split_of
  std::string image, group;  // see name_in
  bool no_group = false;     // the file has the column, and names none here
  std::string label;         // whole numbers in their shortest form: "2.0" is "2"
  std::int64_t seed = 0;
  std::vector<double> scores;  // one, or one per class in the file's order
  std::vector<double> logits;  // as scores; empty where the file has no such column
  std::optional<double> threshold;
  std::string positive;  // "" where the file has no such column
  std::size_t line = 0;  // of the file, from 1
};

struct PredictionFile {
  std::vector<std::string> classes;  // of score_<class> columns, in order; empty with `score`
  bool has_split = false, has_logits = false;
  std::vector<std::string> notes;  // what was recognised, see CsvTable
};

// Reads the header, calls `header`, then `row` for every row, which may change it.  Throws
// InputError "FILE:LINE: ...".
void read_prediction_rows(const std::filesystem::path& file,
                          const std::function<void(const PredictionFile&)>& header,
                          const std::function<void(PredictionRow&)>& row);

// A label in its shortest form, see PredictionRow.
std::string label_text(std::string_view text);
// "train", "val" or "test" for all their names ("Testing"), else the name itself.
std::string split_of(std::string_view text);

}  // namespace bioptic
