#include "bioptic/data/group_search.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "bioptic/base/error.h"

namespace bioptic {

namespace {

// Names are bytes, in whatever encoding, as they are for std::regex.
std::unique_ptr<re2::RE2> compiled(const std::string& pattern) {
  re2::RE2::Options options(re2::RE2::Latin1);
  options.set_log_errors(false);
  return std::make_unique<re2::RE2>(pattern, options);
}

// The first escape that RE2 reads as something else than ECMAScript does (\A, \z, \Q, \pN, \C,
// ...), or an empty class ([] and [^]), in which RE2 takes the bracket for a member; "" = none.
std::string other_dialect(const std::string& pattern) {
  constexpr std::string_view kSame = "bBdDwWsSnrtvfx";
  for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
    const char next = pattern[i + 1];
    if (pattern[i] == '\\') {
      const bool letter = std::isalpha(static_cast<unsigned char>(next)) != 0;
      if (letter && kSame.find(next) == std::string_view::npos) return pattern.substr(i, 2);
      ++i;
    } else if (pattern[i] == '[' && (next == ']' || pattern.compare(i, 3, "[^]") == 0)) {
      return next == ']' ? "[]" : "[^]";
    }
  }
  return {};
}

}  // namespace

std::string why_unbounded(const std::string& pattern) {
  if (const std::string other = other_dialect(pattern); !other.empty()) {
    return fmt::format("'{}' is not taken here", other);
  }
  const std::unique_ptr<re2::RE2> search = compiled(pattern);
  return search->ok() ? "" : search->error();
}

GroupSearch::GroupSearch(const std::string& pattern, const std::string& called) {
  try {
    const std::regex dialect(pattern, std::regex::ECMAScript);
    if (why_unbounded(pattern).empty()) {
      search_ = compiled(pattern);
    } else {
      backtracking_ = dialect;
    }
  } catch (const std::regex_error& e) {
    throw InputError(called + " '" + pattern + "' is not a search expression: " + e.what());
  }
}

GroupSearch::~GroupSearch() = default;
GroupSearch::GroupSearch(GroupSearch&&) noexcept = default;

std::string GroupSearch::in(std::string_view source) const {
  const std::string file(source.substr(source.rfind('/') + 1));
  if (search_) {
    std::array<re2::StringPiece, 2> found;  // the whole match, the first capture
    const int captures = std::min(1, search_->NumberOfCapturingGroups());
    if (!search_->Match(file, 0, file.size(), re2::RE2::UNANCHORED, found.data(), 1 + captures)) {
      return {};
    }
    return (found[1].data() != nullptr ? found[1] : found[0]).as_string();
  }
  std::smatch match;
  if (!std::regex_search(file, match, *backtracking_)) return {};
  return match.size() > 1 && match[1].matched ? match[1].str() : match[0].str();
}

std::vector<std::string> group_notes(std::size_t images, const std::vector<std::string>& classes,
                                     const std::function<std::string(std::size_t)>& group_of,
                                     const std::function<std::size_t(std::size_t)>& label_of) {
  struct OfClass {
    std::string first;
    std::size_t images = 0;
    bool one = true;  // all have the group `first`
  };
  std::vector<OfClass> of_class(classes.size());
  std::size_t without = 0, votes = 0;
  std::string
      most;  // if any group holds more than half of the images, it is this one (Boyer, Moore)
  for (std::size_t i = 0; i < images; ++i) {
    std::string group = group_of(i);
    OfClass& c = of_class[label_of(i)];
    if (c.images++ == 0) c.first = group;
    c.one = c.one && c.first == group && !group.empty();
    without += group.empty() ? 1U : 0U;
    if (votes == 0) most = group;
    votes = most == group ? votes + 1 : votes - 1;
  }
  std::vector<std::string> notes;
  if (without > 0) {
    notes.push_back(fmt::format("{} of {} images have no group; each counts as one of its own.",
                                without, images));
  }
  std::size_t holds = 0;
  for (std::size_t i = 0; !most.empty() && i < images; ++i) holds += group_of(i) == most ? 1U : 0U;
  if (2 * holds > images && holds > 1) {
    notes.push_back(
        fmt::format("The group '{}' holds {} of {} images; a group should be one patient: the "
                    "first capture ( ) of the expression names it, or else the whole match.",
                    most, holds, images));
    return notes;
  }
  for (std::size_t c = 0; c < classes.size(); ++c) {
    if (!of_class[c].one || of_class[c].images < 2) continue;
    notes.push_back(
        fmt::format("All {} images of class '{}' have the one group '{}'; a group should be one "
                    "patient.",
                    of_class[c].images, classes[c], of_class[c].first));
  }
  return notes;
}

std::vector<std::string> search_notes(const Dataset& dataset, const std::string& pattern,
                                      const Groups& groups) {
  if (pattern.empty() || !dataset.info().groups_from.empty() || dataset.size() == 0) return {};
  if (!groups.known) {
    return {
        fmt::format("The search '{}' matches no file name (the first is '{}'): every image is a "
                    "group of its own.",
                    pattern, dataset.record(0).source)};
  }
  return group_notes(
      dataset.size(), dataset.info().classes,
      [&](std::size_t row) { return groups.names[row][0] == '#' ? "" : groups.names[row]; },
      [&](std::size_t row) { return static_cast<std::size_t>(dataset.label(row)); });
}

void require_bounded(const std::string& pattern, const std::string& called) {
  const std::string why = why_unbounded(pattern);
  if (why.empty()) return;
  throw InputError(fmt::format(
      "{} '{}': a search with it may take for ever ({}); use characters, classes, repetitions, "
      "alternatives and captures, as in '(person\\d+)'",
      called, pattern, why));
}

Groups search_groups(const Dataset& dataset, const std::string& pattern) {
  require_bounded(pattern, "--group");
  if (!pattern.empty() && !dataset.info().groups_from.empty()) {
    throw InputError("--group '" + pattern + "': the images have their groups already (" +
                     dataset.info().groups_from + "); leave --group out");
  }
  Groups groups = find_groups(dataset, pattern);
  if (!pattern.empty() && !groups.known) {
    throw InputError(
        fmt::format("--group '{}': matches no file name; the first is '{}' (folders "
                    "are not searched)",
                    pattern, dataset.size() > 0 ? dataset.record(0).source : ""));
  }
  return groups;
}

}  // namespace bioptic
