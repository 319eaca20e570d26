#include "bioptic/data/array_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/data/source.h"

namespace bioptic {
namespace fs = std::filesystem;
namespace {

// What is kept of each image beside its pixels, some 30 bytes, must not outgrow what a small .npz
// of tiny images unpacks to.
constexpr std::size_t kMostImages = std::size_t{1} << 24;

// IEEE 754 binary16.
double half_value(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  double value = 0;
  if (exponent == 31) {
    value = fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                          : std::numeric_limits<double>::infinity();
  } else if (exponent == 0) {
    value = std::ldexp(fraction, -24);
  } else {
    value = std::ldexp(1024 + fraction, exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

template <typename T>
T read_as(const std::uint8_t* at, bool big_endian) {
  std::array<std::uint8_t, sizeof(T)> bytes;
  std::memcpy(bytes.data(), at, sizeof(T));
  if (big_endian) std::reverse(bytes.begin(), bytes.end());
  return std::bit_cast<T>(bytes);
}

}  // namespace

ArrayStack::ArrayStack(const fs::path& file, std::string name)
    : name_(std::move(name)),
      file_(file),
      header_(parse_npy_header(file_.data(), file_.size(), name_)) {
  const bool integer = header_.kind == 'u' && header_.item <= 2;
  const bool real = header_.kind == 'f' && header_.item >= 2;
  if (!integer && !real) {
    throw InputError(name_ + ": holds " + header_.dtype() +
                     "; expected uint8, uint16 or float pixels: save array.astype(numpy.uint8), "
                     "uint16 or float32");
  }
  const std::vector<std::size_t>& shape = header_.shape;
  const bool grey = shape.size() == 3, channels = shape.size() == 4;
  if ((!grey && !channels) || (channels && shape[3] != 1 && shape[3] != 3)) {
    throw InputError(
        fmt::format("{}: has shape ({}); expected (N, H, W), or (N, H, W, C) with C = 1 or 3",
                    name_, fmt::join(shape, ", ")));
  }
  for (const std::size_t extent : shape) {
    if (extent == 0) throw InputError(name_ + ": holds no pixels (a dimension is 0)");
    if (extent > (1U << 30)) throw InputError(name_ + ": a dimension is too large");
  }
  if (shape[0] > kMostImages) {
    throw InputError(
        fmt::format("{}: holds {} images; at most {} are supported", name_, shape[0], kMostImages));
  }
  check_npy_size(header_, file_.size(), name_);
}

ImageHeader ArrayStack::image_header() const {
  const std::vector<std::size_t>& shape = header_.shape;
  return {static_cast<int>(shape[2]), static_cast<int>(shape[1]),
          shape.size() == 4 ? static_cast<int>(shape[3]) : 1,
          header_.kind == 'u' && header_.item == 1 ? 8 : 16};
}

double ArrayStack::value(std::size_t k) const {
  const std::uint8_t* at = file_.data() + header_.data_offset + k * header_.item;
  const bool swap = header_.big_endian;
  if (header_.kind == 'u') return header_.item == 1 ? *at : read_as<std::uint16_t>(at, swap);
  if (header_.item == 2) return half_value(read_as<std::uint16_t>(at, swap));
  if (header_.item == 4) return static_cast<double>(read_as<float>(at, swap));
  return read_as<double>(at, swap);
}

void ArrayStack::scan(FloatRange& range) const {
  const std::size_t n = header_.elements();
  for (std::size_t k = 0; k < n; ++k) {
    const double v = value(k);
    if (!std::isfinite(v)) {
      throw InputError(
          fmt::format("{}: image {} has a pixel that is {}; replace it first "
                      "(numpy.nan_to_num)",
                      name_, k / per_image(), std::isnan(v) ? "NaN" : "infinite"));
    }
    range.low = std::min(range.low, v);
    range.high = std::max(range.high, v);
  }
}

Image ArrayStack::load(std::size_t i, const FloatRange& range) const {
  const ImageHeader header = image_header();
  Image image{header.width, header.height, header.channels, header.bits, {}};
  image.pixels.resize(per_image());
  // Halved where the range of doubles is wider than a double can say.
  const double half = std::isfinite(range.high - range.low) ? 1 : 0.5;
  const double low = half * range.low, span = half * range.high - low;
  const double scale = span > 0 && std::isfinite(65535 / span) ? 65535 / span : 0;
  for (std::size_t k = 0; k < image.pixels.size(); ++k) {
    const double v = value(i * per_image() + k);
    image.pixels[k] =
        static_cast<std::uint16_t>(is_float() ? std::floor((half * v - low) * scale + 0.5) : v);
  }
  return image;
}

namespace {

// Stacks one after the other, each of one split, with one label or a label per image.
struct Stack {
  ArrayStack array;
  std::string split;
  std::int64_t label = 0;
  std::vector<std::int64_t> labels;  // empty: all have `label`
};

class StackSource : public ImageSource {
 public:
  explicit StackSource(std::vector<Stack> stacks) : stacks_(std::move(stacks)) {
    bool any_float = false;
    for (const Stack& stack : stacks_) {
      starts_.push_back(size_);
      size_ += stack.array.size();
      any_float = any_float || stack.array.is_float();
    }
    if (!any_float) return;
    for (const Stack& stack : stacks_) {
      if (!stack.array.is_float()) {
        throw InputError(stack.array.name() +
                         ": holds integers and another array floats; save "
                         "all arrays with one element type");
      }
      stack.array.scan(range_);
    }
    value_range = fmt::format("{} to {}", range_.low, range_.high);
    notes.push_back("Float pixels became 16 bit over the source's range, " + value_range + ".");
  }
  std::size_t size() const override { return size_; }
  SourceItem item(std::size_t i) const override {
    const auto [stack, k] = find(i);
    return {stack->array.name() + ":" + std::to_string(k),
            stack->labels.empty() ? stack->label : stack->labels[k],
            stack->split,
            {}};
  }
  ImageHeader header(std::size_t i) const override { return find(i).first->array.image_header(); }
  Image load(std::size_t i) const override {
    const auto [stack, k] = find(i);
    return stack->array.load(k, range_);
  }

 private:
  std::pair<const Stack*, std::size_t> find(std::size_t i) const {
    const auto after = std::upper_bound(starts_.begin(), starts_.end(), i);
    const auto s = static_cast<std::size_t>(after - starts_.begin()) - 1;
    return {&stacks_[s], i - starts_[s]};
  }
  std::vector<Stack> stacks_;
  std::vector<std::size_t> starts_;
  std::size_t size_ = 0;
  FloatRange range_;
};

// Labels of a MedMNIST split: (N) or (N, 1), any integer type.  At most `most` of them, as many as
// there are images, so that no memory goes to more.
std::vector<std::int64_t> read_labels(const fs::path& file, const std::string& name,
                                      std::size_t most) {
  const MappedFile map(file);
  const NpyHeader header = parse_npy_header(map.data(), map.size(), name);
  check_npy_size(header, map.size(), name);
  if (header.shape.size() == 2 && header.shape[1] > 1) {
    throw InputError(
        fmt::format("{}: has {} labels per image (multi-label); bioptic classifies "
                    "into one class per image",
                    name, header.shape[1]));
  }
  if ((header.kind != 'u' && header.kind != 'i') || header.shape.empty() ||
      header.shape.size() > 2) {
    throw InputError(name + ": expected integer labels of shape (N) or (N, 1), found " +
                     header.dtype());
  }
  if (header.elements() > most) {
    throw InputError(
        fmt::format("{}: holds {} labels of {} images", name, header.elements(), most));
  }
  std::vector<std::int64_t> labels(header.elements());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    std::uint64_t bits = 0;
    for (std::size_t b = 0; b < header.item; ++b) {
      const std::size_t at = header.big_endian ? header.item - 1 - b : b;
      bits |= static_cast<std::uint64_t>(map.data()[header.data_offset + i * header.item + at])
              << (8 * b);
    }
    const unsigned unused = static_cast<unsigned>(64 - 8 * header.item);
    labels[i] = header.kind == 'i' ? static_cast<std::int64_t>(bits << unused) >> unused
                                   : static_cast<std::int64_t>(bits);
    if (labels[i] < 0 || labels[i] > 9999) {
      throw InputError(
          fmt::format("{}: label {} of image {} is not in 0..9999", name, labels[i], i));
    }
  }
  return labels;
}

}  // namespace

std::unique_ptr<ImageSource> open_arrays(const std::vector<ClassFile>& files) {
  std::set<std::string> names, seen;
  bool has_test = false;
  for (const ClassFile& file : files) {
    names.insert(file.name);
    has_test = has_test || file.split == "test";
    if (!seen.insert(file.split + "/" + file.name).second) {
      throw InputError("class '" + file.name + "' is given twice" +
                       (file.split.empty() ? "" : " for the " + file.split + " split"));
    }
  }
  if (names.size() < 2) {
    throw InputError("one class only; give --class NAME=FILE for at least two classes");
  }
  const std::vector<std::string> classes(names.begin(), names.end());
  std::vector<Stack> stacks;
  for (const char* split : {"train", "", "test"}) {
    for (std::size_t c = 0; c < classes.size(); ++c) {
      for (const ClassFile& file : files) {
        if (file.split != split || file.name != classes[c]) continue;
        stacks.push_back({ArrayStack(file.file, file.file.filename().string()),
                          file.split,
                          static_cast<std::int64_t>(c),
                          {}});
      }
    }
  }
  for (const std::string& name : classes) {
    for (const char* split : {"train", "test"}) {
      if (has_test && !seen.contains(std::string(split) + "/" + name)) {
        throw InputError("class '" + name + "' has no " + split +
                         " file; every split needs every class (--class and --test-class)");
      }
    }
  }
  auto source = std::make_unique<StackSource>(std::move(stacks));
  source->classes = classes;
  source->kind = "arrays";
  return source;
}

std::unique_ptr<ImageSource> open_npz_arrays(const std::map<std::string, fs::path>& arrays,
                                             const std::string& name) {
  std::vector<Stack> stacks;
  std::int64_t largest = 0;
  for (const char* split : {"train", "val", "test"}) {
    const auto images = arrays.find(std::string(split) + "_images");
    const auto labels = arrays.find(std::string(split) + "_labels");
    if (images == arrays.end() && labels == arrays.end() && split != std::string("train")) continue;
    if (images == arrays.end() || labels == arrays.end()) {
      throw InputError(
          fmt::format("{}: has no {}_{}; expected MedMNIST's arrays train_images, "
                      "train_labels, val_..., test_...",
                      name, split, images == arrays.end() ? "images" : "labels"));
    }
    Stack stack{ArrayStack(images->second, name + ":" + images->first), split, 0, {}};
    stack.labels = read_labels(labels->second, name + ":" + labels->first, stack.array.size());
    if (stack.labels.size() != stack.array.size()) {
      throw InputError(fmt::format("{}: {} holds {} images and {} {} labels", name, images->first,
                                   stack.array.size(), labels->first, stack.labels.size()));
    }
    for (const std::int64_t label : stack.labels) largest = std::max(largest, label);
    stacks.push_back(std::move(stack));
  }
  if (largest < 1) throw InputError(name + ": has one class only; a classifier needs two");
  auto source = std::make_unique<StackSource>(std::move(stacks));
  const std::size_t digits = std::to_string(largest).size();
  for (std::int64_t c = 0; c <= largest; ++c) {  // padded, so that names sort as numbers
    source->classes.push_back(fmt::format("{:0{}}", c, digits));
  }
  source->kind = "MedMNIST .npz";
  return source;
}

}  // namespace bioptic
