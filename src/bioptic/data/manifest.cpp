#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
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
  double weight = 1;
};

class Manifest {
 public:
  explicit Manifest(const fs::path& file) : name_(file.string()), text_(read_file(file)) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // a byte order mark, as Excel writes it
    read_header();
    while (at_ < text_.size()) {
      const std::size_t line = line_;
      const std::vector<std::string> fields = next();
      if (fields.size() == 1 && fields[0].empty()) continue;  // an empty line
      rows.push_back(read_row(fields, line));
    }
    if (rows.empty()) throw InputError(name_ + ": lists no image below its header line");
  }

  bool has(std::string_view column) const { return columns_.contains(column); }
  [[noreturn]] void fail(std::size_t line, const std::string& why) const {
    throw InputError(fmt::format("{}:{}: {}", name_, line, why));
  }

  std::vector<Row> rows;
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
    row.label = field("label");
    row.group = field("group");
    if (row.path.empty()) fail(line, "the path is empty");
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

  std::string name_, text_;
  std::size_t at_ = 0, line_ = 1, width_ = 0;
  std::map<std::string, std::size_t, std::less<>> columns_;
};

}  // namespace

FileList list_manifest(const fs::path& file) {
  const Manifest manifest(file);
  FileList list;
  list.kind = "manifest";
  list.notes = manifest.notes;
  list.weighted = manifest.has("weight");
  if (manifest.has("group")) list.groups_from = "column 'group' of the manifest";

  std::map<std::string, std::int64_t> labels;
  for (const Row& row : manifest.rows) labels.emplace(row.label, 0);
  for (auto& [name, label] : labels) {
    label = static_cast<std::int64_t>(list.classes.size());
    list.classes.push_back(name);
  }
  if (list.classes.size() < 2) {
    throw InputError(fmt::format("{}: has one class only ('{}'); a classifier needs two",
                                 file.string(), list.classes[0]));
  }
  std::map<fs::path, std::size_t> seen;
  for (const Row& row : manifest.rows) {
    const fs::path path = file.parent_path() / row.path;  // an absolute path stays what it is
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) {
      manifest.fail(row.line, path.string() + " does not exist" +
                                  (fs::path(row.path).is_relative()
                                       ? "; relative paths begin at the manifest's folder"
                                       : ""));
    }
    if (!fs::is_regular_file(status)) manifest.fail(row.line, path.string() + " is not a file");
    const auto [before, first] = seen.emplace(fs::canonical(path), row.line);
    if (!first) {
      manifest.fail(row.line,
                    fmt::format("{} is listed already in line {}", row.path, before->second));
    }
    list.files.push_back({path,
                          {row.path, labels[row.label], row.split, row.group, row.weight},
                          !is_image_name(path) && is_dicom_file(path)});
  }
  return list;
}

}  // namespace bioptic
