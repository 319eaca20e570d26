#include "bioptic/data/plain_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "bioptic/base/json_text.h"
#include "bioptic/base/nesting.h"
#include "bioptic/data/loss.h"
#include "bioptic/data/source_extent.h"

namespace bioptic {
namespace {

using nlohmann::json;

std::string key_words(std::string key) {
  if (key == kSourceExtentKey) return "images before they were prepared";
  std::replace(key.begin(), key.end(), '_', ' ');
  return key;
}

// A value on one line: 3, text, "1 to 4" of two numbers, "a 1, b 2" of an object.
std::string value_words(const json& value) {
  if (value.is_string()) return as_utf8(value.get<std::string>());
  if (value.is_array() && value.size() == 2 && value[0].is_number() && value[1].is_number()) {
    return fmt::format("{} to {}", value_words(value[0]), value_words(value[1]));
  }
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  if (!value.is_structured()) return value.dump();
  std::string text;
  for (const auto& [key, item] : value.items()) {
    text += (text.empty() ? "" : ", ") + (value.is_object() ? key_words(as_utf8(key)) + " " : "") +
            value_words(item);
  }
  return text.empty() ? "none" : text;
}

// How many: 0 where there is no such number.
std::uint64_t count_in(const json& loss, const char* key) {
  return loss.is_object() && loss.contains(key) && loss[key].is_number_unsigned()
             ? loss[key].get<std::uint64_t>()
             : 0;
}

}  // namespace

std::vector<std::string> plain_facts(const std::string& text) {
  const json facts =
      nested_too_deeply(text) ? json(json::value_t::discarded) : json::parse(text, nullptr, false);
  if (!facts.is_object()) return {text};
  std::vector<std::string> lines;
  for (const auto& [key, value] : facts.items()) {
    if (key == "losses" && value.is_object() && !value.empty()) {
      for (const auto& [kind, loss] : value.items()) {
        lines.push_back(
            "lost: " + loss_said(as_utf8(kind), count_in(loss, "count"), count_in(loss, "images")));
      }
    } else {
      lines.push_back(key_words(as_utf8(key)) + ": " + value_words(value));
    }
  }
  return lines;
}

}  // namespace bioptic
