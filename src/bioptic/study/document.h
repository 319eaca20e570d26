// A TOML file as a tree that remembers its lines, in file order.  Only document.cpp knows toml++.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bioptic {

struct Entry;

struct Node {
  enum class Type { boolean, integer, number, text, array, table, date };
  Type type = Type::table;
  int line = 0;  // from 1; 0 where the value does not come from a file
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0;
  std::string text;
  std::vector<Node> items;     // array
  std::vector<Entry> entries;  // table, in file order

  const Node* find(std::string_view key) const;  // null when a table lacks the key
  bool is_table() const { return type == Type::table; }
  bool is_array() const { return type == Type::array; }
  bool is_text() const { return type == Type::text; }
};

struct Entry {
  std::string key;
  int line = 0;
  Node value;
};

// `name` stands in messages.  Throws InputError "name:line: ..." for what is not TOML.
Node parse_document(std::string_view text, const std::string& name);

// One value written as TOML, such as "{ kind = \"adam\", lr = 1e-3 }"; for tables of this program.
Node parse_value(std::string_view text);

// The value as TOML on one line, its strings in quotes.
std::string toml_text(const Node& node);
// The shortest TOML for a number that reads back to the same bits: 0.5, 1e-08, 30.0 as "30".
std::string toml_text(double value);
std::string toml_text(std::string_view value);  // a basic string, escaped

// For people: strings without quotes, a table with a kind as "cosine (interval = step)", one
// without as "(lr = 0.01)".
std::string plain_text(const Node& node);

}  // namespace bioptic
