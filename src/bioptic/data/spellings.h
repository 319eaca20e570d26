// Names that are one to a person, but not letter by letter: "12" and "12.0", as tables that went
// through programs hold them.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>

namespace bioptic {

// Shown every name of a column twice (see() of all, then see_again() of all), tells whether some
// are spelled in several ways.  Where none is, names stay as they are, white space and points with
// them.
class Spellings {
 public:
  void see(const std::string& name);
  // Whether a second look is needed: only where some name is not in its plain form.
  bool unsure() const { return !plain_.empty(); }
  void see_again(const std::string& name);

  // The name's plain form (see name_in) where some name has several spellings, else itself.
  std::string of(const std::string& name) const;
  bool any() const { return !mixed_.empty(); }
  // Two spellings of one name, in quotes: "'12.0' and '12'".
  std::string example() const;

 private:
  std::map<std::string, std::string> plain_;  // plain form -> the first other spelling
  std::set<std::string> mixed_;               // plain forms with several
};

}  // namespace bioptic
