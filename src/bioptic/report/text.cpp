#include "bioptic/report/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "bioptic/base/utf8.h"

namespace bioptic {
namespace {

template <typename T>
std::string shortest(T value) {
  if (std::isnan(value)) return "nan";
  char buffer[64];
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), value);
  return {buffer, result.ptr};
}

}  // namespace

std::string number_text(double value) { return shortest(value); }
std::string number_text(float value) { return shortest(value); }

std::string fixed_text(double value, int digits) {
  return std::isnan(value) ? "-" : fmt::format("{:.{}f}", value, digits);
}
std::string percent_text(double value, int digits) { return fixed_text(100 * value, digits); }

std::string html_escape(std::string_view text) {
  std::string out;
  for (const char c : as_utf8(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string tex_escape(std::string_view text) {
  std::string out;
  for (const char c : as_utf8(text)) {
    if (std::string_view("&%$#_{}").find(c) != std::string_view::npos) {
      out += '\\';
      out += c;
    } else if (c == '~' || c == '^') {
      out += std::string("\\") + c + "{}";
    } else if (c == '\\') {
      out += "\\textbackslash{}";
    } else if (c == '<') {
      out += "\\textless{}";
    } else if (c == '>') {
      out += "\\textgreater{}";
    } else {
      out += c;
    }
  }
  return out;
}

std::string markdown_escape(std::string_view text) {
  std::string out;
  for (const char c : as_utf8(text)) {
    if (std::string_view("\\`*_[]<>|&$~").find(c) != std::string_view::npos) out += '\\';
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out;
}

namespace {

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

}  // namespace

std::string shortened(std::string_view text, std::size_t characters) {
  if (display_width(text) <= characters) return std::string(text);
  std::size_t seen = 0, at = 0;
  for (; at < text.size(); ++at) {
    if (begins_character(text[at]) && ++seen == characters) break;
  }
  return std::string(text.substr(0, at)) + "…";
}

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::string filled(std::string_view text, std::string_view first, std::string_view next,
                   std::size_t width) {
  std::string out, line(first);
  bool empty = true;  // no word on this line yet
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(text.find(' ', at), text.size());
    if (text.substr(end).starts_with(" %")) {
      end = std::min(text.find(' ', end + 2), text.size());
    }
    const std::string_view word = text.substr(at, end - at);
    if (!empty && display_width(line) + 1 + display_width(word) > width) {
      out += line + "\n";
      line = next;
      empty = true;
    }
    if (!empty) line += ' ';
    line += word;
    empty = false;
    at = end + 1;
  }
  return out + line + "\n";
}

std::string file_part(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' ||
                       c == '-' || c == '=';
    out += plain ? c : '_';
  }
  return out.empty() || out[0] == '.' ? "_" + out : out;
}

}  // namespace bioptic
