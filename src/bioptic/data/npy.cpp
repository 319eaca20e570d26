#include "bioptic/data/npy.h"

#include <cstring>
#include <limits>

#include "bioptic/base/error.h"

namespace bioptic {
namespace {

constexpr char kMagic[] = "\x93NUMPY";
constexpr std::size_t kMaxHeader = 1U << 20;

// The text behind 'key': in the header's Python dictionary, or an error.
std::string_view value_of(std::string_view header, const std::string& key,
                          const std::string& name) {
  const std::size_t at = header.find("'" + key + "'");
  const std::size_t colon =
      at == std::string_view::npos ? at : header.find(':', at + key.size() + 2);
  if (colon == std::string_view::npos) {
    throw InputError(name + ": the .npy header has no '" + key + "'");
  }
  std::string_view rest = header.substr(colon + 1);
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  return rest;
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
    default:
      return "bool";
  }
}

NpyHeader parse_npy_header(const std::uint8_t* data, std::size_t bytes, const std::string& name) {
  if (bytes < 10 || std::memcmp(data, kMagic, 6) != 0) {
    throw InputError(name + ": is not a .npy file (its first bytes are not NumPy's)");
  }
  const unsigned major = data[6];
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
  const std::string_view header(reinterpret_cast<const char*>(data) + start, length);

  NpyHeader result;
  result.data_offset = start + length;
  const std::string_view descr = value_of(header, "descr", name);
  const std::string remedy = "; save plain numbers: numpy.save(path, array.astype(numpy.uint8))";
  if (descr.size() < 5 || descr[0] != '\'') {
    throw InputError(name + ": holds records, not plain numbers" + remedy);
  }
  const std::string_view type = descr.substr(1, descr.find('\'', 1) - 1);
  if (type.size() >= 2 && type[1] == 'O') {
    throw InputError(name + ": holds Python objects (a ragged array?), not plain numbers" + remedy);
  }
  if (type.size() < 3 || std::string_view("<>|=").find(type[0]) == std::string_view::npos) {
    throw InputError(name + ": element type '" + std::string(type) + "' is unknown" + remedy);
  }
  if (std::string_view("uifb").find(type[1]) == std::string_view::npos || type.size() != 3 ||
      type[2] < '1' || type[2] > '8') {
    throw InputError(name + ": element type '" + std::string(type) +
                     "' is not an integer or float" + remedy);
  }
  result.kind = type[1];
  result.item = static_cast<std::size_t>(type[2] - '0');
  result.big_endian = type[0] == '>';

  if (value_of(header, "fortran_order", name).substr(0, 4) == "True") {
    throw InputError(name +
                     ": is in Fortran order; save it as numpy.ascontiguousarray(array) first");
  }
  std::string_view shape = value_of(header, "shape", name);
  if (shape.empty() || shape[0] != '(') throw InputError(name + ": the .npy shape cannot be read");
  shape = shape.substr(1, shape.find(')') == std::string_view::npos ? 0 : shape.find(')') - 1);
  std::size_t number = 0, product = 1;
  bool digits = false;
  const auto close = [&] {
    if (!digits) return;
    result.shape.push_back(number);
    if (number != 0 && product > std::numeric_limits<std::size_t>::max() / 16 / number) {
      throw InputError(name + ": the .npy shape is larger than any file");
    }
    product *= number == 0 ? 1 : number;
    number = 0;
    digits = false;
  };
  for (const char c : shape) {
    if (c >= '0' && c <= '9') {
      if (number > (std::size_t{1} << 50)) {
        throw InputError(name + ": the .npy shape is larger than any file");
      }
      number = number * 10 + static_cast<std::size_t>(c - '0');
      digits = true;
    } else if (c == ',') {
      close();
    } else if (c != ' ') {
      throw InputError(name + ": the .npy shape cannot be read");
    }
  }
  close();
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
