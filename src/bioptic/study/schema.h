// The pieces that the study file's keys are described with.  One row of a table of keys (keys.h) is
// the source of the parser, its checks, the defaults, the settings shown in reports and the
// reference in docs/study-file.md.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bioptic/study/document.h"

namespace bioptic::schema {

// Where a value stands, for messages.
struct Place {
  std::string file;     // as the user named it
  std::string section;  // "[train]", "[[arm]] 'cosine'"
  std::string path;     // "scheduler" inside the section's table of that name, else ""

  std::string name() const { return path.empty() ? section : section + " " + path; }
  std::string name(std::string_view key) const;  // "[train] scheduler.gamma", "[train] epochs"
  Place inside(std::string_view key) const;      // the table under that key
};

// Throws InputError "file:line: message"; without the line where it is 0.
[[noreturn]] void fail(const Place& place, int line, const std::string& message);
// "file:line: [train] epochs = VALUE: expected EXPECTED"; key "": the table itself.
[[noreturn]] void fail_value(const Place& place, std::string_view key, const Node& node,
                             const std::string& expected);

// How a value is read from the file and written back.  T: what the key's table is parsed into.
template <typename T>
struct Binding {
  std::string type;  // "a number in (0, 1]": for documentation and messages
  std::function<void(T&, const Node&, const Place&, std::string_view key)> read;
  std::function<std::string(const T&)> text;  // as TOML; "" when unset
};

template <typename T>
struct Key {
  std::string_view name;
  std::string_view kinds;      // the kinds that have it, separated by spaces; "" = all
  std::string_view elsewhere;  // names it has elsewhere, PyTorch's above all, for who tries them
  Binding<T> value;
  std::string_view fallback;  // the default as TOML; in parentheses: in words, applied elsewhere
  std::string_view doc;       // one line or two
};

// A table with a kind, such as scheduler = { kind = "cosine" }.
template <typename T>
struct Kinded {
  std::string_view name;  // "scheduler"
  std::vector<std::string_view> kinds;
  std::vector<std::pair<std::string_view, std::string_view>> aliases;  // other spelling -> kind
  std::string_view unknown_kind;  // added to the message for an unknown kind
  std::function<void(T&, std::string_view)> set_kind;
  std::function<std::string_view(const T&)> kind;
  std::vector<Key<T>> keys;
};

bool has_word(std::string_view words, std::string_view word);

// ---- ranges -------------------------------------------------------------------------------------

struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool open_low = false, open_high = false;
  bool holds(double v) const {
    return std::isfinite(v) && (open_low ? v > low : v >= low) &&
           (open_high ? v < high : v <= high);
  }
};
std::string range_text(const Range& range);  // "in (0, 1]", "above 0", "of at least 0"

inline constexpr double kNoLimit = std::numeric_limits<double>::infinity();
inline constexpr Range kPositive{0, kNoLimit, true, false};
inline constexpr Range kNotNegative{0, kNoLimit, false, false};
inline constexpr Range kFraction{0, 1, false, false};       // [0, 1]
inline constexpr Range kOpenFraction{0, 1, true, true};     // (0, 1)
inline constexpr Range kBelowOne{0, 1, false, true};        // [0, 1)
inline constexpr Range kAboveZeroToOne{0, 1, true, false};  // (0, 1]

bool is_number(const Node& node);  // integer or number

// ---- bindings -----------------------------------------------------------------------------------
// `get` is a pointer to member, or a lambda that returns a reference to the field.

// For double or std::optional<double>.
template <typename T, typename Get>
Binding<T> number(Get get, Range range) {
  const std::string type = "a number " + range_text(range);
  return {type,
          [=](T& to, const Node& node, const Place& place, std::string_view key) {
            if (!is_number(node) || !range.holds(node.number)) fail_value(place, key, node, type);
            std::invoke(get, to) = node.number;
          },
          [=](const T& from) -> std::string {
            const auto& value = std::invoke(get, from);
            if constexpr (requires { value.has_value(); }) {
              return value ? toml_text(*value) : std::string();
            } else {
              return toml_text(value);
            }
          }};
}

std::string whole_type(std::int64_t low, std::int64_t high);

// For any integer type, or std::optional of one (Integer names it).
template <typename T, typename Integer, typename Get>
Binding<T> whole(Get get, std::int64_t low, std::int64_t high) {
  const std::string type = whole_type(low, high);
  return {type,
          [=](T& to, const Node& node, const Place& place, std::string_view key) {
            if (node.type != Node::Type::integer || node.integer < low || node.integer > high) {
              fail_value(place, key, node, type);
            }
            std::invoke(get, to) = static_cast<Integer>(node.integer);
          },
          [=](const T& from) -> std::string {
            const auto& value = std::invoke(get, from);
            if constexpr (requires { value.has_value(); }) {
              return value ? std::to_string(*value) : std::string();
            } else {
              return std::to_string(value);
            }
          }};
}

template <typename T, typename Get>
Binding<T> flag(Get get) {
  return {"true or false",
          [=](T& to, const Node& node, const Place& place, std::string_view key) {
            if (node.type != Node::Type::boolean) fail_value(place, key, node, "true or false");
            std::invoke(get, to) = node.boolean;
          },
          [=](const T& from) { return std::string(std::invoke(get, from) ? "true" : "false"); }};
}

template <typename T, typename Get>
Binding<T> text(Get get) {
  return {"text",
          [=](T& to, const Node& node, const Place& place, std::string_view key) {
            if (!node.is_text()) fail_value(place, key, node, "text in quotes");
            std::invoke(get, to) = node.text;
          },
          [=](const T& from) { return toml_text(std::string_view(std::invoke(get, from))); }};
}

template <typename E>
using Choices = std::vector<std::pair<std::string_view, E>>;

// "\"a\", \"b\" or \"c\""
std::string one_of(const std::vector<std::string_view>& names);
[[noreturn]] void fail_choice(const Place& place, std::string_view key, const Node& node,
                              const std::vector<std::string_view>& names);

template <typename T, typename E, typename Get>
Binding<T> choice(Get get, Choices<E> choices) {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : choices) names.push_back(name);
  return {one_of(names),
          [=](T& to, const Node& node, const Place& place, std::string_view key) {
            for (const auto& [name, value] : choices) {
              if (node.is_text() && node.text == name) {
                std::invoke(get, to) = value;
                return;
              }
            }
            fail_choice(place, key, node, names);
          },
          [=](const T& from) -> std::string {
            for (const auto& [name, value] : choices) {
              if (std::invoke(get, from) == value) return toml_text(name);
            }
            return "";
          }};
}

// ---- tables -------------------------------------------------------------------------------------

struct KnownKey {
  std::string_view name, elsewhere;
};
// "file:line: unknown key 'x' in WHERE; did you mean 'y'?"  Knows where else the key would belong.
[[noreturn]] void fail_unknown_key(const Place& place, const Entry& entry,
                                   const std::vector<KnownKey>& known);

// Reads one entry of a table without kinds.
template <typename T>
void read_entry(T& to, const std::vector<Key<T>>& keys, const Entry& entry, const Place& place) {
  for (const Key<T>& key : keys) {
    if (key.name == entry.key) {
      key.value.read(to, entry.value, place, key.name);
      return;
    }
  }
  std::vector<KnownKey> known;
  for (const Key<T>& key : keys) known.push_back({key.name, key.elsewhere});
  fail_unknown_key(place, entry, known);
}

template <typename T>
void read_table(T& to, const std::vector<Key<T>>& keys, const Node& node, const Place& place) {
  for (const Entry& entry : node.entries) read_entry(to, keys, entry, place);
}

// "{ a = 1, b = 2 }" of the keys that are set.
template <typename T>
std::string table_text(const T& from, const std::vector<Key<T>>& keys) {
  std::string text;
  for (const Key<T>& key : keys) {
    const std::string value = key.value.text(from);
    if (!value.empty()) text += (text.empty() ? "" : ", ") + std::string(key.name) + " = " + value;
  }
  return "{ " + text + " }";
}

// A fresh T of that kind with the defaults of the kind's keys.
template <typename T>
T defaults_of(const Kinded<T>& kinded, std::string_view kind) {
  T fresh;
  kinded.set_kind(fresh, kind);
  for (const Key<T>& key : kinded.keys) {
    if (key.fallback.empty() || key.fallback.front() == '(') continue;
    if (!key.kinds.empty() && !has_word(key.kinds, kind)) continue;
    key.value.read(fresh, parse_value(key.fallback), {"built-in default", "", ""}, key.name);
  }
  return fresh;
}

template <typename T>
std::string_view known_kind(const Kinded<T>& kinded, const Node& node, const Place& place,
                            std::string_view key);
[[noreturn]] void fail_kind(const Place& place, std::string_view key, const Node& node,
                            const std::vector<std::string_view>& kinds, std::string_view extra);
[[noreturn]] void fail_other_kind(const Place& place, const Entry& entry, std::string_view noun,
                                  std::string_view kind, const std::string& kinds);

// A table that names a kind (or the kind's name alone) replaces what `to` held; one that names none
// changes what it lists and keeps the rest.
template <typename T>
void read_kinded(T& to, const Kinded<T>& kinded, const Node& node, const Place& place) {
  const Node* kind = node.is_text() ? &node : node.find("kind");
  if (kind != nullptr) {
    to = defaults_of(kinded, known_kind(kinded, *kind, place, node.is_text() ? "" : "kind"));
  } else if (!node.is_table()) {
    fail_value(place, "", node,
               "a kind, or a table such as { kind = " + toml_text(kinded.kinds.front()) + " }");
  }
  const std::string_view chosen = kinded.kind(to);
  for (const Entry& entry : node.entries) {
    if (entry.key == "kind") continue;
    std::string elsewhere;
    std::vector<KnownKey> known{{"kind", ""}};
    bool found = false;
    for (const Key<T>& key : kinded.keys) {
      const bool here = key.kinds.empty() || has_word(key.kinds, chosen);
      if (here) known.push_back({key.name, key.elsewhere});
      if (key.name != entry.key) continue;
      if (here) {
        key.value.read(to, entry.value, place, key.name);
        found = true;
        break;
      }
      elsewhere += (elsewhere.empty() ? "" : " ") + std::string(key.kinds);
    }
    if (found) continue;
    if (!elsewhere.empty()) fail_other_kind(place, entry, kinded.name, chosen, elsewhere);
    fail_unknown_key(place, entry, known);
  }
}

template <typename T>
std::string_view known_kind(const Kinded<T>& kinded, const Node& node, const Place& place,
                            std::string_view key) {
  for (const std::string_view kind : kinded.kinds) {
    if (node.is_text() && node.text == kind) return kind;
  }
  for (const auto& [alias, kind] : kinded.aliases) {
    if (node.is_text() && node.text == alias) return kind;
  }
  fail_kind(place, key, node, kinded.kinds, kinded.unknown_kind);
}

// "{ kind = \"cosine\", interval = \"step\" }" with every key of the kind that is set.
template <typename T>
std::string kinded_text(const T& from, const Kinded<T>& kinded) {
  const std::string_view kind = kinded.kind(from);
  std::string text = "{ kind = " + toml_text(kind);
  for (const Key<T>& key : kinded.keys) {
    if (!key.kinds.empty() && !has_word(key.kinds, kind)) continue;
    const std::string value = key.value.text(from);
    if (!value.empty()) text += ", " + std::string(key.name) + " = " + value;
  }
  return text + " }";
}

// A key whose value is a table with a kind.
template <typename T, typename S, typename Get>
Binding<T> kinded_table(Get get, const Kinded<S>& kinded) {
  return {"a kind, or a table",
          [=, &kinded](T& to, const Node& node, const Place& place, std::string_view key) {
            read_kinded<S>(std::invoke(get, to), kinded, node, place.inside(key));
          },
          [=, &kinded](const T& from) { return kinded_text<S>(std::invoke(get, from), kinded); }};
}

}  // namespace bioptic::schema
