// What the images of a source were before they were prepared: in dataset.json, and from there in
// models.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "bioptic/data/image.h"

namespace bioptic {

// Of one image as it was decoded.
struct SourceShape {
  int width = 0, height = 0;  // pixels
  // Mean difference between the strongest and the weakest channel, in grey values of 8 bits.
  double colour = 0;
  double aspect() const { return static_cast<double>(width) / height; }
};
SourceShape shape_of(const Image& image);

struct Extent {
  double low = 0, high = 0;
  void add(double value, bool first);
};

// Of all images: from the smallest to the largest.
struct SourceExtent {
  std::size_t images = 0;
  Extent width, height, aspect, colour;

  void add(const SourceShape& shape);

  // JSON object text; and back: empty where it is none.
  std::string text() const;
  static std::optional<SourceExtent> read(const std::string& text);
};

// What a dataset's provenance (DatasetInfo) says of it; empty for one that was imported before this
// was kept, or was not imported.
std::optional<SourceExtent> source_extent(const std::string& provenance);
// Its key there.
inline constexpr const char* kSourceExtentKey = "images";

}  // namespace bioptic
