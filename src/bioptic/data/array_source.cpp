#include "bioptic/data/array_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/data/label_array.h"
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
  if (header_.kind == 'b') {
    throw InputError(name_ +
                     ": holds truth values (masks?), no grey values; where they are the images, "
                     "save array.astype(numpy.uint8) * 255");
  }
  if (std::string_view("uif").find(header_.kind) == std::string_view::npos) {
    throw InputError(name_ + ": holds " + header_.dtype() + ", no pixels");
  }
  layout_ = layout();
  const std::vector<std::size_t>& shape = header_.shape;
  for (const std::size_t extent : shape) {
    if (extent == 0) throw InputError(name_ + ": holds no pixels (a dimension is 0)");
    if (extent > (1U << 30)) throw InputError(name_ + ": a dimension is too large");
  }
  if (shape[0] > kMostImages) {
    throw InputError(
        fmt::format("{}: holds {} images; at most {} are supported", name_, shape[0], kMostImages));
  }
  check_npy_size(header_, file_.size(), name_);
  if (values() == ArrayValues::pixels) bits_ = header_.item == 1 ? 8 : 16;
}

ArrayValues ArrayStack::values() const {
  if (header_.kind == 'f') return ArrayValues::real;
  return header_.kind == 'u' && header_.item <= 2 ? ArrayValues::pixels : ArrayValues::whole;
}

void ArrayStack::store_whole(int bits, int added) {
  bits_ = bits;
  added_ = added;
}

void ArrayStack::refuse_shape() const {
  const std::vector<std::size_t>& shape = header_.shape;
  std::string remedy;
  if (shape.size() == 2) {
    remedy = fmt::format("; rows of {} pixels? array.reshape(N, H, W)", shape[1]);
  } else if (shape.size() == 3) {
    remedy = "; one image in colour? array[None] makes it a stack of one";
  } else if (shape.size() == 4 && shape[3] == 4) {
    remedy =
        "; RGBA? array[..., :3] leaves out alpha, which is no loss where it is the same "
        "everywhere";
  } else if (shape.size() == 5 && shape[4] <= 3) {
    remedy = "; volumes? array.reshape(-1, H, W) makes every slice an image";
  }
  throw InputError(fmt::format(
      "{}: has shape ({}); expected (N, H, W), or (N, H, W, C) or (N, C, H, W) with C = 1 or 3{}",
      name_, fmt::join(shape, ", "), remedy));
}

ArrayStack::Layout ArrayStack::layout() const {
  const std::vector<std::size_t>& shape = header_.shape;
  const auto is_colour = [](std::size_t extent) { return extent == 1 || extent == 3; };
  const std::size_t axes = shape.size();
  // (H, W, 3) is one image in colour, not H images of a width of 3.
  constexpr std::size_t kLeast = 8;
  if ((axes != 3 && axes != 4) || (axes == 4 && !is_colour(shape[3]) && !is_colour(shape[1])) ||
      (axes == 3 && (shape[2] == 3 || shape[2] == 4) && shape[0] >= kLeast && shape[1] >= kLeast)) {
    refuse_shape();
  }
  std::vector<std::size_t> step(axes, 1);  // elements from one to the next
  for (std::size_t k = 1; k < axes; ++k) {
    const std::size_t axis = header_.fortran ? k : axes - 1 - k;
    const std::size_t inner = header_.fortran ? axis - 1 : axis + 1;
    step[axis] = step[inner] * shape[inner];
  }
  Layout out;
  out.channels_first = axes == 4 && !is_colour(shape[3]);
  const std::size_t row = out.channels_first ? 2 : 1;
  out.height = shape[row];
  out.width = shape[row + 1];
  out.image_step = step[0];
  out.row_step = step[row];
  out.column_step = step[row + 1];
  if (axes == 4) {
    const std::size_t channel = out.channels_first ? 1 : 3;
    out.channels = shape[channel];
    out.channel_step = step[channel];
  }
  out.in_order = !header_.fortran && (!out.channels_first || out.channels == 1);
  return out;
}

ImageHeader ArrayStack::image_header() const {
  return {static_cast<int>(layout_.width), static_cast<int>(layout_.height),
          static_cast<int>(layout_.channels), bits_};
}

std::size_t ArrayStack::place(std::size_t image, std::size_t k) const {
  if (layout_.in_order) return image * per_image() + k;
  const std::size_t pixel = k / layout_.channels;
  return image * layout_.image_step + pixel / layout_.width * layout_.row_step +
         pixel % layout_.width * layout_.column_step + k % layout_.channels * layout_.channel_step;
}

double ArrayStack::element(std::size_t k) const {
  const std::uint8_t* at = file_.data() + header_.data_offset + k * header_.item;
  const bool swap = header_.big_endian;
  if (header_.kind == 'f') {
    if (header_.item == 2) return half_value(read_as<std::uint16_t>(at, swap));
    if (header_.item == 4) return static_cast<double>(read_as<float>(at, swap));
    return read_as<double>(at, swap);
  }
  const bool is_signed = header_.kind == 'i';
  switch (header_.item) {
    case 1:
      return is_signed ? read_as<std::int8_t>(at, swap) : *at;
    case 2:
      return is_signed ? read_as<std::int16_t>(at, swap) : read_as<std::uint16_t>(at, swap);
    case 4:
      return is_signed ? static_cast<double>(read_as<std::int32_t>(at, swap))
                       : static_cast<double>(read_as<std::uint32_t>(at, swap));
    default:
      return is_signed ? static_cast<double>(read_as<std::int64_t>(at, swap))
                       : static_cast<double>(read_as<std::uint64_t>(at, swap));
  }
}

void ArrayStack::scan(FloatRange& range) const {
  const std::size_t n = header_.elements();
  for (std::size_t k = 0; k < n; ++k) {
    const double v = element(place(k / per_image(), k % per_image()));
    if (!std::isfinite(v)) {
      throw InputError(
          fmt::format("{}: image {} has a pixel that is {}; give it a value that means something "
                      "there: numpy.nan_to_num(array, nan=..., posinf=..., neginf=...)",
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
  const bool real = values() == ArrayValues::real;
  // Halved where the range of doubles is wider than a double can say.
  const double half = std::isfinite(range.high - range.low) ? 1 : 0.5;
  const double low = half * range.low, span = half * range.high - low;
  const double scale = span > 0 && std::isfinite(65535 / span) ? 65535 / span : 0;
  for (std::size_t k = 0; k < image.pixels.size(); ++k) {
    const double v = element(place(i, k));
    image.pixels[k] =
        static_cast<std::uint16_t>(real ? std::floor((half * v - low) * scale + 0.5) : v + added_);
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
    const ArrayValues values = stacks_[0].array.values();
    for (const Stack& stack : stacks_) {
      starts_.push_back(size_);
      size_ += stack.array.size();
      if (stack.array.values() != values) {
        throw InputError(fmt::format(
            "{}: holds {} and {} {}; save all arrays with one element type", stack.array.name(),
            stack.array.dtype(), stacks_[0].array.name(), stacks_[0].array.dtype()));
      }
    }
    if (std::any_of(stacks_.begin(), stacks_.end(), [](const Stack& stack) {
          return stack.array.channels_first() && stack.array.image_header().channels == 3;
        })) {
      notes.emplace_back("Arrays of shape (N, 3, H, W) were taken for images with channels first.");
    }
    if (values == ArrayValues::pixels) return;
    for (const Stack& stack : stacks_) stack.array.scan(range_);
    if (values == ArrayValues::whole) {
      store_whole();
      return;
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
  // Of integers that are neither uint8 nor uint16, such as Hounsfield units: every value is kept,
  // as DICOM's are without a window.
  void store_whole() {
    constexpr int kAdded = 32768, kMost8 = 255, kMost16 = 65535;
    const int added = range_.low < 0 ? kAdded : 0;
    if (range_.low + added < 0 || range_.high + added > kMost16) {
      throw InputError(fmt::format(
          "{}: holds {} and the arrays' values run from {} to {}, which 16 bits do not hold; save "
          "array.astype(numpy.float64), which an import scales to 16 bits over this range",
          stacks_[0].array.name(), stacks_[0].array.dtype(), range_.low, range_.high));
    }
    const int bits = range_.high + added <= kMost8 ? 8 : 16;
    for (Stack& stack : stacks_) stack.array.store_whole(bits, added);
    notes.push_back(
        fmt::format("Pixels of type {}, {} to {}, became {} bit{}; every value is kept.",
                    stacks_[0].array.dtype(), range_.low, range_.high, bits,
                    added > 0 ? fmt::format(", {} added", added) : ""));
  }

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
  std::vector<LabelArray> read;
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
    read.push_back(
        read_label_array(labels->second, name + ":" + labels->first, stack.array.size()));
    stacks.push_back(std::move(stack));
  }
  const ArrayClasses found = classes_of(read, name);
  for (std::size_t s = 0; s < stacks.size(); ++s) stacks[s].labels = found.labels[s];
  auto source = std::make_unique<StackSource>(std::move(stacks));
  source->classes = found.names;
  source->notes.insert(source->notes.end(), found.notes.begin(), found.notes.end());
  source->kind = "MedMNIST .npz";
  return source;
}

}  // namespace bioptic
