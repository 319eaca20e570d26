#include "bioptic/study/reference.h"

#include <fmt/format.h>

#include "bioptic/study/keys.h"

namespace bioptic {
namespace {

using schema::Key;
using schema::Kinded;

// A pipe would end a cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string default_cell(std::string_view fallback) {
  if (fallback.empty()) return "";
  if (fallback.front() != '(') return "`" + cell(fallback) + "`";
  return cell(fallback.substr(1, fallback.size() - 2));
}

std::string kinds_cell(std::string_view kinds) {
  if (kinds.empty()) return "all";
  std::string text;
  for (const char c : kinds) text += c == ' ' ? std::string(", ") : std::string(1, c);
  return text;
}

std::string elsewhere_cell(std::string_view names) {
  std::string text;
  for (const char c : names) text += c == ' ' ? std::string("`, `") : std::string(1, c);
  return text.empty() ? "" : " (elsewhere `" + text + "`)";
}

template <typename T>
std::string rows(const std::vector<Key<T>>& keys, bool with_kinds) {
  std::string text = with_kinds
                         ? "| key | kinds | value | default | meaning |\n|---|---|---|---|---|\n"
                         : "| key | value | default | meaning |\n|---|---|---|---|\n";
  for (const Key<T>& key : keys) {
    text += fmt::format("| `{}` |", key.name);
    if (with_kinds) text += fmt::format(" {} |", kinds_cell(key.kinds));
    text += fmt::format(" {} | {} | {}{} |\n", cell(key.value.type), default_cell(key.fallback),
                        cell(key.doc), elsewhere_cell(key.elsewhere));
  }
  return text;
}

template <typename T>
std::string kinded_section(const Kinded<T>& table) {
  std::string kinds;
  for (const std::string_view kind : table.kinds) {
    kinds += fmt::format("{}`{}`", kinds.empty() ? "" : ", ", kind);
  }
  for (const auto& [alias, kind] : table.aliases) {
    kinds += fmt::format("; `{}` is another name for `{}`", alias, kind);
  }
  bool with_kinds = false;
  for (const Key<T>& key : table.keys) with_kinds = with_kinds || !key.kinds.empty();
  return fmt::format("### `{} = {{ kind = ..., ... }}`\n\nKinds: {}.\n\n{}\n", table.name, kinds,
                     rows(table.keys, with_kinds));
}

std::string claim_section() {
  const Kinded<ClaimSpec>& table = schema::claim_table();
  std::string kinds;
  for (const std::string_view kind : table.kinds) {
    kinds += fmt::format("{}`{}`", kinds.empty() ? "" : ", ", kind);
  }
  return fmt::format("## `[[claim]]`\n\nKinds: {}.\n\n{}", kinds, rows(table.keys, true));
}

}  // namespace

std::string study_file_reference() {
  std::string text;
  text += "## `[study]`\n\n" + rows(schema::study_keys(), false) + "\n";
  text += "### `seeds = { ... }`\n\n" + rows(schema::seeds_keys(), false) + "\n";
  text += "## `[data]`\n\n" + rows(schema::data_keys(), false) + "\n";
  text += "### `phantom = { ... }`\n\n" + rows(schema::phantom_keys(), false) + "\n";
  text += "## `[shift]`\n\nWithout this section there is no hold-out.\n\n" +
          rows(schema::shift_keys(), false) + "\n";
  text += "## `[train]`\n\n" + rows(schema::train_keys(), false) + "\n";
  text += kinded_section(schema::model_table());
  text += kinded_section(schema::loss_table());
  text += kinded_section(schema::optimizer_table());
  text += kinded_section(schema::scheduler_table());
  text += kinded_section(schema::normalisation_table());
  text += "### `early_stopping = { ... }`\n\n" + rows(schema::early_stopping_keys(), false) + "\n";
  text += "### `augment = { ... }`\n\n" + rows(schema::augment_keys(), false) + "\n";
  text +=
      "## `[[arm]]`\n\nBesides the keys of `[train]`:\n\n" + rows(schema::arm_keys(), false) + "\n";
  text += "Metrics that `reported` may name: ";
  for (std::size_t i = 0; i < schema::metric_names().size(); ++i) {
    text += fmt::format("{}`{}`", i > 0 ? ", " : "", schema::metric_names()[i]);
  }
  return text + ".\n\n" + claim_section();
}

}  // namespace bioptic
