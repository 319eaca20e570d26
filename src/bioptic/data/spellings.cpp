#include "bioptic/data/spellings.h"

#include "bioptic/data/cell.h"

namespace bioptic {

void Spellings::see(const std::string& name) {
  std::string plain = name_in(name);
  if (plain == name) return;
  const auto [first, is_new] = plain_.emplace(plain, name);
  if (!is_new && first->second != name) mixed_.insert(plain);
}

void Spellings::see_again(const std::string& name) {
  if (plain_.contains(name)) mixed_.insert(name);
}

std::string Spellings::of(const std::string& name) const {
  return mixed_.empty() ? name : name_in(name);
}

std::string Spellings::example() const {
  const std::string& plain = *mixed_.begin();
  return "'" + plain_.at(plain) + "' and '" + plain + "'";
}

}  // namespace bioptic
