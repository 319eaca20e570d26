// One stack of images in a mapped .npy file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>

#include "bioptic/base/files.h"
#include "bioptic/data/image.h"
#include "bioptic/data/npy.h"

namespace bioptic {

// Values that floats are mapped from: low -> 0, high -> 65535.
struct FloatRange {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
};

// How elements become pixels.
enum class ArrayValues {
  pixels,  // uint8 and uint16: as they are
  whole,   // other integers: as they are where 16 bits hold them, see ArrayStack::store_whole
  real     // floats: over the range of all
};

class ArrayStack {
 public:
  // (N, H, W), (N, H, W, C) or (N, C, H, W) with C = 1 or 3, in C or Fortran order.  Throws
  // InputError naming the file for anything else, with a remedy that keeps every value.  `name`:
  // how messages and items call it.
  ArrayStack(const std::filesystem::path& file, std::string name);

  std::size_t size() const { return header_.shape[0]; }
  const std::string& name() const { return name_; }
  std::string dtype() const { return header_.dtype(); }
  ArrayValues values() const;
  bool channels_first() const { return layout_.channels_first; }
  ImageHeader image_header() const;
  Image load(std::size_t i, const FloatRange& range) const;
  // Widens `range` by every pixel.  Throws InputError naming the image where one is NaN or
  // infinite.
  void scan(FloatRange& range) const;
  // Of whole numbers: pixels of so many bits are the elements plus `added`.
  void store_whole(int bits, int added);

 private:
  // Elements from one to the next along each axis.
  struct Layout {
    std::size_t height = 0, width = 0, channels = 1;
    std::size_t image_step = 0, row_step = 0, column_step = 0, channel_step = 0;
    bool channels_first = false;
    bool in_order = true;  // pixel k of all is element k
  };
  Layout layout() const;
  double element(std::size_t k) const;  // as a number
  std::size_t per_image() const { return layout_.height * layout_.width * layout_.channels; }
  std::size_t place(std::size_t image, std::size_t k) const;  // the element of an image's pixel k
  [[noreturn]] void refuse_shape() const;

  std::string name_;
  MappedFile file_;
  NpyHeader header_;
  Layout layout_;
  int bits_ = 16, added_ = 0;
};

}  // namespace bioptic
