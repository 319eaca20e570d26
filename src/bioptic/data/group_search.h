// The search for the patient in the names of files.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "bioptic/data/dataset.h"
#include "bioptic/data/split.h"

namespace re2 {
class RE2;
}

namespace bioptic {

// Why a search for an expression may take for ever, "" when its time is in proportion to the name:
// looking ahead, back references and escapes of other dialects.  For expressions that are new;
// those of studies, models and stores that exist go on.
std::string why_unbounded(const std::string& pattern);

// Throws InputError that begins with `called` where why_unbounded() has a reason.
void require_bounded(const std::string& pattern, const std::string& called);

class GroupSearch {
 public:
  // An ECMAScript expression.  Throws InputError that begins with `called` ("--group", "group")
  // when it is none.
  GroupSearch(const std::string& pattern, const std::string& called);
  ~GroupSearch();
  GroupSearch(GroupSearch&&) noexcept;
  // What names the group in a file's name, without the folders before it: the first capture, or the
  // whole match where nothing is captured; "" = the expression matches nothing in it.
  std::string in(std::string_view source) const;

 private:
  std::unique_ptr<re2::RE2> search_;
  std::optional<std::regex> backtracking_;  // where why_unbounded()
};

// Sentences about groups that are not patients, as far as their numbers tell: images without one,
// one that holds most images, one that holds a whole class.  group_of(i): "" = none; label_of(i):
// below classes.size().  Both are called for every i below `images`, group_of perhaps twice.
std::vector<std::string> group_notes(std::size_t images, const std::vector<std::string>& classes,
                                     const std::function<std::string(std::size_t)>& group_of,
                                     const std::function<std::size_t(std::size_t)>& label_of);

// The same of a dataset whose groups find_groups(dataset, pattern) found; nothing where the dataset
// names its groups itself.
std::vector<std::string> search_notes(const Dataset& dataset, const std::string& pattern,
                                      const Groups& groups);

// find_groups for an expression that a person gave on the command line (--group), who is to hear
// that it has no effect: throws InputError also where the dataset names its groups itself, or where
// the expression matches nothing.
Groups search_groups(const Dataset& dataset, const std::string& pattern);

}  // namespace bioptic
