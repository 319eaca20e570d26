// Counts in sentences.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bioptic {

// "1 group", "2 groups", "0 groups"; "1 class", "2 classes"; "1 study", "2 studies".  noun: the
// singular; of several words the last is the one that changes ("hold-out image").
std::string counted(std::size_t count, std::string_view noun);

// The noun alone: "group" of 1, else "groups".
std::string noun_of(std::size_t count, std::string_view noun);

}  // namespace bioptic
