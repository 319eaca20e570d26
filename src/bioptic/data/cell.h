// What people's programs write into the cells of tables: one reading for manifests, predictions of
// other programs, and the names of folders.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bioptic {

// Without the white space around it.
std::string_view trimmed(std::string_view cell);

// Nothing, or what pandas and R write and read for a missing value, in that case: NA, N/A, n/a,
// <NA>, nan, NaN, None, NULL, null, #N/A, ...  White space around it does not count.
bool is_missing(std::string_view cell);

// A number; NaN where it is missing or says so.  One that is too small or too large for a double is
// 0 or infinite.  `decimal_comma`: "0,5" is 0.5.  Nothing where it is no number.
std::optional<double> number_in(std::string_view cell, bool decimal_comma = false);
// "3", "3.0" (pandas, in a column with gaps).  Nothing where it is no whole number.
std::optional<std::int64_t> whole_number_in(std::string_view cell);

// A name, without white space around it.  A whole number that was written as a float loses its
// point: "12.0" is "12", "007" stays.
std::string name_in(std::string_view cell);

// "train", "val" or "test" for the names that people give to splits ("training", "valid", "dev",
// ...), in any case, else "".
std::string_view split_named(std::string_view name);
// The names that split_named knows.
std::vector<std::string_view> split_names();

}  // namespace bioptic
