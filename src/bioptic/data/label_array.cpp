#include "bioptic/data/label_array.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <string_view>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/utf8.h"
#include "bioptic/data/cell.h"
#include "bioptic/data/npy.h"
#include "bioptic/data/warning.h"

namespace bioptic {
namespace {

constexpr std::int64_t kMostLabel = 9999;

class Elements {
 public:
  Elements(const std::filesystem::path& file, const std::string& name)
      : name_(name), map_(file), header(parse_npy_header(map_.data(), map_.size(), name)) {
    check_npy_size(header, map_.size(), name);
  }

  double number(std::size_t k) const {
    if (header.kind != 'f') return static_cast<double>(whole(k));
    const std::uint64_t bits = bits_of(k);
    if (header.item == sizeof(double)) return std::bit_cast<double>(bits);
    if (header.item == sizeof(float)) {
      return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    }
    return half(static_cast<std::uint16_t>(bits));
  }

  std::string text(std::size_t k) const {
    const std::uint8_t* const at = map_.data() + header.data_offset + k * header.item;
    if (header.kind == 'S') {
      std::string out(reinterpret_cast<const char*>(at), header.item);
      out.resize(out.find_last_not_of('\0') + 1);
      return out;
    }
    std::string out;
    for (std::size_t c = 0; c + 4 <= header.item; c += 4) {
      std::uint32_t code = 0;
      for (std::size_t b = 0; b < 4; ++b) {
        code |= static_cast<std::uint32_t>(at[c + (header.big_endian ? 3 - b : b)]) << (8 * b);
      }
      if (code == 0) break;  // what follows is padding
      if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
        throw InputError(fmt::format("{}: label {} is no text", name_, k));
      }
      append_utf8(out, code);
    }
    return out;
  }

 private:
  std::uint64_t bits_of(std::size_t k) const {
    std::uint64_t bits = 0;
    for (std::size_t b = 0; b < header.item; ++b) {
      const std::size_t at = header.big_endian ? header.item - 1 - b : b;
      bits |= static_cast<std::uint64_t>(map_.data()[header.data_offset + k * header.item + at])
              << (8 * b);
    }
    return bits;
  }
  std::int64_t whole(std::size_t k) const {
    const unsigned unused = static_cast<unsigned>(64 - 8 * header.item);
    const std::uint64_t bits = bits_of(k);
    return header.kind == 'i' ? static_cast<std::int64_t>(bits << unused) >> unused
                              : static_cast<std::int64_t>(bits);
  }
  // IEEE 754 binary16, of which labels are small whole numbers.
  static double half(std::uint16_t bits) {
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const double size = exponent == 31  ? std::nan("")
                        : exponent == 0 ? std::ldexp(fraction, -24)
                                        : std::ldexp(1024 + fraction, exponent - 25);
    return (bits & 0x8000) != 0 ? -size : size;
  }

  const std::string& name_;
  MappedFile map_;

 public:
  NpyHeader header;
};

// Rows of K numbers as the column of each row's single 1.
void read_one_hot(const Elements& elements, std::size_t columns, LabelArray& out) {
  const std::size_t rows = elements.header.shape[0];
  for (std::size_t row = 0; row < rows; ++row) {
    std::size_t ones = 0, column = 0;
    bool others = false;
    for (std::size_t c = 0; c < columns; ++c) {
      // In Fortran order the first index runs fastest.
      const double v =
          elements.number(elements.header.fortran ? c * rows + row : row * columns + c);
      others = others || (v != 0 && v != 1);
      if (v != 1) continue;
      ++ones;
      column = c;
    }
    if (ones == 1 && !others) {
      out.numbers.push_back(static_cast<std::int64_t>(column));
      continue;
    }
    const std::string what =
        others ? fmt::format("{} numbers per image, and those of image {} are not 0 and 1", columns,
                             row)
               : fmt::format("{} labels per image (multi-label), of which image {} has {}", columns,
                             row, ones);
    throw InputError(fmt::format(
        "{}: has {}; bioptic classifies into one class per image. {}", out.name, what,
        others ? "Where they are probabilities or scores of classes, save numpy.argmax(labels, "
                 "axis=1)"
               : "Save one label: labels[:, k]"));
  }
  out.one_hot = columns;
}

void read_numbers(const Elements& elements, std::size_t count, LabelArray& out) {
  for (std::size_t k = 0; k < count; ++k) {
    const double v = elements.number(k);
    if (std::isnan(v)) {
      throw InputError(
          fmt::format("{}: image {} has no label (NaN); leave such images and labels out: keep = "
                      "~numpy.isnan(labels)",
                      out.name, k));
    }
    if (v != std::floor(v)) {
      throw InputError(fmt::format("{}: label {} of image {} is no whole number", out.name, v, k));
    }
    if (v < -1 || v > static_cast<double>(kMostLabel)) {
      throw InputError(
          fmt::format("{}: label {} of image {} is not in 0..{}", out.name, v, k, kMostLabel));
    }
    out.numbers.push_back(static_cast<std::int64_t>(v));
  }
}

void read_texts(const Elements& elements, std::size_t count, LabelArray& out) {
  std::size_t missing = 0, first = 0;
  for (std::size_t k = 0; k < count; ++k) {
    std::string text(trimmed(elements.text(k)));
    if (!is_utf8(text)) {
      throw InputError(fmt::format("{}: label {} is not UTF-8: '{}'; save text: labels.astype(str)",
                                   out.name, k, as_utf8(text)));
    }
    if (is_missing(text) && missing++ == 0) first = k;
    out.texts.push_back(std::move(text));
  }
  if (missing > 0) {
    throw InputError(fmt::format(
        "{}: {} of {} images have no label (an empty text, NA, nan, None or the like), the first "
        "is image {}; leave such images out, or give the class another name",
        out.name, missing, count, first));
  }
}

std::string number_list(const std::set<std::int64_t>& numbers) {
  constexpr std::size_t kShown = 12;
  std::string out;
  std::size_t shown = 0;
  for (const std::int64_t n : numbers) {
    if (shown++ == kShown) return out + ", ...";
    out += fmt::format("{}{}", out.empty() ? "" : ", ", n);
  }
  return out;
}

void name_numbers(const std::vector<LabelArray>& arrays, const std::string& name,
                  ArrayClasses& out) {
  std::set<std::int64_t> numbers;
  for (const LabelArray& array : arrays) numbers.insert(array.numbers.begin(), array.numbers.end());
  if (numbers.size() < 2) throw InputError(name + ": has one class only; a classifier needs two");
  const std::int64_t least = *numbers.begin(), most = *numbers.rbegin();
  if (least < 0 && (numbers.size() > 2 || most != 1)) {
    throw InputError(fmt::format(
        "{}: labels are {}; where -1 means that an image has no label, leave image and label out: "
        "keep = labels >= 0",
        name, number_list(numbers)));
  }
  std::map<std::int64_t, std::int64_t> index;
  const std::size_t digits = std::to_string(most).size();
  for (const std::int64_t n : numbers) {  // padded, so that names sort as numbers
    index[n] = static_cast<std::int64_t>(out.names.size());
    out.names.push_back(n < 0 ? std::to_string(n) : fmt::format("{:0{}}", n, digits));
  }
  for (const LabelArray& array : arrays) {
    std::vector<std::int64_t>& labels = out.labels.emplace_back();
    for (const std::int64_t n : array.numbers) labels.push_back(index.at(n));
  }
  if (least != 0 || most + 1 != static_cast<std::int64_t>(numbers.size())) {
    const bool gap = most - least + 1 != static_cast<std::int64_t>(numbers.size()) && least >= 0;
    out.notes.push_back(fmt::format("{}The labels are {}{}; the classes are named after them.",
                                    gap ? kWarning : "", number_list(numbers),
                                    gap ? ", and no image has one between" : ""));
  }
}

void name_texts(const std::vector<LabelArray>& arrays, const std::string& name, ArrayClasses& out) {
  std::map<std::string, std::int64_t> index;
  for (const LabelArray& array : arrays) {
    for (const std::string& text : array.texts) index.emplace(text, 0);
  }
  if (index.size() < 2) throw InputError(name + ": has one class only; a classifier needs two");
  for (auto& [text, label] : index) {
    label = static_cast<std::int64_t>(out.names.size());
    out.names.push_back(text);
  }
  for (const LabelArray& array : arrays) {
    std::vector<std::int64_t>& labels = out.labels.emplace_back();
    for (const std::string& text : array.texts) labels.push_back(index.at(text));
  }
}

}  // namespace

LabelArray read_label_array(const std::filesystem::path& file, const std::string& name,
                            std::size_t images) {
  const Elements elements(file, name);
  const std::vector<std::size_t>& shape = elements.header.shape;
  LabelArray out;
  out.name = name;
  const std::size_t axes = shape.size();
  const bool row = axes == 2 && shape[0] == 1 && shape[1] == images;  // (1, N)
  const bool rows = axes == 2 && shape[1] != 1 && !row;
  if (axes == 0 || axes > 2 || (rows && shape[1] == 0)) {
    throw InputError(fmt::format(
        "{}: has shape ({}); expected one label an image: (N), (N, 1), or (N, K) one-hot", name,
        fmt::join(shape, ", ")));
  }
  const std::size_t count = rows ? shape[0] : elements.header.elements();
  if (count != images) {
    throw InputError(fmt::format("{}: holds {} labels of {} images", name, count, images));
  }
  const bool text = elements.header.kind == 'U' || elements.header.kind == 'S';
  if (text && rows) {
    throw InputError(fmt::format("{}: has {} texts per image; expected one", name, shape[1]));
  }
  if (rows) {
    read_one_hot(elements, shape[1], out);
  } else if (text) {
    read_texts(elements, count, out);
  } else {
    read_numbers(elements, count, out);
  }
  return out;
}

ArrayClasses classes_of(const std::vector<LabelArray>& arrays, const std::string& name) {
  ArrayClasses out;
  for (const LabelArray& array : arrays) {
    if (array.one_hot != arrays[0].one_hot || array.texts.empty() != arrays[0].texts.empty()) {
      throw InputError(fmt::format("{} and {} hold labels of different kinds; save both alike",
                                   arrays[0].name, array.name));
    }
  }
  if (arrays[0].one_hot > 0) {
    out.notes.push_back(
        fmt::format("Labels are one-hot over {} columns: a class is the column of an image's 1.",
                    arrays[0].one_hot));
  }
  if (arrays[0].texts.empty()) {
    name_numbers(arrays, name, out);
  } else {
    name_texts(arrays, name, out);
  }
  return out;
}

}  // namespace bioptic
