// JSON as text, whatever bytes the names in it hold.
#pragma once

#include <string>
#include <utility>

#include "bioptic/base/json.h"
#include "bioptic/base/utf8.h"

namespace bioptic {

// Every string and key of `j` as as_utf8() writes it.
inline nlohmann::json utf8_json(const nlohmann::json& j) {
  if (j.is_string()) return as_utf8(j.get_ref<const std::string&>());
  nlohmann::json out = j;
  if (j.is_array()) {
    for (nlohmann::json& item : out) item = utf8_json(item);
  } else if (j.is_object()) {
    out = nlohmann::json::object();
    for (const auto& [key, value] : j.items()) out[as_utf8(key)] = utf8_json(value);
  }
  return out;
}

// j.dump(indent), which throws where a string is not UTF-8: a name of a file, which an older
// program stored as it was.  Such strings are written as as_utf8() does.
inline std::string json_text(const nlohmann::json& j, int indent = -1) {
  try {
    return j.dump(indent);
  } catch (const nlohmann::json::type_error&) {
    return utf8_json(j).dump(indent);
  }
}

}  // namespace bioptic
