// A commented study file to start from.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bioptic {

// What is known of the data that the study will use.
struct DataFacts {
  std::string source = "phantom";     // as it is to stand in the file
  std::string words;                  // one line for a person: "2400 images, 1 x 256 x 256 pixels"
  std::optional<int> size, channels;  // unset: not known, or not square
  std::vector<std::string> classes;   // empty: not known
  bool source_has_val = false;
  bool groups_known = false;  // the source names the patients itself
  bool sixteen_bit = false;
  std::string group;      // search expression for the patient; "" = none is known
  std::string positive;   // one of `classes`; "" = the last by name
  bool by_image = false;  // validation by image also where groups are known
};

// What `init --template` takes.
struct Template {
  std::string_view name, purpose;
};
std::span<const Template> templates();

// The [data] section of such data, every key with its meaning in a comment.
std::string data_section(const DataFacts& facts);

// vary: options as of vary_arms_toml; empty gives one arm and an example of a second in a comment.
// parse_study takes the result.  Throws InputError naming the option that no study would take.
std::string study_template(const DataFacts& facts, const std::string& name,
                           const std::vector<std::string>& vary);

}  // namespace bioptic
