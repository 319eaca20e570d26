#include "bioptic/data/csv.h"

#include "bioptic/base/error.h"
#include "bioptic/base/utf8.h"

namespace bioptic {

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\n\r") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string csv_text(std::string_view text) {
  return is_utf8(text) ? csv_field(text) : csv_field(as_utf8(text));
}

namespace {

// Nothing but blanks: what follows a separator before a quote, as people type it.
bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t") == std::string_view::npos;
}

}  // namespace

std::vector<std::string> csv_record(std::string_view text, std::size_t& at, const std::string& name,
                                    std::size_t line, char separator) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c != '"') {
        fields.back() += c;
      } else if (at + 1 < text.size() && text[at + 1] == '"') {
        fields.back() += '"';
        ++at;
      } else {
        quoted = false;
      }
    } else if (c == '"' && is_blank(fields.back())) {
      fields.back().clear();
      quoted = true;
    } else if (c == separator) {
      fields.emplace_back();
    } else if (c == '\n' || c == '\r') {
      at += c == '\r' && at + 1 < text.size() && text[at + 1] == '\n' ? 2 : 1;
      return fields;
    } else {
      fields.back() += c;
    }
  }
  if (quoted) {
    throw InputError(name + ":" + std::to_string(line) + ": a quote is opened and never closed");
  }
  return fields;
}

}  // namespace bioptic
