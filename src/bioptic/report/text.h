// Numbers and names as text.
#pragma once

#include <string>
#include <string_view>

namespace bioptic {

// Shortest digits that read back to the same number; "nan", "inf", "-inf".
std::string number_text(double value);
std::string number_text(float value);
// Fixed digits; "-" for NaN.
std::string fixed_text(double value, int digits);
// 100 * value with `digits` behind the point; "-" for NaN.
std::string percent_text(double value, int digits = 1);

std::string html_escape(std::string_view text);
std::string tex_escape(std::string_view text);
// Letters, digits, '.', '_', '-', '='; anything else becomes '_'.
std::string file_part(std::string_view name);

}  // namespace bioptic
