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

class ArrayStack {
 public:
  // (N, H, W) or (N, H, W, C) with C = 1 or 3; uint8, uint16 or float16/32/64.  Throws InputError
  // naming the file for anything else.  `name`: how messages and items call it.
  ArrayStack(const std::filesystem::path& file, std::string name);

  std::size_t size() const { return header_.shape[0]; }
  const std::string& name() const { return name_; }
  bool is_float() const { return header_.kind == 'f'; }
  ImageHeader image_header() const;
  Image load(std::size_t i, const FloatRange& range) const;
  // Widens `range` by every pixel.  Throws InputError naming the image where one is NaN or
  // infinite.
  void scan(FloatRange& range) const;

 private:
  double value(std::size_t k) const;  // element k as a number
  std::size_t per_image() const { return header_.elements() / header_.shape[0]; }
  std::string name_;
  MappedFile file_;
  NpyHeader header_;
};

}  // namespace bioptic
