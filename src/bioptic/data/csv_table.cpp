#include "bioptic/data/csv_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/base/utf8.h"
#include "bioptic/data/cell.h"
#include "bioptic/data/csv.h"

namespace bioptic {
namespace {

struct Separator {
  char character;
  const char* words;
};
constexpr std::array<Separator, 4> kSeparators = {
    {{',', "commas"}, {';', "semicolons"}, {'\t', "tabs"}, {'|', "vertical bars"}}};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// Columns whose names are `name`, exactly or (where `any_case`) in another case.
std::vector<std::size_t> columns_named(const std::vector<std::string>& header,
                                       std::string_view name, bool any_case) {
  std::vector<std::size_t> found;
  for (std::size_t c = 0; c < header.size(); ++c) {
    if (header[c] == name || (any_case && lower(header[c]) == lower(name))) found.push_back(c);
  }
  return found;
}

bool is_blank(const std::vector<std::string>& fields) {
  return std::all_of(fields.begin(), fields.end(),
                     [](const std::string& field) { return trimmed(field).empty(); });
}

// Ends of lines: \n, \r\n, \r.
std::size_t line_ends(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool alone = text[at] == '\r' && (at + 1 == text.size() || text[at + 1] != '\n');
    count += text[at] == '\n' || alone ? 1U : 0U;
  }
  return count;
}

}  // namespace

std::string not_utf8_remedy(const std::string& file) {
  return fmt::format(
      "if it is in Latin-1 (Windows-1252), convert it: iconv -f windows-1252 -t utf-8 {0} > "
      "utf8-{0}",
      std::filesystem::path(file).filename().string());
}

CsvTable::CsvTable(const std::filesystem::path& file, std::span<const std::string_view> needed)
    : name_(file.string()),
      map_(file),
      text_(reinterpret_cast<const char*>(map_.data()), map_.size()) {
  decode();
  find_header(needed);
  first_at_ = at_;
  first_line_ = line_;
}

void CsvTable::decode() {
  constexpr std::string_view kMark = "\xEF\xBB\xBF", kLittle = "\xFF\xFE", kBig = "\xFE\xFF";
  if (text_.starts_with(kLittle) || text_.starts_with(kBig)) {
    std::size_t damaged = 0;
    decoded_ = utf8_of_utf16(text_.substr(2), text_.starts_with(kBig), damaged);
    if (damaged > 0) {
      throw InputError(fmt::format(
          "{}: begins as UTF-16 does, but {} of its characters are cut; save it as UTF-8", name_,
          damaged));
    }
    text_ = decoded_;
  }
  if (text_.starts_with(kMark)) text_.remove_prefix(kMark.size());  // as Excel writes it
  if (const std::size_t zero = text_.find('\0'); zero != std::string_view::npos) {
    throw InputError(fmt::format(
        "{}:{}: holds a zero byte, so it is no text in UTF-8; if it is in UTF-16, convert it: "
        "iconv -f utf-16le -t utf-8",
        name_, 1 + line_ends(text_.substr(0, zero))));
  }
  utf8_ = is_utf8(text_);
}

std::vector<std::string> CsvTable::record() {
  const std::size_t begin = at_;
  std::vector<std::string> fields = csv_record(text_, at_, name_, line_, separator_);
  line_ += line_ends(text_.substr(begin, at_ - begin));
  return fields;
}

void CsvTable::find_header(std::span<const std::string_view> needed) {
  const auto next_line = [&] {  // with a letter in it
    header_.clear();
    while (at_ < text_.size() && is_blank(header_)) header_ = record();
    for (std::string& field : header_) field = trimmed(field);
  };
  std::size_t at = 0, line = 1;  // where the header line may begin
  next_line();
  constexpr std::string_view kSays = "sep=";  // Excel's
  if (!header_.empty() && header_[0].starts_with(kSays) && header_.size() <= 2 &&
      header_[0].size() <= kSays.size() + 1) {
    at = at_;
    line = line_;
  }
  for (const Separator& separator : kSeparators) {
    separator_ = separator.character;
    at_ = at;
    line_ = line;
    next_line();
    const bool all = std::all_of(needed.begin(), needed.end(), [&](std::string_view name) {
      return !columns_named(header_, name, true).empty();
    });
    if (!all) continue;
    if (separator_ != ',') {
      notes_.push_back(
          fmt::format("The columns of {} are separated by {}{}.",
                      std::filesystem::path(name_).filename().string(), separator.words,
                      decimal_comma() ? ", and a comma in a number is a decimal comma" : ""));
    }
    return;
  }
  separator_ = ',';
  at_ = at;
  line_ = line;
  next_line();
}

std::optional<std::size_t> CsvTable::column(std::string_view name) const {
  for (const bool any_case : {false, true}) {
    const std::vector<std::size_t> found = columns_named(header_, name, any_case);
    if (found.size() > 1) {
      throw InputError(fmt::format("{}: two columns are called '{}'", name_, name));
    }
    if (!found.empty()) return found[0];
  }
  return std::nullopt;
}

bool CsvTable::next() {
  do {
    if (at_ >= text_.size()) return false;
    row_line_ = line_;
    fields_ = record();
  } while (is_blank(fields_));
  while (fields_.size() > header_.size() && trimmed(fields_.back()).empty()) fields_.pop_back();
  if (fields_.size() != header_.size()) {
    fail(fmt::format("has {} fields, the header line {}", fields_.size(), header_.size()));
  }
  return true;
}

void CsvTable::rewind() {
  at_ = first_at_;
  line_ = first_line_;
}

const std::string& CsvTable::text(std::size_t column) const {
  const std::string& field = fields_[column];
  if (!utf8_ && !is_utf8(field)) {
    fail(fmt::format("the {} is not UTF-8: '{}'; {}", header_[column], as_utf8(field),
                     not_utf8_remedy(name_)));
  }
  return field;
}

void CsvTable::fail(const std::string& why) const {
  throw InputError(fmt::format("{}:{}: {}", name_, row_line_, why));
}

}  // namespace bioptic
