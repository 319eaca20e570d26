#include "bioptic/study/prediction_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/data/csv.h"

namespace bioptic {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

std::optional<double> number_of(std::string_view text) {
  text = trimmed(text);
  if (text.empty() || text == "NA" || text == "null" || text == "None") return kNan;
  if (text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  // A number too small or too large for a double is 0 or infinite, not an error.
  if (error == std::errc::result_out_of_range) {
    return text.find("e-") != std::string_view::npos || text.find("E-") != std::string_view::npos
               ? 0.0
               : (text.front() == '-' ? -1 : 1) * std::numeric_limits<double>::infinity();
  }
  if (error != std::errc()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  if (rest.empty()) return value;
  // "2.0", as pandas writes whole numbers of a column with gaps.
  if (rest.front() != '.' || rest.find_first_not_of('0', 1) != std::string_view::npos) {
    return std::nullopt;
  }
  return value;
}

// Which field holds what; -1: the file has no such column.
struct Columns {
  int arm = -1, seed = -1, split = -1, image = -1, group = -1, label = -1;
  int threshold = -1, positive = -1;
  std::vector<int> scores, logits;
};

int column_of(const std::vector<std::string>& header, std::string_view name,
              const std::string& where) {
  int found = -1;
  for (std::size_t c = 0; c < header.size(); ++c) {
    if (header[c] != name) continue;
    if (found >= 0) throw InputError(fmt::format("{}: two columns are called '{}'", where, name));
    found = static_cast<int>(c);
  }
  return found;
}

int required(const std::vector<std::string>& header, std::string_view name,
             const std::string& where) {
  const int column = column_of(header, name, where);
  if (column >= 0) return column;
  const std::vector<std::string_view> names(header.begin(), header.end());
  const std::string_view near = nearest(name, names);
  std::string hint;
  if (!near.empty()) {
    hint = fmt::format("; did you mean '{}'?", near);
  } else if (header.size() == 1 && header[0].find_first_of(";\t") != std::string::npos) {
    hint = "; fields must be separated by commas";
  } else {
    hint = fmt::format("; it has {}", fmt::join(header, ", "));
  }
  throw InputError(fmt::format(
      "{}: there is no column '{}'{}; expected: image, label, seed, score (or one score_<class> a "
      "class) and, as needed, arm, split, group, logit",
      where, name, hint));
}

std::vector<std::string> classes_of(const std::vector<std::string>& header) {
  constexpr std::string_view kPrefix = "score_";
  std::vector<std::string> classes;
  for (const std::string& name : header) {
    if (name.starts_with(kPrefix) && name.size() > kPrefix.size()) {
      classes.push_back(name.substr(kPrefix.size()));
    }
  }
  return classes;
}

Columns columns_of(const std::vector<std::string>& header, std::vector<std::string>& classes,
                   const std::string& where) {
  Columns columns;
  columns.image = required(header, "image", where);
  columns.label = required(header, "label", where);
  columns.seed = required(header, "seed", where);
  columns.arm = column_of(header, "arm", where);
  columns.split = column_of(header, "split", where);
  columns.group = column_of(header, "group", where);
  columns.threshold = column_of(header, "threshold", where);
  columns.positive = column_of(header, "positive", where);
  classes = classes_of(header);
  const int score = column_of(header, "score", where);
  if (score >= 0 && !classes.empty()) {
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
    columns.scores.push_back(required(header, "score", where));
    const int logit = column_of(header, "logit", where);
    if (logit >= 0) columns.logits.push_back(logit);
    return columns;
  }
  for (const std::string& name : classes) {
    columns.scores.push_back(column_of(header, "score_" + name, where));
    const int logit = column_of(header, "logit_" + name, where);
    if (logit >= 0) columns.logits.push_back(logit);
  }
  if (columns.logits.size() != classes.size()) columns.logits.clear();
  return columns;
}

// Reads the fields of one record.
class RowReader {
 public:
  RowReader(const std::vector<std::string>& header, Columns columns, std::string arm)
      : header_(header), columns_(std::move(columns)), arm_(std::move(arm)) {}

  void read(const std::vector<std::string>& fields, const std::string& where, PredictionRow& row) {
    const auto text = [&](int column) -> std::string_view {
      return column < 0 ? std::string_view() : trimmed(fields[static_cast<std::size_t>(column)]);
    };
    row.arm = columns_.arm < 0 ? arm_ : text(columns_.arm);
    row.split = columns_.split < 0 ? "test" : text(columns_.split);
    row.image = text(columns_.image);
    row.group = text(columns_.group);
    row.label = label_text(text(columns_.label));
    row.positive = label_text(text(columns_.positive));
    if (row.image.empty()) throw InputError(where + ": image is empty");
    if (row.arm.empty()) throw InputError(where + ": arm is empty");
    if (row.label.empty()) throw InputError(where + ": label is empty");
    const std::optional<std::int64_t> seed = whole_number(text(columns_.seed));
    if (!seed) {
      throw InputError(
          fmt::format("{}: seed is '{}'; expected a whole number", where, text(columns_.seed)));
    }
    row.seed = *seed;
    row.scores.clear();
    row.logits.clear();
    for (const int c : columns_.scores) row.scores.push_back(number(fields, c, where));
    for (const int c : columns_.logits) row.logits.push_back(number(fields, c, where));
    row.threshold.reset();
    if (columns_.threshold >= 0) {
      row.threshold = number(fields, columns_.threshold, where);
      if (!std::isfinite(*row.threshold)) {
        throw InputError(
            fmt::format("{}: threshold is '{}'; expected a finite number", where,
                        trimmed(fields[static_cast<std::size_t>(columns_.threshold)])));
      }
    }
  }

 private:
  double number(const std::vector<std::string>& fields, int column,
                const std::string& where) const {
    const std::string& text = fields[static_cast<std::size_t>(column)];
    const std::optional<double> value = number_of(text);
    if (!value) {
      const std::string& name = header_[static_cast<std::size_t>(column)];
      throw InputError(fmt::format("{}: {} is '{}'; expected a number{}", where, name, text,
                                   name.starts_with("score")
                                       ? " (of predicted labels: 1 for the positive one, else 0)"
                                       : ""));
    }
    return *value;
  }

  const std::vector<std::string>& header_;
  Columns columns_;
  std::string arm_;
};

}  // namespace

std::string label_text(std::string_view text) {
  const std::string_view label = trimmed(text);
  const std::optional<std::int64_t> number = whole_number(label);
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
  const std::string content = read_file(file);
  std::string_view text = content;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const std::string name = file.string();
  std::size_t at = 0, line = 1;
  const auto record = [&] {
    const std::size_t from = at;
    std::vector<std::string> fields = csv_record(text, at, name, line);
    line +=
        static_cast<std::size_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(from),
                                            text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    return fields;
  };
  std::vector<std::string> names;
  while (at < text.size() && (names.empty() || (names.size() == 1 && trimmed(names[0]).empty()))) {
    names = record();
  }
  if (names.empty()) throw InputError(name + ": the file is empty; expected a header and rows");
  for (std::string& n : names) n = trimmed(n);
  PredictionFile info;
  const Columns columns = columns_of(names, info.classes, name);
  info.has_split = columns.split >= 0;
  info.has_logits = !columns.logits.empty();
  header(info);
  RowReader reader(names, columns, file.stem().string());
  PredictionRow out;
  bool any = false;
  while (at < text.size()) {
    out.line = line;
    const std::vector<std::string> fields = record();
    if (fields.size() == 1 && trimmed(fields[0]).empty()) continue;  // a blank line
    const std::string where = fmt::format("{}:{}", name, out.line);
    if (fields.size() != names.size()) {
      throw InputError(fmt::format("{}: {} fields, where the header has {}", where, fields.size(),
                                   names.size()));
    }
    reader.read(fields, where, out);
    row(out);
    any = true;
  }
  if (!any) throw InputError(name + ": there is a header and no row");
}

}  // namespace bioptic
