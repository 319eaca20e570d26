// A study file, checked, as a StudySpec.
#include <fmt/format.h>

#include <algorithm>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/study/check.h"
#include "bioptic/study/keys.h"
#include "bioptic/study/spec.h"

namespace bioptic {
namespace {

using schema::fail;
using schema::fail_value;
using schema::Place;
using schema::TrainDraft;

constexpr std::size_t kMaxArms = 1000;

// What the sections of one file are read from and into.
struct Reader {
  std::string file;
  StudySpec study;
  TrainDraft shared = schema::default_train();
  std::map<std::string, int> train_lines;  // key of [train] -> line
};

const Node& expect_table(const Reader& reader, const Entry& entry) {
  if (!entry.value.is_table()) {
    fail({reader.file, "", ""}, entry.line,
         fmt::format("'{}' must be a section: write [{}] on a line of its own", entry.key,
                     entry.key));
  }
  return entry.value;
}

void read_study_section(Reader& reader, const Entry& section) {
  const Place place{reader.file, "[study]", ""};
  for (const Entry& entry : expect_table(reader, section).entries) {
    schema::read_entry(reader.study, schema::study_keys(), entry, place);
    reader.study.lines["study." + entry.key] = entry.line;
  }
}

void read_data_section(Reader& reader, const Entry& section) {
  const Place place{reader.file, "[data]", ""};
  DataSpec& data = reader.study.data;
  for (const Entry& entry : expect_table(reader, section).entries) {
    schema::read_entry(data, schema::data_keys(), entry, place);
    reader.study.lines["data." + entry.key] = entry.line;
    if (entry.key == "source" && data.source.empty()) {
      fail_value(place, "source", entry.value, "\"phantom\" or a path");
    }
  }
}

void read_shift_section(Reader& reader, const Entry& section) {
  const Place place{reader.file, "[shift]", ""};
  reader.study.shift.emplace();
  for (const Entry& entry : expect_table(reader, section).entries) {
    schema::read_entry(*reader.study.shift, schema::shift_keys(), entry, place);
    reader.study.lines["shift." + entry.key] = entry.line;
  }
  reader.study.data.split.holdout_fraction = reader.study.shift->holdout_fraction;
}

void read_train_section(Reader& reader, const Entry& section) {
  const Place place{reader.file, "[train]", ""};
  for (const Entry& entry : expect_table(reader, section).entries) {
    schema::read_entry(reader.shared, schema::train_keys(), entry, place);
    reader.train_lines[entry.key] = entry.line;
  }
  if (!reader.shared.save_models) return;
  const auto in_study = reader.study.lines.find("study.save_models");
  if (in_study != reader.study.lines.end() &&
      reader.study.save_models != *reader.shared.save_models) {
    fail(place, reader.train_lines.at("save_models"),
         fmt::format("save_models differs from that of [study] in line {}; give it once",
                     in_study->second));
  }
  reader.study.save_models = *reader.shared.save_models;
}

bool is_arm_key(std::string_view key) {
  return std::any_of(schema::arm_keys().begin(), schema::arm_keys().end(),
                     [key](const auto& known) { return known.name == key; });
}

// One of an arm's own settings, on top of what `draft` holds.
void read_override(TrainDraft& draft, const Entry& entry, const Place& place) {
  if (entry.key == "save_models") {
    fail(place, entry.line, "save_models belongs in [study]: it is the same for all arms");
  }
  const auto& keys = schema::train_keys();
  const bool known =
      std::any_of(keys.begin(), keys.end(), [&](const auto& key) { return key.name == entry.key; });
  if (!known) {
    std::vector<schema::KnownKey> names;
    for (const auto& key : schema::arm_keys()) names.push_back({key.name, ""});
    for (const auto& key : keys) {
      if (key.name != "save_models") names.push_back({key.name, key.elsewhere});
    }
    schema::fail_unknown_key(place, entry, names);
  }
  schema::read_entry(draft, keys, entry, place);
}

// "batch_size = 10"; a table without a kind as "optimizer.lr = 0.01, optimizer.eps = 1e-06".
std::string own_text(const Entry& entry, std::string_view equals) {
  if (entry.value.is_table() && entry.value.find("kind") == nullptr) {
    std::string text;
    for (const Entry& inner : entry.value.entries) {
      if (!text.empty()) text += ", ";
      text += fmt::format("{}.{}{}{}", entry.key, inner.key, equals, plain_text(inner.value));
    }
    return text;
  }
  return fmt::format("{}{}{}", entry.key, equals, plain_text(entry.value));
}

// A default that is written out is the default: two ways to say the same have one trial id.
void forget_defaults(TrainSpec& train) {
  if (train.loss.pos_weight == 1.0) train.loss.pos_weight.reset();
  if (train.schedule.down_epochs == train.schedule.up_epochs) train.schedule.down_epochs = 0;
}

void finish_arm(Reader& reader, ArmSpec arm, const TrainDraft& draft) {
  arm.train = draft.spec;
  arm.train.loss = draft.loss.spec;
  forget_defaults(arm.train);
  arm.class_weight = draft.loss.class_weight;
  for (const auto& [key, line] : reader.train_lines) arm.lines.emplace(key, line);
  for (const ArmSpec& other : reader.study.arms) {
    if (other.name == arm.name) {
      fail({reader.file, "", ""}, arm.line,
           fmt::format("two arms are named '{}' (the first in line {}); give each its own name",
                       arm.name, other.line));
    }
  }
  schema::check_arm(arm, reader.file);
  reader.study.arms.push_back(std::move(arm));
}

void read_arm(Reader& reader, const Node& node) {
  ArmSpec arm;
  arm.line = node.line;
  Place place{reader.file, "[[arm]]", ""};
  // The name first: every other message of this arm mentions it.
  for (const Entry& entry : node.entries) {
    if (entry.key == "name") schema::read_entry(arm, schema::arm_keys(), entry, place);
  }
  if (arm.name.empty()) fail(place, node.line, "this [[arm]] has no name; add name = \"...\"");
  place.section += " '" + arm.name + "'";
  TrainDraft draft = reader.shared;
  for (const Entry& entry : node.entries) {
    arm.lines[entry.key] = entry.line;
    if (is_arm_key(entry.key)) {
      schema::read_entry(arm, schema::arm_keys(), entry, place);
    } else {
      read_override(draft, entry, place);
    }
    if (entry.key != "name" && !entry.key.starts_with("reported")) {
      arm.own.push_back(own_text(entry, " = "));
    }
  }
  finish_arm(reader, std::move(arm), draft);
}

void read_arms(Reader& reader, const Entry& section) {
  if (!section.value.is_array()) {
    fail({reader.file, "", ""}, section.line,
         "an arm is written [[arm]], with two brackets, once for each arm");
  }
  for (const Node& node : section.value.items) {
    if (!node.is_table()) {
      fail({reader.file, "", ""}, node.line, "arm: expected [[arm]] sections, one for each arm");
    }
    read_arm(reader, node);
  }
}

void read_claims(Reader& reader, const Entry& section) {
  if (!section.value.is_array()) {
    fail({reader.file, "", ""}, section.line,
         "a claim is written [[claim]], with two brackets, once for each claim");
  }
  for (const Node& node : section.value.items) {
    if (!node.is_table()) {
      fail({reader.file, "", ""}, node.line,
           "claim: expected [[claim]] sections, one for each claim");
    }
    const Node* id = node.find("id");
    const Place place{reader.file,
                      id != nullptr && id->is_text() ? "[[claim]] '" + id->text + "'" : "[[claim]]",
                      ""};
    reader.study.claims.push_back(schema::read_claim_table(node, place));
  }
}

// Every combination of the values, the first key varying slowest.
void read_grid(Reader& reader, const Entry& section) {
  const Place place{reader.file, "[grid]", ""};
  const std::vector<Entry>& keys = expect_table(reader, section).entries;
  std::size_t combinations = keys.empty() ? 0 : 1;
  for (const Entry& entry : keys) {
    if (!entry.value.is_array() || entry.value.items.empty()) {
      fail_value(place, entry.key, entry.value, "an array of values, one for each arm");
    }
    combinations *= entry.value.items.size();
    if (combinations > kMaxArms) {
      fail(place, section.line, fmt::format("[grid] has more than {} combinations", kMaxArms));
    }
  }
  for (std::size_t index = 0; index < combinations; ++index) {
    ArmSpec arm;
    arm.line = section.line;
    TrainDraft draft = reader.shared;
    std::size_t stride = combinations;
    for (const Entry& entry : keys) {
      stride /= entry.value.items.size();
      const std::size_t choice = index / stride % entry.value.items.size();
      const Entry chosen{entry.key, entry.line, entry.value.items[choice]};
      read_override(draft, chosen, place);
      arm.lines[entry.key] = entry.line;
      arm.name += (arm.name.empty() ? "" : ", ") + own_text(chosen, "=");
      arm.own.push_back(own_text(chosen, " = "));
    }
    finish_arm(reader, std::move(arm), draft);
  }
}

void check_top_level(const Reader& reader, const Node& document) {
  const Place place{reader.file, "the study file, outside any section", ""};
  for (const Entry& entry : document.entries) {
    const std::vector<schema::KnownKey> known{{"study", ""}, {"data", ""}, {"train", ""},
                                              {"shift", ""}, {"arm", ""},  {"grid", ""},
                                              {"claim", ""}};
    if (std::any_of(known.begin(), known.end(),
                    [&](const auto& section) { return section.name == entry.key; })) {
      continue;
    }
    if (entry.value.is_table() || entry.value.is_array()) {
      std::vector<std::string_view> names;
      for (const auto& section : known) names.push_back(section.name);
      if (schema::home_of(entry.key).empty()) {
        fail(place, entry.line,
             fmt::format("unknown section '{}'{}", entry.key, suggestion(entry.key, names)));
      }
    }
    schema::fail_unknown_key(place, entry, known);
  }
}

// `size` belongs to the images as they are imported; the phantom is made in that size.
void settle_phantom_size(Reader& reader) {
  DataSpec& data = reader.study.data;
  if (data.source != "phantom") {
    if (data.size) data.phantom.size = *data.size;
    return;
  }
  data.phantom.size = data.size.value_or(data.phantom.size);
  data.size = data.phantom.size;
  const auto& lines = reader.study.lines;
  if (lines.contains("data.source") && (*data.size < 32 || *data.size > 1024)) {
    fail({reader.file, "[data]", ""}, lines.at("data.size"),
         fmt::format("[data] size = {}: the phantom is made in 32 to 1024 pixels", *data.size));
  }
}

void note_equal_arms(StudySpec& study) {
  for (std::size_t i = 0; i < study.arms.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (schema::same_training(study.arms[i], study.arms[j])) {
        study.notes.push_back(
            fmt::format("arms '{}' and '{}' have the same settings, so they share their trials",
                        study.arms[j].name, study.arms[i].name));
        break;
      }
    }
  }
}

}  // namespace

StudySpec parse_study_text(const std::string& text, const std::filesystem::path& file) {
  Reader reader;
  reader.file = file.string();
  const Node document = parse_document(text, reader.file);
  check_top_level(reader, document);
  reader.study.file = file;
  reader.study.text = text;
  const auto section = [&](std::string_view key, void (*read)(Reader&, const Entry&)) {
    for (const Entry& entry : document.entries) {
      if (entry.key == key) read(reader, entry);
    }
  };
  section("study", read_study_section);
  section("data", read_data_section);
  section("shift", read_shift_section);
  section("train", read_train_section);
  if (document.find("grid") != nullptr && document.find("arm") != nullptr) {
    fail({reader.file, "", ""}, document.find("grid")->line,
         "a study has either [[arm]] sections or a [grid], not both; write the grid's arms as "
         "[[arm]] "
         "sections");
  }
  section("arm", read_arms);
  section("grid", read_grid);
  section("claim", read_claims);
  StudySpec& study = reader.study;
  if (study.arms.empty()) {
    throw InputError(
        fmt::format("{}: the study has no arms; add at least one [[arm]] section with a name, or a "
                    "[grid] such as batch_size = [10, 50]",
                    reader.file));
  }
  if (study.name.empty()) {
    const Node stem = parse_value(toml_text(std::string_view(file.stem().string())));
    schema::read_entry(study, schema::study_keys(), {"name", 1, stem},
                       {reader.file, "[study]", ""});
  }
  settle_phantom_size(reader);
  schema::check_vary(study);
  schema::check_pairs(study);
  schema::check_claims(study);
  note_equal_arms(study);
  if (study.shift && study.shift->control) schema::add_control_arms(study);
  return std::move(reader.study);
}

StudySpec parse_study(const std::filesystem::path& file) {
  return parse_study_text(read_file(file), file);
}

}  // namespace bioptic
