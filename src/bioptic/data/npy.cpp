#include "bioptic/data/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <set>
#include <string_view>

#include "bioptic/base/error.h"
#include "bioptic/base/utf8.h"

namespace bioptic {
namespace {

constexpr char kMagic[] = "\x93NUMPY";
constexpr std::size_t kMaxHeader = 1U << 20;

constexpr std::size_t kMostElements = std::numeric_limits<std::size_t>::max() / 16;

// The dictionary of a header as Python reads it: {'descr': '<u2', 'fortran_order': False,
// 'shape': (6, 16, 16), }, with either quotes, any white space and the keys in any order.
class HeaderText {
 public:
  HeaderText(std::string_view text, const std::string& name) : rest_(text), name_(name) {}

  void read() {
    expect('{');
    while (!takes('}')) {
      read_entry();
      if (takes('}')) break;
      expect(',');
    }
    if (!rest_.empty() && next() != '\0') fail("holds more than a dictionary");
    for (const char* key : {"descr", "fortran_order", "shape"}) {
      if (!seen_.contains(key)) fail(std::string("has no '") + key + "'");
    }
  }

  std::string descr;     // "" where it is a list: records
  bool fortran = false;  // the first index runs fastest
  std::vector<std::size_t> shape;

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw InputError(name_ + ": the .npy header " + why);
  }
  // The next character that is no white space, which stays; 0 at the end.
  char next() {
    const std::size_t at = rest_.find_first_not_of(" \t\r\n");
    rest_ = at == std::string_view::npos ? std::string_view() : rest_.substr(at);
    return rest_.empty() ? '\0' : rest_[0];
  }
  bool takes(char c) {
    if (next() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!takes(c)) fail(std::string("cannot be read: expected '") + c + "'");
  }
  bool takes_word(std::string_view word) {
    next();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  std::string text() {
    const char quote = next();
    const std::size_t end = quote == '\'' || quote == '"' ? rest_.find(quote, 1) : rest_.npos;
    if (end == std::string_view::npos) fail("cannot be read: expected a text in quotes");
    std::string out(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return out;
  }

  void read_entry() {
    const std::string key = text();
    if (!seen_.insert(key).second) fail("names '" + key + "' twice");
    expect(':');
    if (key == "descr") {
      if (next() == '[' || next() == '(') {
        skip_list();
      } else {
        descr = text();
      }
    } else if (key == "fortran_order") {
      fortran = takes_word("True");
      if (!fortran && !takes_word("False")) fail("has a fortran_order that is no truth value");
    } else if (key == "shape") {
      read_shape();
    } else {
      fail("names '" + key + "', which no array has");
    }
  }

  void skip_list() {  // of records, which are refused
    int open = 0;
    do {
      const char c = next();
      if (c == '\0') fail("cannot be read: a list does not end");
      open += c == '[' || c == '(' ? 1 : c == ']' || c == ')' ? -1 : 0;
      rest_.remove_prefix(1);
    } while (open > 0);
  }

  void read_shape() {
    if (!takes('(')) fail("has a shape that cannot be read");
    std::size_t product = 1;
    while (!takes(')')) {
      if (next() == '\0') fail("has a shape that cannot be read");
      const char* const end = rest_.data() + rest_.size();
      std::size_t extent = 0;
      const auto [after, error] = std::from_chars(rest_.data(), end, extent);
      if (error == std::errc::invalid_argument) fail("has a shape that cannot be read");
      if (error != std::errc() || (extent != 0 && product > kMostElements / extent)) {
        throw InputError(name_ + ": the .npy shape is larger than any file");
      }
      rest_.remove_prefix(static_cast<std::size_t>(after - rest_.data()));
      product *= extent == 0 ? 1 : extent;
      shape.push_back(extent);
      takes('L');  // a long integer of Python 2
      if (takes(')')) return;
      if (!takes(',')) fail("has a shape that cannot be read");
    }
  }

  std::string_view rest_;
  const std::string& name_;
  std::set<std::string> seen_;
};

struct TypeName {
  std::string_view name;  // NumPy's
  char kind;
  std::size_t item;
};
constexpr std::array<TypeName, 12> kTypes = {{{"bool", 'b', 1},
                                              {"uint8", 'u', 1},
                                              {"uint16", 'u', 2},
                                              {"uint32", 'u', 4},
                                              {"uint64", 'u', 8},
                                              {"int8", 'i', 1},
                                              {"int16", 'i', 2},
                                              {"int32", 'i', 4},
                                              {"int64", 'i', 8},
                                              {"float16", 'f', 2},
                                              {"float32", 'f', 4},
                                              {"float64", 'f', 8}}};

// What to do with elements that are none of kTypes, by NumPy's letter for them.  None of it changes
// a value.
std::string remedy_of(char kind) {
  switch (kind) {
    case 'O':
      return "Python objects (a ragged array?), not plain numbers; make all images one size and "
             "save numpy.stack(images), and labels as numpy.array(labels.tolist())";
    case 'V':
      return "records, not plain numbers; save one field: array['NAME']";
    case 'c':
      return "complex numbers; save numpy.abs(array), or another real number of each";
    case 'f':
      return "floats of an unusual width; save array.astype(numpy.float64)";
    case 'M':
    case 'm':
      return "times, not plain numbers";
    default:
      return "elements of an unknown type, not plain numbers; save integers or floats";
  }
}

// Fills kind, item and big_endian.
void read_type(const std::string& descr, const std::string& name, NpyHeader& header) {
  std::string_view type = descr;
  for (const TypeName& known : kTypes) {
    if (type != known.name) continue;
    header.kind = known.kind;
    header.item = known.item;
    return;
  }
  if (!type.empty() && std::string_view("<>|=").find(type[0]) != std::string_view::npos) {
    header.big_endian = type[0] == '>';
    type.remove_prefix(1);
  }
  const char kind = descr.empty() ? 'V' : type.empty() ? '?' : type[0];
  std::size_t item = 0;
  const std::string_view digits = type.empty() ? type : type.substr(1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), item);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  const bool text = (kind == 'U' || kind == 'S') && whole && item < (1U << 20);
  const bool known = whole && std::any_of(kTypes.begin(), kTypes.end(), [&](const TypeName& t) {
                       return t.kind == kind && t.item == item;
                     });
  if (!known && !text) {
    throw InputError(name + ": holds " + remedy_of(kind) +
                     (descr.empty() ? "" : " (its element type is '" + as_utf8(descr) + "')"));
  }
  constexpr std::size_t kBytesOfCode = 4;  // NumPy's U is UTF-32
  header.kind = kind;
  header.item = kind == 'U' ? kBytesOfCode * item : item;
}

}  // namespace

std::size_t NpyHeader::elements() const {
  std::size_t n = 1;
  for (const std::size_t d : shape) n *= d;
  return n;
}

std::string NpyHeader::dtype() const {
  const std::string bits = std::to_string(8 * item);
  switch (kind) {
    case 'u':
      return "uint" + bits;
    case 'i':
      return "int" + bits;
    case 'f':
      return "float" + bits;
    case 'U':
    case 'S':
      return "text";
    default:
      return "bool";
  }
}

NpyHeader parse_npy_header(const std::uint8_t* data, std::size_t bytes, const std::string& name) {
  if (bytes < 10 || std::memcmp(data, kMagic, 6) != 0) {
    throw InputError(name + ": is not a .npy file (its first bytes are not NumPy's)");
  }
  const unsigned major = data[6], minor = data[7];
  if (minor != 0) {
    throw InputError(name + ": .npy version " + std::to_string(major) + "." +
                     std::to_string(minor) + " is unknown (1.0, 2.0 and 3.0 are)");
  }
  std::size_t length = 0, start = 0;
  if (major == 1) {
    length = data[8] | static_cast<std::size_t>(data[9]) << 8;
    start = 10;
  } else if ((major == 2 || major == 3) && bytes >= 12) {
    for (std::size_t b = 0; b < 4; ++b) length |= static_cast<std::size_t>(data[8 + b]) << (8 * b);
    start = 12;
  } else {
    throw InputError(name + ": .npy version " + std::to_string(major) + " is unknown (1 to 3 are)");
  }
  if (length > kMaxHeader || start + length > bytes) {
    throw InputError(name + ": the .npy header is cut off");
  }
  HeaderText header({reinterpret_cast<const char*>(data) + start, length}, name);
  header.read();
  NpyHeader result;
  result.data_offset = start + length;
  result.fortran = header.fortran;
  result.shape = header.shape;
  read_type(header.descr, name, result);
  if (result.elements() > kMostElements / std::max<std::size_t>(result.item, 1)) {
    throw InputError(name + ": the .npy shape is larger than any file");
  }
  return result;
}

void check_npy_size(const NpyHeader& header, std::size_t bytes, const std::string& name) {
  const std::size_t wanted = header.elements() * header.item;
  if (bytes - header.data_offset < wanted) {
    throw InputError(name + ": is cut off: the header promises " + std::to_string(wanted) +
                     " bytes of data and " + std::to_string(bytes - header.data_offset) +
                     " are there");
  }
}

std::string npy_header(const std::string& descr, const std::vector<std::size_t>& shape,
                       std::size_t reserve) {
  std::string text = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (";
  for (const std::size_t d : shape) text += std::to_string(d) + ", ";
  if (shape.size() > 1) text.resize(text.size() - 2);
  if (shape.size() == 1) text.resize(text.size() - 1);
  text += "), }";
  std::size_t total = (10 + text.size() + 1 + 63) / 64 * 64;
  if (total < reserve) total = (reserve + 63) / 64 * 64;
  text.resize(total - 11, ' ');
  text += '\n';
  std::string out(kMagic, 6);
  out += '\1';
  out += '\0';
  out += static_cast<char>(text.size() & 0xff);
  out += static_cast<char>(text.size() >> 8);
  return out + text;
}

}  // namespace bioptic
