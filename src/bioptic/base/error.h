// Errors that reach a person: what is wrong, where, what was expected, the nearest valid choice.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace bioptic {

// Bad usage or bad input: the program ends with exit code 2.  The message is one line that names
// the thing (file, key, row) and the remedy.
class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Something that should have worked did not (disk full, a library failed): exit code 1.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Ctrl-C or SIGTERM was received and work stopped cleanly: exit code 130.
class Interrupted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Returns the candidate with the smallest Levenshtein distance to `word`, or an empty view when
// even the nearest needs more than half of its letters changed.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// Returns "; did you mean 'X'?" for the nearest candidate, or "; known: a, b, c" when none is near.
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace bioptic
