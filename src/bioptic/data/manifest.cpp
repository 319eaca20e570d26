#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/base/utf8.h"
#include "bioptic/data/cell.h"
#include "bioptic/data/csv_table.h"
#include "bioptic/data/dicom.h"
#include "bioptic/data/file_list.h"
#include "bioptic/data/spellings.h"
#include "bioptic/data/warning.h"

namespace bioptic {
namespace fs = std::filesystem;
namespace {

constexpr std::array<std::string_view, 5> kColumns = {"path", "label", "split", "group", "weight"};

// A line of the manifest that holds an image.
struct Row {
  std::size_t line = 0;
  std::string path, label, split, group;
  std::string written;  // the label as it stands there, with white space around it
  double weight = 1;
};

// Read row by row, as often as wanted, so that no row is kept.
class Manifest {
 public:
  Manifest(const fs::path& file, bool skip_bad)
      : table_(file, kNeeded), skip_bad_(skip_bad), notes(table_.notes()) {
    read_header();
  }

  // Calls body(row) for every row that has a label.
  template <typename Body>
  void for_rows(const Body& body) {
    table_.rewind();
    rows_ = 0;
    unlabelled_.clear();
    while (table_.next()) {
      ++rows_;
      if (is_missing(table_.text(*columns_.at("label")))) {
        unlabelled_.push_back(table_.line());
        continue;
      }
      body(read_row());
    }
    if (!unlabelled_.empty() && !skip_bad_) refuse_unlabelled();
  }

  bool has(std::string_view column) const { return columns_.at(column).has_value(); }
  [[noreturn]] void fail(std::size_t line, const std::string& why) const {
    throw InputError(fmt::format("{}:{}: {}", name(), line, why));
  }

  const std::string& name() const { return table_.name(); }
  // Lines that for_rows left out, as they have no label.
  const std::vector<std::size_t>& unlabelled() const { return unlabelled_; }
  std::size_t rows() const { return rows_; }

 private:
  static constexpr std::array<std::string_view, 2> kNeeded = {"path", "label"};

  void read_header() {
    std::vector<bool> used(table_.header().size(), false);
    for (const std::string_view name : kColumns) {
      columns_[name] = table_.column(name);
      if (columns_[name]) used[*columns_[name]] = true;
    }
    std::string unused;
    for (std::size_t c = 0; c < used.size(); ++c) {
      if (used[c]) continue;
      const std::string& name = table_.header()[c];
      unused += (unused.empty() ? "'" : ", '") + as_utf8(name) + "'";
      const std::string_view near = nearest(name, kColumns);
      if (!near.empty()) unused += " (did you mean '" + std::string(near) + "'?)";
    }
    for (const std::string_view needed : kNeeded) {
      if (has(needed)) continue;
      fail(1, fmt::format("has no column '{}'; expected a header line with path,label and, where "
                          "wanted, split,group,weight, separated by commas; found {}",
                          needed, unused.empty() ? "no other column" : shortened(unused)));
    }
    if (!unused.empty()) {
      notes.push_back("Columns of the manifest that are not used: " + unused + ".");
    }
  }

  // At most so much of a header line that may be a whole file.
  static std::string shortened(const std::string& text) {
    constexpr std::size_t kMost = 300;
    return text.size() <= kMost ? text : text.substr(0, text.find_last_of(',', kMost)) + ", ...";
  }

  [[noreturn]] void refuse_unlabelled() const {
    constexpr std::size_t kShown = 5;
    std::string lines;
    for (std::size_t k = 0; k < std::min(kShown, unlabelled_.size()); ++k) {
      lines += fmt::format("{}{}", k == 0 ? "" : ", ", unlabelled_[k]);
    }
    fail(
        unlabelled_[0],
        fmt::format("the label is empty, or NA, nan, None or the like: so in {} of {} rows (line{} "
                    "{}{}); give them one, or leave them out with --skip-bad. A class of such a "
                    "name needs another, such as 'no finding'",
                    unlabelled_.size(), rows_, unlabelled_.size() == 1 ? "" : "s", lines,
                    unlabelled_.size() > kShown ? ", ..." : ""));
  }

  std::string field(std::string_view column) const {
    const std::optional<std::size_t> at = columns_.at(column);
    return at ? table_.text(*at) : std::string();
  }

  Row read_row() const {
    Row row;
    row.line = table_.line();
    row.path = table_.bytes(*columns_.at("path"));
    row.written = field("label");
    row.label = trimmed(row.written);
    if (const std::string group = field("group"); !is_missing(group)) row.group = group;
    if (trimmed(row.path).empty()) table_.fail("the path is empty");
    if (has("split")) {
      const std::string split = field("split");
      row.split = split_named(split);
      if (row.split.empty()) {
        table_.fail(is_missing(split)
                        ? "the split is empty; expected train, val or test"
                        : "'" + split + "' is no split" + suggestion(split, split_names()));
      }
    }
    if (has("weight")) {
      const std::string text = field("weight");
      row.weight = number_in(text, table_.decimal_comma()).value_or(-1);
      if (!std::isfinite(row.weight) || row.weight <= 0) {
        const bool comma = number_in(text, true).value_or(-1) > 0;
        table_.fail("the weight '" + text + "' is no positive number" +
                    (comma ? "; write it with a point" : ""));
      }
    }
    return row;
  }

  CsvTable table_;
  bool skip_bad_;
  std::size_t rows_ = 0;
  std::vector<std::size_t> unlabelled_;
  std::map<std::string_view, std::optional<std::size_t>> columns_;

 public:
  std::vector<std::string> notes;
};

// Tells labels that are one to a person, but not letter by letter.
class Labels {
 public:
  void add(const Row& row, const Manifest& manifest) {
    std::string key = row.label;
    std::transform(key.begin(), key.end(), key.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto [first, is_new] = first_.emplace(key, Place{row.written, row.line});
    if (is_new || first->second.written == row.written) return;
    manifest.fail(row.line, fmt::format("the label '{}' differs from '{}' (line {}) only by upper "
                                        "and lower case or white space; write both alike",
                                        row.written, first->second.written, first->second.line));
  }

 private:
  struct Place {
    std::string written;
    std::size_t line;
  };
  std::map<std::string, Place> first_;
};

// Finds paths that are named twice, by 12 to 20 bytes a path.
class SeenPaths {
 public:
  explicit SeenPaths(std::size_t most) : slots_(std::bit_ceil(2 * most + 1)) {}

  // Remembers path number `n` = 0, 1, 2, ...; returns the number of the same path from before,
  // where there is one.  path_of(k) is path number k.
  template <typename PathOf>
  std::optional<std::size_t> add(const std::string& path, const PathOf& path_of) {
    const std::uint64_t hash = std::hash<std::string>{}(path);
    std::size_t slot = hash % slots_.size();
    for (; slots_[slot] != 0; slot = (slot + 1) % slots_.size()) {
      const std::size_t other = slots_[slot] - 1;
      if (hashes_[other] == hash && path_of(other) == path) return other;
    }
    hashes_.push_back(hash);
    slots_[slot] = static_cast<std::uint32_t>(hashes_.size());
    return std::nullopt;
  }

 private:
  std::vector<std::uint32_t> slots_;  // 0 = empty, else a number + 1
  std::vector<std::uint64_t> hashes_;
};

// Where a path that leads nowhere may have been meant to lead: without the white space around it,
// with the separators of Windows turned round.
std::string other_path(const fs::path& folder, const std::string& written) {
  std::string path(trimmed(written));
  std::error_code error;
  if (fs::exists(folder / path, error)) return path;
  std::replace(path.begin(), path.end(), '\\', '/');
  return fs::exists(folder / path, error) ? path : written;
}

// A file that a row names.
struct NamedFile {
  std::string name;   // as it leads there from the manifest's folder
  std::string place;  // its one name, see fs::canonical
};

// Throws InputError unless it is there.
NamedFile named_file(const Manifest& manifest, const Row& row, const fs::path& folder) {
  NamedFile file{row.path, ""};
  std::error_code error;
  fs::file_status status = fs::status(folder / file.name, error);
  if (status.type() == fs::file_type::not_found) {
    file.name = other_path(folder, row.path);
    status = fs::status(folder / file.name, error);
  }
  const fs::path path = folder / file.name;    // an absolute path stays what it is
  if (status.type() == fs::file_type::none) {  // a name too long, a loop of links, ...
    manifest.fail(row.line, path.string() + " cannot be opened: " + error.message());
  }
  if (!fs::exists(status)) {
    const std::string why =
        !is_utf8(row.path) ? "; its name is not UTF-8: " + not_utf8_remedy(manifest.name())
        : fs::path(row.path).is_relative() ? "; relative paths begin at the manifest's folder"
                                           : "";
    manifest.fail(row.line, path.string() + " does not exist" + why);
  }
  if (!fs::is_regular_file(status)) manifest.fail(row.line, path.string() + " is not a file");
  file.place = fs::canonical(path, error).string();
  if (error) manifest.fail(row.line, path.string() + " cannot be opened: " + error.message());
  return file;
}

// What the manifest's rows say together.
struct Rows {
  std::size_t count = 0;      // with a label
  std::size_t ungrouped = 0;  // of them, without a group
  Spellings labels, groups;
  std::map<std::string, std::int64_t> label_of;  // by class, in the order of their names
};

Rows read_rows(Manifest& manifest) {
  Rows rows;
  Labels written;
  std::set<std::string> classes;
  manifest.for_rows([&](const Row& row) {
    written.add(row, manifest);
    classes.insert(row.label);
    rows.labels.see(row.label);
    if (!row.group.empty()) rows.groups.see(row.group);
    rows.ungrouped += row.group.empty() ? 1U : 0U;
    ++rows.count;
  });
  if (rows.labels.unsure() || rows.groups.unsure()) {
    manifest.for_rows([&](const Row& row) {
      rows.labels.see_again(row.label);
      rows.groups.see_again(row.group);
    });
  }
  for (const std::string& name : classes) rows.label_of.emplace(rows.labels.of(name), 0);
  std::int64_t label = 0;
  for (auto& [name, number] : rows.label_of) number = label++;
  return rows;
}

void note_rows(const Manifest& manifest, const Rows& rows, FileList& list) {
  for (const std::size_t line : manifest.unlabelled()) {
    list.skipped.push_back(fmt::format("{}:{}: has no label", manifest.name(), line));
  }
  if (rows.labels.any()) {
    list.notes.push_back("Labels that are one number are one class: " + rows.labels.example() +
                         ", for instance.");
  }
  if (!manifest.has("group")) return;
  if (rows.groups.any()) {
    list.notes.push_back("Groups that are one but for white space or a point are one: " +
                         rows.groups.example() + ", for instance.");
  }
  if (rows.ungrouped == rows.count) {
    list.groups_from = "";
    list.notes.push_back(std::string(kWarning) + "the column 'group' names no group in any row.");
  } else if (rows.ungrouped > 0) {
    list.notes.push_back(
        fmt::format("{}{} of {} images name no group (an empty cell, NA, nan, None or the like); "
                    "each is its own group, so a patient may be on both sides of a split.",
                    kWarning, rows.ungrouped, rows.count));
  }
}

}  // namespace

FileList list_manifest(const fs::path& file, bool skip_bad) {
  Manifest manifest(file, skip_bad);
  FileList list;
  list.kind = "manifest";
  list.files = FileTable(file.parent_path());
  list.notes = manifest.notes;
  list.weighted = manifest.has("weight");
  if (manifest.has("group")) list.groups_from = "column 'group' of the manifest";

  const Rows rows = read_rows(manifest);
  if (rows.count == 0) throw InputError(manifest.name() + ": lists no image below its header line");
  note_rows(manifest, rows, list);
  for (const auto& [name, label] : rows.label_of) list.classes.push_back(name);
  if (list.classes.size() < 2) {
    throw InputError(fmt::format("{}: has one class only ('{}'); a classifier needs two",
                                 file.string(), list.classes[0]));
  }
  SeenPaths seen(rows.count);
  std::vector<std::uint32_t> lines;  // of the files
  manifest.for_rows([&](const Row& row) {
    const NamedFile named = named_file(manifest, row, file.parent_path());
    const auto canonical = [&](std::size_t k) {
      std::error_code gone;  // since its own line was read: then it is no other line's file
      return fs::canonical(list.files.path(k), gone).string();
    };
    if (const auto before = seen.add(named.place, canonical)) {
      manifest.fail(row.line,
                    fmt::format("{} is listed already in line {}", row.path, lines[*before]));
    }
    const auto label = rows.label_of.find(rows.labels.of(row.label));
    if (label == rows.label_of.end() || lines.size() == rows.count) {
      throw InputError(manifest.name() + ": was changed while it was read");
    }
    lines.push_back(static_cast<std::uint32_t>(row.line));
    const fs::path path = file.parent_path() / named.name;
    list.files.add({named.name, label->second, row.split, rows.groups.of(row.group), row.weight},
                   !is_image_name(path) && is_dicom_file(path));
  });
  return list;
}

}  // namespace bioptic
