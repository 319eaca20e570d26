// What the images that a model was trained on are like, as its file remembers them, and whether
// another image is like them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bioptic/data/source_extent.h"
#include "bioptic/study/image_traits.h"

namespace bioptic {

// The rule for prepared pixels.  Of images that are drawn like those of training fewer than one in
// 200 has a trait outside their range (measured; see docs/prediction.md).
//   - The range of a trait: from the smallest to the largest value in training, but for one image
//     in a thousand at either end, which may be a stray.
//   - It is widened at both ends by 5 % of its length and by 100 / images of it, for few images do
//     not reach the ends of their kind: of 20 images by five times its length.
//   - And by no less than what no eye would see (a row of the table of traits).
class TrainingImages {
 public:
  // images: of a whole dataset; rows: those that were trained on, at least one.
  TrainingImages(std::span<const ImageTraits> images, std::span<const std::uint32_t> rows,
                 int channels);
  // From text().  Throws InputError or nlohmann::json::exception for anything else.
  explicit TrainingImages(const std::string& text);

  // JSON object text.
  std::string text() const;

  std::size_t images() const { return images_; }

  // In what the image is unlike those of training, each for a person ("mean grey value 231, in
  // training 64 to 203"); empty where it is like them.
  std::vector<std::string> unlike(const ImageTraits& image) const;

 private:
  struct Range {
    double low = 0, high = 0;
  };
  static constexpr std::size_t kRanges = kTraits + 1;  // the last: likeness of the layout

  double likeness(const ImageTraits& image) const;
  bool outside(std::size_t range, double value) const;

  std::size_t images_ = 0;
  int channels_ = 1;
  std::array<Range, kRanges> ranges_;
  std::vector<std::uint8_t> layout_;  // of the mean training image, stretched to 0 .. 255
};

// The same before an image is prepared: its shape and colour against those of the source that the
// training images were imported from.
class TrainingSource {
 public:
  // extent: what the dataset's provenance says; where it says nothing, only what is far from any
  // use is told.  The rest: the model's input.
  TrainingSource(const std::optional<SourceExtent>& extent, int channels, int height, int width);

  std::vector<std::string> unlike(const SourceShape& shape) const;
  // Of a source of which only the extent is known.
  std::vector<std::string> unlike(const SourceExtent& other) const;

 private:
  std::string enlarged(double width, double height) const;
  std::string other_shape(double aspect) const;
  std::string in_colour(double colour) const;

  std::optional<SourceExtent> extent_;
  int channels_, height_, width_;
};

}  // namespace bioptic
