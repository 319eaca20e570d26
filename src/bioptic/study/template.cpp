#include "bioptic/study/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "bioptic/base/error.h"
#include "bioptic/study/keys.h"
#include "bioptic/study/settings.h"
#include "bioptic/study/spec.h"

namespace bioptic {
namespace {

constexpr std::size_t kLineWidth = 96;

// The key's own documentation as comment lines.
template <typename T>
std::string comment(const std::vector<schema::Key<T>>& keys, std::string_view name) {
  std::string text, line = "#";
  for (const auto& key : keys) {
    if (key.name != name) continue;
    std::string word;
    for (const char c : std::string(key.doc) + " ") {
      if (c != ' ') {
        word += c;
        continue;
      }
      if (line.size() + 1 + word.size() > kLineWidth) {
        text += line + "\n";
        line = "#";
      }
      line += " " + word;
      word.clear();
    }
  }
  return text + line + "\n";
}

template <typename T>
std::string setting(const std::vector<schema::Key<T>>& keys, std::string_view name,
                    const std::string& value) {
  return comment(keys, name) + fmt::format("{} = {}\n", name, value);
}

// A setting that is not known or not needed: shown, but in a comment.
template <typename T>
std::string left_out(const std::vector<schema::Key<T>>& keys, std::string_view name,
                     const std::string& value) {
  return comment(keys, name) + fmt::format("# {} = {}\n", name, value);
}

}  // namespace

std::span<const Template> templates() {
  static constexpr std::array<Template, 2> kTemplates = {{
      {"study", "one commented study to start from"},
      {"homework",
       "the report's studies: loss, batch size, scheduler, and the gap to the test set"},
  }};
  return kTemplates;
}

std::string data_section(const DataFacts& facts) {
  const auto& keys = schema::data_keys();
  std::string text = "[data]\n";
  if (!facts.words.empty()) text += "# " + facts.words + "\n";
  text += setting(keys, "source", toml_text(std::string_view(facts.source)));
  if (facts.source == "phantom") {
    text +=
        setting(keys, "phantom", R"({ train = 2000, test = 400, shift = "default", seed = 1 })");
  }
  text += facts.size ? setting(keys, "size", std::to_string(*facts.size))
                     : left_out(keys, "size", "256");
  text += facts.channels ? setting(keys, "channels", std::to_string(*facts.channels))
                         : left_out(keys, "channels", "1");
  if (facts.classes.empty()) {
    text += left_out(keys, "positive", "\"...\"");
  } else {
    std::string list;
    for (const std::string& name : facts.classes) list += (list.empty() ? "" : ", ") + name;
    text += "# Classes: " + list + ".\n";
    const std::string& positive =
        facts.positive.empty() ? *std::max_element(facts.classes.begin(), facts.classes.end())
                               : facts.positive;
    text += setting(keys, "positive", toml_text(std::string_view(positive)));
  }
  if (facts.source_has_val) text += setting(keys, "val", "\"auto\"");
  text += setting(keys, "val_fraction", "0.2");
  const bool groups = facts.groups_known || !facts.group.empty();
  text += setting(keys, "split_by", groups && !facts.by_image ? "\"group\"" : "\"image\"");
  if (!facts.group.empty()) {
    text += setting(keys, "group", toml_text(std::string_view(facts.group)));
  } else if (!facts.groups_known) {
    text += left_out(keys, "group", R"('(patient\d+)')");
  }
  if (facts.sixteen_bit) text += setting(keys, "window", "\"range\"");
  return text;
}

std::string study_template(const DataFacts& facts, const std::string& name,
                           const std::vector<std::string>& vary) {
  const auto& study = schema::study_keys();
  const auto& train = schema::train_keys();
  std::string text =
      "# A study: every [[arm]] is trained with the same seeds on the same data.\n"
      "# Every key is explained in docs/study-file.md.\n\n[study]\n";
  text += setting(study, "name", toml_text(std::string_view(name)));
  text += setting(
      study, "question",
      vary.empty()
          ? "\"What does this setting change?\""
          : toml_text(std::string_view(
                "What does " + vary.front().substr(0, vary.front().find('=')) + " change?")));
  text += setting(study, "seeds", "5");
  text += setting(study, "margin", "0.01");
  text += "\n" + data_section(facts);
  text += "\n# Shared by every arm.\n[train]\n";
  text += setting(train, "model", R"({ kind = "mlp", hidden = [64, 64], activation = "relu" })");
  text += setting(train, "epochs", "30");
  text += setting(train, "batch_size", "30");
  text += setting(train, "loss",
                  facts.classes.size() > 2 ? "\"cross_entropy\"" : "\"bce_with_logits\"");
  text += setting(train, "optimizer", R"({ kind = "adam", lr = 1e-3 })");
  text += setting(train, "scheduler", R"({ kind = "cosine", interval = "step" })");
  text += "\n# An arm sets what it changes; all else is as in [train].\n";
  if (vary.empty()) {
    text +=
        "[[arm]]\nname = \"baseline\"\n\n"
        "# [[arm]]\n# name = \"exponential\"\n"
        "# scheduler = { kind = \"exponential\", gamma = 0.95, interval = \"epoch\" }\n"
        "# reported = { test_accuracy = 0.725 }  # what a paper said, shown beside the result\n";
    return text;
  }
  text += vary_arms_toml(vary);
  try {
    parse_study_text(text, name + ".toml");
  } catch (const InputError& error) {
    std::string options;
    for (const std::string& option : vary) options += " --vary " + option;
    throw InputError(
        fmt::format("init{}: the study file would not be valid: {}", options, error.what()));
  }
  return text;
}

}  // namespace bioptic
