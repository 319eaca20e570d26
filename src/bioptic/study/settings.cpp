#include "bioptic/study/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/study/check.h"
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

constexpr const char* kSplitBy = "split_by";  // a key of [data] that an arm may set, too

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

// A kind's name alone as a table, to which keys can be added.
Node as_table(Node value) {
  if (!value.is_text()) return value;
  Node table;
  table.entries.push_back({"kind", 0, std::move(value)});
  return table;
}

// A scheduler that cannot be used by its name alone gets what it lacks, as the message that asks
// for it suggests.  True where it did.
bool complete_schedule(Node& value) {
  const Node* kind = value.is_text() ? &value : value.find("kind");
  if (kind == nullptr || !kind->is_text()) return false;
  const std::vector<std::string> needed = schema::needed_schedule_keys(kind->text);
  bool added = false;
  for (const std::string& setting : needed) {
    Node example = parse_value("{ " + setting + " }");
    forget_lines(example);
    if (value.find(example.entries.front().key) != nullptr) continue;  // given
    value = as_table(std::move(value));
    value.entries.push_back(std::move(example.entries.front()));
    added = true;
  }
  return added;
}

// Merges two settings of the same table: a kind and its keys, in whichever order they are given.
void add_setting(std::vector<Entry>& settings, Entry entry) {
  for (Entry& known : settings) {
    if (known.key == entry.key) {
      known.value = as_table(std::move(known.value));
      entry.value = as_table(std::move(entry.value));
      if (!known.value.is_table() || !entry.value.is_table()) break;
      for (Entry& inner : entry.value.entries) known.value.entries.push_back(std::move(inner));
      return;
    }
  }
  settings.push_back(std::move(entry));
}

// As the study file spells it: "one-cycle" and "One_Cycle" are one_cycle.
std::string spelled(std::string word) {
  for (char& c : word) {
    c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return word;
}

// The table of [train] that has the key when [train] has not: "optimizer" for lr, momentum and
// learning_rate; "" where none has it, or more than one.
std::string table_of(std::string& key) {
  std::string table;
  int found = 0;
  const auto among = [&](const char* name, const auto& keys) {
    for (const auto& known : keys) {
      if (known.name != key && !schema::has_word(known.elsewhere, key)) continue;
      table = name;
      key = known.name;
      ++found;
      return;
    }
  };
  const std::string asked = key;
  among("model", schema::model_table().keys);
  among("loss", schema::loss_table().keys);
  among("optimizer", schema::optimizer_table().keys);
  among("scheduler", schema::scheduler_table().keys);
  among("normalisation", schema::normalisation_table().keys);
  among("early_stopping", schema::early_stopping_keys());
  among("augment", schema::augment_keys());
  if (found == 1) return table;
  key = asked;
  return "";
}

// Finds the key's place, and says where a key stands that no arm can set.
void find_place(Option& option) {
  const auto known = [&](const auto& keys) {
    return std::any_of(keys.begin(), keys.end(),
                       [&](const auto& key) { return key.name == option.key; });
  };
  if (known(schema::train_keys()) || option.key == kSplitBy) return;
  for (const auto& key : schema::train_keys()) {
    if (!schema::has_word(key.elsewhere, option.key)) continue;
    option.key = key.name;
    return;
  }
  const char* section = known(schema::study_keys())  ? "[study]"
                        : known(schema::data_keys()) ? "[data]"
                                                     : nullptr;
  if (section != nullptr) {
    throw InputError(fmt::format(
        "--vary {}: {} stands in {}, which all arms of a study share; --vary takes keys of "
        "[train], "
        "such as batch_size, scheduler, loss, optimizer.lr or model.dropout. For several values of "
        "{} write a study for each",
        option.text, option.key, section, option.key));
  }
  option.table = table_of(option.key);
}

// A word that only a hyphen or a capital keeps from being what the key takes.
Node respelled(const Option& option, const Node& value, const schema::Place& place) {
  const auto read = [&](const Node& node) {
    TrainDraft draft = schema::default_train();
    schema::read_entry(draft, schema::train_keys(), entry_of(option, node), place);
  };
  Node other = value;
  if (value.is_text()) other.text = spelled(value.text);
  try {
    read(value);
    return value;
  } catch (const InputError&) {
    if (!value.is_text() || other.text == value.text) throw;
    try {
      read(other);
    } catch (const InputError&) {
      read(value);  // throws: the message is about the word as it was given
    }
  }
  return other;
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
  option.key = spelled(dot == std::string::npos ? name : name.substr(dot + 1));
  if (dot != std::string::npos) {
    option.table = spelled(name.substr(0, dot));
  } else {
    find_place(option);
  }
  const schema::Place place{"--vary " + text, "[train]", ""};
  for (const std::string& part : split_values(text.substr(equals + 1))) {
    const std::string value = trimmed(part);
    if (value.empty()) throw InputError(fmt::format("--vary {}: a value is missing", text));
    option.values.push_back(read_value(value));
  }
  // A key of a table belongs to kinds; which kind there will be is checked with the whole file.
  if (option.table.empty() && option.key != kSplitBy) {
    for (Node& value : option.values) value = respelled(option, value, place);
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
    for (Entry& entry : settings) {
      const bool completed = entry.key == "scheduler" && complete_schedule(entry.value);
      text += fmt::format("{} = {}{}\n", entry.key, toml_text(entry.value),
                          completed ? "  # this kind needs them: values to start from" : "");
    }
  }
  return text;
}

}  // namespace bioptic
