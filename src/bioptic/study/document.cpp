#include "bioptic/study/document.h"

#include <fmt/format.h>

#include <algorithm>

// Where toml++ is compiled in here (a system without its shared library): 3.3 asserts, and with
// NDEBUG lets clang assume, that a key begins with a key's character, which that of "[#" does not;
// behind the assertion it reports this properly.  So no assertions in any build.
#undef NDEBUG
#define TOML_ASSERT(expr) static_assert(true)
#include <toml++/toml.h>

#include "bioptic/base/error.h"
#include "bioptic/base/utf8.h"
#include "bioptic/data/csv_table.h"

namespace bioptic {
namespace {

int line_of(const toml::source_region& region) { return static_cast<int>(region.begin.line); }

Node convert(const toml::node& from) {
  Node node;
  node.line = line_of(from.source());
  if (const auto* truth = from.as_boolean()) {
    node.type = Node::Type::boolean;
    node.boolean = truth->get();
  } else if (const auto* i = from.as_integer()) {
    node.type = Node::Type::integer;
    node.integer = i->get();
    node.number = static_cast<double>(i->get());
  } else if (const auto* d = from.as_floating_point()) {
    node.type = Node::Type::number;
    node.number = d->get();
  } else if (const auto* s = from.as_string()) {
    node.type = Node::Type::text;
    node.text = s->get();
  } else if (const auto* array = from.as_array()) {
    node.type = Node::Type::array;
    for (const toml::node& item : *array) node.items.push_back(convert(item));
  } else if (const auto* table = from.as_table()) {
    // toml++ sorts keys by name; people read by position.
    struct Placed {
      toml::source_position position;
      Entry entry;
    };
    std::vector<Placed> placed;
    for (const auto& [key, value] : *table) {
      const toml::source_position at = key.source().begin;
      placed.push_back({at, {std::string(key.str()), static_cast<int>(at.line), convert(value)}});
    }
    std::stable_sort(placed.begin(), placed.end(),
                     [](const Placed& l, const Placed& r) { return l.position < r.position; });
    for (Placed& p : placed) node.entries.push_back(std::move(p.entry));
  } else {
    node.type = Node::Type::date;
  }
  return node;
}

std::string joined(const std::vector<Entry>& entries, std::string (*value_text)(const Node&),
                   std::string_view leave_out) {
  std::string text;
  for (const Entry& entry : entries) {
    if (entry.key == leave_out) continue;
    if (!text.empty()) text += ", ";
    text += entry.key + " = " + value_text(entry.value);
  }
  return text;
}

std::string list_text(const std::vector<Node>& items, std::string (*value_text)(const Node&)) {
  std::string text;
  for (const Node& item : items) text += (text.empty() ? "" : ", ") + value_text(item);
  return "[" + text + "]";
}

// toml++ limits how deep values nest, but not dotted keys, and walking a tree of a.a.a.... would
// use up the stack.
void refuse_deep_keys(std::string_view text, const std::string& name) {
  constexpr int kMaxDots = 100;
  int dots = 0, line = 1;
  for (const char c : text) {
    line += c == '\n' ? 1 : 0;
    dots =
        c == '\n' || c == ',' || c == '{' || c == '=' || c == '[' ? 0 : dots + (c == '.' ? 1 : 0);
    if (dots > kMaxDots) {
      throw InputError(fmt::format("{}:{}: more than {} dots in one key", name, line, kMaxDots));
    }
  }
}

// TOML is UTF-8.
void refuse_other_text(std::string_view text, const std::string& name) {
  const std::size_t at = find_not_utf8(text);
  if (at == std::string_view::npos) return;
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    throw InputError(name + ": is UTF-16, not UTF-8; convert it: iconv -f utf-16 -t utf-8");
  }
  const auto line =
      1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  throw InputError(fmt::format("{}:{}: is not UTF-8; {}", name, line, not_utf8_remedy(name)));
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Node parse_document(std::string_view text, const std::string& name) {
  refuse_other_text(text, name);
  refuse_deep_keys(text, name);
  try {
    return convert(toml::parse(text, name));
  } catch (const toml::parse_error& error) {
    throw InputError(fmt::format("{}:{}: not valid TOML: {}", name, line_of(error.source()),
                                 error.description()));
  }
}

Node parse_value(std::string_view text) {
  Node document = parse_document("value = " + std::string(text), "built-in value");
  return document.entries.at(0).value;
}

std::string toml_text(double value) {
  std::string text = fmt::format("{}", value);
  return text == "-0" ? "0" : text;
}

std::string toml_text(std::string_view value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      text += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
    } else {
      text += c;
    }
  }
  return text + "\"";
}

std::string toml_text(const Node& node) {
  switch (node.type) {
    case Node::Type::boolean:
      return node.boolean ? "true" : "false";
    case Node::Type::integer:
      return fmt::format("{}", node.integer);
    case Node::Type::number:
      return toml_text(node.number);
    case Node::Type::text:
      return toml_text(std::string_view(node.text));
    case Node::Type::array:
      return list_text(node.items, toml_text);
    case Node::Type::table:
      return "{ " + joined(node.entries, toml_text, "") + " }";
    case Node::Type::date:
      return "a date or time";
  }
  return "";
}

std::string plain_text(const Node& node) {
  if (node.is_text()) return node.text;
  if (node.is_array()) return list_text(node.items, plain_text);
  if (!node.is_table()) return toml_text(node);
  const Node* kind = node.find("kind");
  const std::string rest = joined(node.entries, plain_text, "kind");
  if (kind == nullptr) return "(" + rest + ")";
  return plain_text(*kind) + (rest.empty() ? "" : " (" + rest + ")");
}

}  // namespace bioptic
