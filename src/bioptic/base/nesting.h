// A bound on how deep JSON is nested, before it is parsed.
#pragma once

#include <string_view>

namespace bioptic {

// No file of this program's nests deeper than a few levels.
inline constexpr int kMostNesting = 64;

// Whether brackets outside of strings open more than kMostNesting levels.  The JSON library copies
// and prints values by recursion, so that a file of nothing but brackets would end in a stack
// overflow.
bool nested_too_deeply(std::string_view json);

}  // namespace bioptic
