#include "bioptic/study/prediction_rows.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/base/utf8.h"
#include "bioptic/data/cell.h"
#include "bioptic/data/csv_table.h"

namespace bioptic {
namespace {

using Column = std::optional<std::size_t>;

// Which field holds what.
struct Columns {
  std::size_t image = 0, label = 0, seed = 0;
  Column arm, split, group, threshold, positive;
  std::vector<std::size_t> scores, logits;
};

std::size_t required(const CsvTable& table, std::string_view name) {
  if (const Column column = table.column(name)) return *column;
  const std::vector<std::string>& header = table.header();
  const std::vector<std::string_view> names(header.begin(), header.end());
  const std::string_view near = nearest(name, names);
  std::string hint;
  if (!near.empty()) {
    hint = fmt::format("; did you mean '{}'?", as_utf8(near));
  } else if (header.size() == 1 && header[0].find_first_of(";\t") != std::string::npos) {
    hint = "; fields must be separated by commas";
  } else {
    hint = fmt::format("; it has {}", as_utf8(fmt::format("{}", fmt::join(header, ", "))));
  }
  throw InputError(fmt::format(
      "{}: there is no column '{}'{}; expected: image, label, seed, score (or one score_<class> a "
      "class) and, as needed, arm, split, group, logit",
      table.name(), name, hint));
}

std::vector<std::string> classes_of(const CsvTable& table) {
  constexpr std::string_view kPrefix = "score_";
  std::vector<std::string> classes;
  for (const std::string& name : table.header()) {
    if (!name.starts_with(kPrefix) || name.size() == kPrefix.size()) continue;
    if (!is_utf8(name)) {
      throw InputError(fmt::format("{}: the column '{}' is not UTF-8; {}", table.name(),
                                   as_utf8(name), not_utf8_remedy(table.name())));
    }
    classes.push_back(name.substr(kPrefix.size()));
  }
  return classes;
}

Columns columns_of(const CsvTable& table, std::vector<std::string>& classes) {
  const std::string& where = table.name();
  Columns columns;
  columns.image = required(table, "image");
  columns.label = required(table, "label");
  columns.seed = required(table, "seed");
  columns.arm = table.column("arm");
  columns.split = table.column("split");
  columns.group = table.column("group");
  columns.threshold = table.column("threshold");
  columns.positive = table.column("positive");
  classes = classes_of(table);
  const Column score = table.column("score");
  if (score && !classes.empty()) {
    throw InputError(
        where +
        ": there are a column 'score' and columns 'score_<class>'; expected one or the "
        "other");
  }
  if (classes.size() == 1) {
    throw InputError(
        fmt::format("{}: one class has a column, 'score_{}'; expected a column for every class",
                    where, classes[0]));
  }
  if (classes.empty()) {
    columns.scores.push_back(required(table, "score"));
    if (const Column logit = table.column("logit")) columns.logits.push_back(*logit);
    return columns;
  }
  for (const std::string& name : classes) {
    columns.scores.push_back(*table.column("score_" + name));
    if (const Column logit = table.column("logit_" + name)) columns.logits.push_back(*logit);
  }
  if (columns.logits.size() != classes.size()) columns.logits.clear();
  return columns;
}

// Reads the fields of one row.
class RowReader {
 public:
  RowReader(const CsvTable& table, Columns columns, std::string arm)
      : table_(table), columns_(std::move(columns)), arm_(std::move(arm)) {}

  void read(PredictionRow& row) const {
    row.line = table_.line();
    row.arm_of_file = !columns_.arm;
    row.arm = columns_.arm ? trimmed(table_.text(*columns_.arm)) : arm_;
    row.image = name_in(table_.text(columns_.image));
    row.group = columns_.group ? name_in(table_.text(*columns_.group)) : "";
    row.no_group = columns_.group && is_missing(row.group);
    if (row.no_group) row.group.clear();
    row.label = label_text(table_.text(columns_.label));
    row.positive = columns_.positive ? label_text(table_.text(*columns_.positive)) : "";
    if (is_missing(row.positive)) row.positive.clear();
    if (row.image.empty()) table_.fail("image is empty");
    if (row.arm.empty()) table_.fail("arm is empty");
    row.split = columns_.split ? split_in(table_.text(*columns_.split)) : "test";
    row.seed = seed();
    row.scores.clear();
    row.logits.clear();
    for (const std::size_t c : columns_.scores) row.scores.push_back(number(c));
    for (const std::size_t c : columns_.logits) row.logits.push_back(number(c));
    row.threshold.reset();
    if (columns_.threshold) {
      row.threshold = number(*columns_.threshold);
      if (!std::isfinite(*row.threshold)) {
        table_.fail(fmt::format("threshold is '{}'; expected a finite number",
                                trimmed(table_.text(*columns_.threshold))));
      }
    }
  }

 private:
  std::string split_in(const std::string& cell) const {
    if (is_missing(cell)) {
      table_.fail("split is empty (or NA); expected train, val, test or another name");
    }
    return split_of(cell);
  }

  std::int64_t seed() const {
    const std::string& cell = table_.text(columns_.seed);
    const std::optional<std::int64_t> seed = whole_number_in(cell);
    if (!seed) {
      table_.fail(fmt::format("seed is '{}'; expected a whole number", trimmed(cell)));
    }
    return *seed;
  }

  double number(std::size_t column) const {
    const std::string& text = table_.text(column);
    const std::optional<double> value = number_in(text, table_.decimal_comma());
    if (!value) {
      const std::string& name = table_.header()[column];
      const bool comma = number_in(text, true).has_value();
      table_.fail(fmt::format("{} is '{}'; expected a number{}", name, text,
                              comma ? " with a point"
                              : name.starts_with("score")
                                  ? " (of predicted labels: 1 for the positive one, else 0)"
                                  : ""));
    }
    return *value;
  }

  const CsvTable& table_;
  Columns columns_;
  std::string arm_;
};

// At a row whose label is missing; counts the rest.
[[noreturn]] void refuse_unlabelled(CsvTable& table, std::size_t column) {
  const std::size_t line = table.line();
  const std::string label(trimmed(table.text(column)));
  std::size_t count = 1, rows = 0;
  for (; table.next(); ++rows) count += is_missing(table.text(column)) ? 1U : 0U;
  throw InputError(fmt::format(
      "{}:{}: label is {}{}; give every row its label, or leave these out{}", table.name(), line,
      label.empty() ? "empty" : "'" + label + "', which stands for a missing one",
      count > 1 ? fmt::format(", and so in {} of the {} rows from there on", count, rows + 1) : "",
      label.empty() ? "" : ". Where it names a class, call that otherwise, such as 'no finding'"));
}

}  // namespace

std::string split_of(std::string_view text) {
  const std::string_view known = split_named(text);
  return std::string(known.empty() ? trimmed(text) : known);
}

std::string label_text(std::string_view text) {
  const std::string_view label = trimmed(text);
  const std::optional<std::int64_t> number = whole_number_in(label);
  return number ? std::to_string(*number) : std::string(label);
}

void read_prediction_rows(const std::filesystem::path& file,
                          const std::function<void(const PredictionFile&)>& header,
                          const std::function<void(PredictionRow&)>& row) {
  if (std::filesystem::is_directory(file)) {
    const std::filesystem::path table = file / "tables" / "predictions.csv";
    throw InputError(file.string() + ": is a folder; expected a CSV file" +
                     (std::filesystem::exists(table) ? ", such as " + table.string() : ""));
  }
  constexpr std::array<std::string_view, 3> kNeeded = {"image", "label", "seed"};
  CsvTable table(file, kNeeded);
  if (table.header().empty()) {
    throw InputError(table.name() + ": the file is empty; expected a header and rows");
  }
  PredictionFile info;
  const Columns columns = columns_of(table, info.classes);
  info.has_split = columns.split.has_value();
  info.has_logits = !columns.logits.empty();
  info.notes = table.notes();
  header(info);
  const RowReader reader(table, columns, as_utf8(file.stem().string()));
  PredictionRow out;
  bool any = false;
  while (table.next()) {
    if (is_missing(table.text(columns.label))) refuse_unlabelled(table, columns.label);
    reader.read(out);
    row(out);
    any = true;
  }
  if (!any) throw InputError(table.name() + ": there is a header and no row");
}

}  // namespace bioptic
