#include "bioptic/data/cell.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>

namespace bioptic {
namespace {

// What pandas.read_csv takes for missing (2.2, "na_values"), of which R writes "NA".
constexpr std::array<std::string_view, 19> kMissing = {
    "",    "NA",   "N/A",    "n/a",     "<NA>",    "#N/A",     "#N/A N/A", "#NA",  "nan", "-nan",
    "NaN", "-NaN", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "None",     "NULL", "null"};

struct SplitName {
  std::string_view name, split;
};
constexpr std::array<SplitName, 8> kSplitNames = {{{"train", "train"},
                                                   {"training", "train"},
                                                   {"val", "val"},
                                                   {"valid", "val"},
                                                   {"validation", "val"},
                                                   {"dev", "val"},
                                                   {"test", "test"},
                                                   {"testing", "test"}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Where the digits of "+12.00" end before a fraction of zeros; npos where that is not what it is.
std::size_t end_of_whole(std::string_view text) {
  std::size_t at = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  const std::size_t digits = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  if (at == digits || at + 1 >= text.size() || text[at] != '.') return std::string_view::npos;
  return text.find_first_not_of('0', at + 1) == std::string_view::npos ? at
                                                                       : std::string_view::npos;
}

}  // namespace

std::string_view trimmed(std::string_view cell) {
  constexpr const char* kSpace = " \t\r\n\v\f";
  const std::size_t begin = cell.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return cell.substr(begin, cell.find_last_not_of(kSpace) + 1 - begin);
}

bool is_missing(std::string_view cell) {
  const std::string_view text = trimmed(cell);
  return std::find(kMissing.begin(), kMissing.end(), text) != kMissing.end();
}

std::optional<double> number_in(std::string_view cell, bool decimal_comma) {
  if (is_missing(cell)) return std::numeric_limits<double>::quiet_NaN();
  std::string text(trimmed(cell));
  if (decimal_comma) {
    const std::size_t comma = text.find(',');
    if (comma != std::string::npos && text.find('.') == std::string::npos) text[comma] = '.';
  }
  const std::size_t sign = text.starts_with('+') && !text.starts_with("+-") ? 1 : 0;
  const char* const end = text.data() + text.size();
  double value = 0;
  const auto [rest, error] = std::from_chars(text.data() + sign, end, value);
  if (rest != end) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const bool small = text.find("e-") != std::string::npos || text.find("E-") != std::string::npos;
    return small ? 0.0 : text.starts_with('-') ? -kInfinity : kInfinity;
  }
  if (error != std::errc()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> whole_number_in(std::string_view cell) {
  std::string_view text = trimmed(cell);
  text = text.substr(0, end_of_whole(text));
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

std::string name_in(std::string_view cell) {
  const std::string_view text = trimmed(cell);
  return std::string(text.substr(0, end_of_whole(text)));
}

std::string_view split_named(std::string_view name) {
  std::string word(trimmed(name));
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const SplitName& known : kSplitNames) {
    if (known.name == word) return known.split;
  }
  return {};
}

std::vector<std::string_view> split_names() {
  std::vector<std::string_view> names;
  for (const SplitName& known : kSplitNames) names.push_back(known.name);
  return names;
}

}  // namespace bioptic
