// What may be a name, wherever it comes from: a study file, a store, a dataset, a model.
#pragma once

#include <string_view>

namespace bioptic {

// Control characters (line breaks, escape sequences): they have no place in any name.
bool has_control_character(std::string_view name);

// True for a name that can be a folder on any system, as a study's is: see kFolderNameRule.
bool is_folder_name(std::string_view name);

inline constexpr std::string_view kFolderNameRule =
    "1 to 100 characters, none of / \\ : * ? \" < > |, no line break or other control character, "
    "no dot, dash or space in front, no dot or space at the end";

}  // namespace bioptic
