#include "bioptic/study/schema.h"

#include <fmt/format.h>

#include "bioptic/base/error.h"
#include "bioptic/study/keys.h"

namespace bioptic::schema {

std::string Place::name(std::string_view key) const {
  if (key.empty()) return name();
  return path.empty() ? section + " " + std::string(key)
                      : section + " " + path + "." + std::string(key);
}

Place Place::inside(std::string_view key) const {
  return {file, section, path.empty() ? std::string(key) : path + "." + std::string(key)};
}

void fail(const Place& place, int line, const std::string& message) {
  throw InputError(line > 0 ? fmt::format("{}:{}: {}", place.file, line, message)
                            : fmt::format("{}: {}", place.file, message));
}

void fail_value(const Place& place, std::string_view key, const Node& node,
                const std::string& expected) {
  std::string value = toml_text(node);
  if (value.size() > 60) value = value.substr(0, 57) + "...";
  fail(place, node.line, fmt::format("{} = {}: expected {}", place.name(key), value, expected));
}

bool has_word(std::string_view words, std::string_view word) {
  for (std::size_t begin = 0; begin < words.size();) {
    const std::size_t end = std::min(words.find(' ', begin), words.size());
    if (words.substr(begin, end - begin) == word) return true;
    begin = end + 1;
  }
  return false;
}

bool is_number(const Node& node) {
  return node.type == Node::Type::integer || node.type == Node::Type::number;
}

std::string range_text(const Range& range) {
  const std::string low = toml_text(range.low), high = toml_text(range.high);
  if (std::isinf(range.low) && std::isinf(range.high)) return "(any finite)";
  if (std::isinf(range.high)) return (range.open_low ? "above " : "of at least ") + low;
  if (std::isinf(range.low)) return (range.open_high ? "below " : "of at most ") + high;
  return fmt::format("in {}{}, {}{}", range.open_low ? '(' : '[', low, high,
                     range.open_high ? ')' : ']');
}

std::string whole_type(std::int64_t low, std::int64_t high) {
  if (high == std::numeric_limits<std::int64_t>::max()) {
    return fmt::format("a whole number of at least {}", low);
  }
  return fmt::format("a whole number from {} to {}", low, high);
}

std::string one_of(const std::vector<std::string_view>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += toml_text(names[i]);
  }
  return text;
}

void fail_choice(const Place& place, std::string_view key, const Node& node,
                 const std::vector<std::string_view>& names) {
  std::string hint;
  if (node.is_text()) {
    const std::string_view near = nearest(node.text, names);
    if (!near.empty()) hint = fmt::format("; did you mean '{}'?", near);
  }
  fail_value(place, key, node, one_of(names) + hint);
}

void fail_kind(const Place& place, std::string_view key, const Node& node,
               const std::vector<std::string_view>& kinds, std::string_view extra) {
  std::string hint;
  if (node.is_text()) {
    const std::string_view near = nearest(node.text, kinds);
    if (!near.empty()) hint = fmt::format("; did you mean '{}'?", near);
  }
  if (!extra.empty()) hint += fmt::format("; {}", extra);
  fail_value(place, key, node, one_of(kinds) + hint);
}

void fail_other_kind(const Place& place, const Entry& entry, std::string_view noun,
                     std::string_view kind, const std::string& kinds) {
  std::string list = kinds;
  for (std::size_t at = 0; (at = list.find(' ', at)) != std::string::npos; at += 2) {
    list.replace(at, 1, ", ");
  }
  fail(place, entry.line,
       fmt::format("{} does not belong to {} kind '{}'; it belongs to: {}", place.name(entry.key),
                   noun, kind, list));
}

void fail_unknown_key(const Place& place, const Entry& entry, const std::vector<KnownKey>& known) {
  const std::string what = fmt::format("unknown key '{}' in {}", entry.key, place.name());
  std::vector<std::string_view> names;
  for (const KnownKey& key : known) {
    if (!key.elsewhere.empty() && has_word(key.elsewhere, entry.key)) {
      fail(place, entry.line, fmt::format("{}; it is called '{}' here", what, key.name));
    }
    names.push_back(key.name);
  }
  const std::string_view near = nearest(entry.key, names);
  if (const std::string home = home_of(entry.key); near.empty() && !home.empty()) {
    fail(place, entry.line, fmt::format("{}; it belongs in {}", what, home));
  }
  fail(place, entry.line, what + suggestion(entry.key, names));
}

}  // namespace bioptic::schema
