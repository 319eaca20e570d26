#include "bioptic/base/names.h"

#include <algorithm>

namespace bioptic {

bool has_control_character(std::string_view name) {
  return std::any_of(name.begin(), name.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool is_folder_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && !has_control_character(name) &&
         name.find_first_of("/\\:*?\"<>|") == std::string_view::npos && name.front() != '.' &&
         name.front() != '-' && name.front() != ' ' && name.back() != '.' && name.back() != ' ' &&
         !name.starts_with("bioptic.sqlite");  // stands in the same folder
}

}  // namespace bioptic
