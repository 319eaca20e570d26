#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/data/csv.h"
#include "bioptic/data/dicom.h"
#include "bioptic/data/file_list.h"

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

std::string trimmed(const std::string& text) {
  constexpr const char* kSpace = " \t\r\n\v\f";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

// Read row by row, as often as wanted, so that no row is kept.
class Manifest {
 public:
  explicit Manifest(const fs::path& file)
      : name_(file.string()),
        map_(file),
        text_(reinterpret_cast<const char*>(map_.data()), map_.size()) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // a byte order mark, as Excel writes it
    read_header();
  }

  // Calls body(row) for every row below the header line.
  template <typename Body>
  void for_rows(const Body& body) {
    const std::size_t at = at_, line = line_;
    while (at_ < text_.size()) {
      const std::size_t begin = line_;
      const std::vector<std::string> fields = next();
      if (fields.size() == 1 && fields[0].empty()) continue;  // an empty line
      body(read_row(fields, begin));
    }
    at_ = at;
    line_ = line;
  }

  bool has(std::string_view column) const { return columns_.contains(column); }
  [[noreturn]] void fail(std::size_t line, const std::string& why) const {
    throw InputError(fmt::format("{}:{}: {}", name_, line, why));
  }

  const std::string& name() const { return name_; }
  std::vector<std::string> notes;

 private:
  // One record; line_ then is the line that the next one begins in (a quoted field may hold line
  // breaks).
  std::vector<std::string> next() {
    const std::size_t begin = at_;
    std::vector<std::string> fields = csv_record(text_, at_, name_, line_);
    line_ += static_cast<std::size_t>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(begin),
                                                 text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                                 '\n'));
    return fields;
  }

  void read_header() {
    const std::vector<std::string> header = next();
    width_ = header.size();
    std::string unused;
    for (std::size_t c = 0; c < header.size(); ++c) {
      if (std::find(kColumns.begin(), kColumns.end(), header[c]) != kColumns.end()) {
        if (!columns_.emplace(header[c], c).second) {
          fail(1, "names the column '" + header[c] + "' twice");
        }
        continue;
      }
      unused += (unused.empty() ? "'" : ", '") + header[c] + "'";
      const std::string_view near = nearest(header[c], kColumns);
      if (!near.empty()) unused += " (did you mean '" + std::string(near) + "'?)";
    }
    for (const std::string_view needed : {"path", "label"}) {
      if (has(needed)) continue;
      fail(1, fmt::format("has no column '{}'; expected a header line with path,label and, where "
                          "wanted, split,group,weight, separated by commas; found {}",
                          needed, unused.empty() ? "no other column" : unused));
    }
    if (!unused.empty())
      notes.push_back("Columns of the manifest that are not used: " + unused + ".");
  }

  Row read_row(const std::vector<std::string>& fields, std::size_t line) const {
    if (fields.size() != width_) {
      fail(line, fmt::format("has {} fields, the header line {}", fields.size(), width_));
    }
    const auto field = [&](std::string_view column) {
      const auto found = columns_.find(column);
      return found == columns_.end() ? std::string() : fields[found->second];
    };
    Row row;
    row.line = line;
    row.path = field("path");
    row.written = field("label");
    row.label = trimmed(row.written);
    row.group = field("group");
    if (row.path.empty()) fail(line, "the path is empty");
    if (row.path.find('\0') != std::string::npos) fail(line, "the path holds a zero byte");
    if (row.label.empty()) fail(line, "the label is empty");
    if (has("split")) {
      const std::string split = field("split");
      row.split = split_named(split);
      if (row.split.empty()) {
        fail(line, split.empty()
                       ? std::string("the split is empty; expected train, val or test")
                       : "'" + split + "' is no split" + suggestion(split, split_names()));
      }
    }
    if (has("weight")) {
      const std::string text = field("weight");
      const char* end = text.data() + text.size();
      const auto [rest, error] = std::from_chars(text.data(), end, row.weight);
      if (error != std::errc{} || rest != end || !std::isfinite(row.weight) || row.weight <= 0) {
        fail(line, "the weight '" + text + "' is no positive number");
      }
    }
    return row;
  }

  std::string name_;
  MappedFile map_;
  std::string_view text_;
  std::size_t at_ = 0, line_ = 1, width_ = 0;
  std::map<std::string, std::size_t, std::less<>> columns_;
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

}  // namespace

FileList list_manifest(const fs::path& file) {
  Manifest manifest(file);
  FileList list;
  list.kind = "manifest";
  list.files = FileTable(file.parent_path());
  list.notes = manifest.notes;
  list.weighted = manifest.has("weight");
  if (manifest.has("group")) list.groups_from = "column 'group' of the manifest";

  std::map<std::string, std::int64_t> labels;
  Labels written;
  std::size_t rows = 0;
  manifest.for_rows([&](const Row& row) {
    written.add(row, manifest);
    labels.emplace(row.label, 0);
    ++rows;
  });
  if (rows == 0) throw InputError(manifest.name() + ": lists no image below its header line");
  for (auto& [name, label] : labels) {
    label = static_cast<std::int64_t>(list.classes.size());
    list.classes.push_back(name);
  }
  if (list.classes.size() < 2) {
    throw InputError(fmt::format("{}: has one class only ('{}'); a classifier needs two",
                                 file.string(), list.classes[0]));
  }
  SeenPaths seen(rows);
  std::vector<std::uint32_t> lines;  // of the files
  manifest.for_rows([&](const Row& row) {
    const fs::path path = file.parent_path() / row.path;  // an absolute path stays what it is
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (status.type() == fs::file_type::none) {  // a name too long, a loop of links, ...
      manifest.fail(row.line, path.string() + " cannot be opened: " + error.message());
    }
    if (!fs::exists(status)) {
      manifest.fail(row.line, path.string() + " does not exist" +
                                  (fs::path(row.path).is_relative()
                                       ? "; relative paths begin at the manifest's folder"
                                       : ""));
    }
    if (!fs::is_regular_file(status)) manifest.fail(row.line, path.string() + " is not a file");
    const auto canonical = [&](std::size_t k) {
      std::error_code gone;  // since its own line was read: then it is no other line's file
      return fs::canonical(list.files.path(k), gone).string();
    };
    const std::string place = fs::canonical(path, error).string();
    if (error) manifest.fail(row.line, path.string() + " cannot be opened: " + error.message());
    if (const auto before = seen.add(place, canonical)) {
      manifest.fail(row.line,
                    fmt::format("{} is listed already in line {}", row.path, lines[*before]));
    }
    const auto label = labels.find(row.label);
    if (label == labels.end() || lines.size() == rows) {
      throw InputError(manifest.name() + ": was changed while it was read");
    }
    lines.push_back(static_cast<std::uint32_t>(row.line));
    list.files.add({row.path, label->second, row.split, row.group, row.weight},
                   !is_image_name(path) && is_dicom_file(path));
  });
  return list;
}

}  // namespace bioptic
