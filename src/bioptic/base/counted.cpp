#include "bioptic/base/counted.h"

namespace bioptic {

std::string noun_of(std::size_t count, std::string_view noun) {
  if (count == 1) return std::string(noun);
  for (const std::string_view ending : {"s", "x", "tch", "sh"}) {
    if (noun.ends_with(ending)) return std::string(noun) + "es";
  }
  const bool vowel = noun.size() > 1 && std::string_view("aeiou").find(noun[noun.size() - 2]) !=
                                            std::string_view::npos;
  if (noun.ends_with("y") && !vowel) return std::string(noun.substr(0, noun.size() - 1)) + "ies";
  return std::string(noun) + "s";
}

std::string counted(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + noun_of(count, noun);
}

}  // namespace bioptic
