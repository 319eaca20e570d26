#include "bioptic/study/settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "bioptic/base/error.h"
#include "bioptic/study/keys.h"

namespace bioptic {
namespace {

using schema::TrainDraft;

TrainDraft draft_of(const TrainSpec& spec) {
  TrainDraft draft;
  draft.spec = spec;
  draft.loss.spec = spec.loss;
  return draft;
}

// One --vary option: "key=value,value".
struct Option {
  std::string text;        // as given
  std::string table, key;  // "optimizer", "lr"; table "" for a key of [train] itself
  std::vector<Node> values;
};

// Splits at commas that are not inside brackets, braces or quotes.
std::vector<std::string> split_values(const std::string& text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  char quote = 0;
  for (const char c : text) {
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && depth == 0) {
      parts.emplace_back();
      continue;
    }
    parts.back() += c;
  }
  return parts;
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\n");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1);
}

void forget_lines(Node& node) {
  node.line = 0;
  for (Node& item : node.items) forget_lines(item);
  for (Entry& entry : node.entries) {
    entry.line = 0;
    forget_lines(entry.value);
  }
}

// TOML, or a word without its quotes.
Node read_value(const std::string& text) {
  Node node;
  try {
    node = parse_value(text);
  } catch (const InputError&) {
    node.type = Node::Type::text;
    node.text = text;
  }
  forget_lines(node);
  return node;
}

Entry entry_of(const Option& option, const Node& value) {
  if (option.table.empty()) return {option.key, 0, value};
  Node table;
  table.entries.push_back({option.key, 0, value});
  return {option.table, 0, table};
}

// Merges b's table into a's where both set keys of the same table.
void add_setting(std::vector<Entry>& settings, Entry entry) {
  for (Entry& known : settings) {
    if (known.key == entry.key && known.value.is_table() && entry.value.is_table()) {
      for (Entry& inner : entry.value.entries) known.value.entries.push_back(std::move(inner));
      return;
    }
  }
  settings.push_back(std::move(entry));
}

Option parse_option(const std::string& text) {
  Option option;
  option.text = text;
  const std::size_t equals = text.find('=');
  const std::string name = trimmed(text.substr(0, equals));
  if (equals == std::string::npos || name.empty()) {
    throw InputError(
        fmt::format("--vary {}: expected key=value,value,..., such as batch_size=10,50,100", text));
  }
  const std::size_t dot = name.find('.');
  option.key = dot == std::string::npos ? name : name.substr(dot + 1);
  if (dot != std::string::npos) option.table = name.substr(0, dot);
  const schema::Place place{"--vary " + text, "[train]", ""};
  for (const std::string& part : split_values(text.substr(equals + 1))) {
    const std::string value = trimmed(part);
    if (value.empty()) throw InputError(fmt::format("--vary {}: a value is missing", text));
    option.values.push_back(read_value(value));
  }
  // A key of a table belongs to kinds; which kind there will be is checked with the whole file.
  if (option.table.empty()) {
    for (const Node& value : option.values) {
      TrainDraft draft = schema::default_train();
      schema::read_entry(draft, schema::train_keys(), entry_of(option, value), place);
    }
  }
  return option;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> settings_text(const TrainSpec& spec) {
  const TrainDraft draft = draft_of(spec);
  std::vector<std::pair<std::string, std::string>> settings;
  for (const auto& key : schema::train_keys()) {
    const std::string value = key.value.text(draft);
    if (!value.empty()) settings.emplace_back(key.name, plain_text(parse_value(value)));
  }
  return settings;
}

std::string train_toml(const TrainSpec& spec) {
  const TrainDraft draft = draft_of(spec);
  std::string text;
  for (const auto& key : schema::train_keys()) {
    const std::string value = key.value.text(draft);
    if (!value.empty()) text += fmt::format("{} = {}\n", key.name, value);
  }
  return text;
}

std::string seeds_text(const StudySpec& study, bool val_from_source) {
  const SeedPlan& plan = study.seeds;
  if (plan.crossed) {
    return fmt::format("{} x {} x {} = {} combinations of split, init and order", plan.split,
                       plan.init, plan.order, plan.split * plan.init * plan.order);
  }
  Vary vary;
  vary.split = !val_from_source;
  if (study.vary) vary = *study.vary;
  std::vector<std::string> streams;
  if (vary.split) streams.emplace_back("split");
  if (vary.init) streams.emplace_back("init");
  if (vary.order) streams.emplace_back("order");
  std::string list;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    if (i > 0) list += i + 1 == streams.size() ? " and " : ", ";
    list += streams[i];
  }
  if (plan.count == 1) return "1 seed";
  return fmt::format("{} seeds; each changes {}", plan.count, list);
}

std::string vary_arms_toml(const std::vector<std::string>& options) {
  std::vector<Option> parsed;
  std::size_t combinations = 1;
  for (const std::string& option : options) {
    parsed.push_back(parse_option(option));
    combinations *= parsed.back().values.size();
    if (combinations > 1000)
      throw InputError("--vary gives more than 1000 arms; vary fewer values");
  }
  std::string text;
  for (std::size_t index = 0; index < combinations; ++index) {
    std::string name;
    std::vector<Entry> settings;
    std::size_t stride = combinations;
    for (const Option& option : parsed) {
      stride /= option.values.size();
      const Node& value = option.values[index / stride % option.values.size()];
      name += fmt::format("{}{}={}", name.empty() ? "" : ", ",
                          option.table.empty() ? option.key : option.table + "." + option.key,
                          plain_text(value));
      add_setting(settings, entry_of(option, value));
    }
    text += fmt::format("{}[[arm]]\nname = {}\n", index > 0 ? "\n" : "", toml_text(name));
    for (const Entry& entry : settings) {
      text += fmt::format("{} = {}\n", entry.key, toml_text(entry.value));
    }
  }
  return text;
}

}  // namespace bioptic
