#include "bioptic/study/training_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/base/json_integer.h"

namespace bioptic {
namespace {

using nlohmann::json;

// One trait: its name in the file and for a person, which ends of its range count, by how much an
// image may always lie outside it, and how its values are written.
struct Row {
  const char* key;
  const char* words;
  bool low, high;
  double least;
  int digits;
  double factor = 1;  // for a person
  const char* unit = "";
};
// In the order of Trait, and the likeness of the layout last.  Fewer black pixels than in training
// are no sign of another kind of image, nor is a better likeness.
constexpr std::array<Row, kTraits + 1> kRows = {{
    {"mean", "mean grey value", true, true, 2, 0},
    {"contrast", "standard deviation of the grey values", true, true, 1, 1},
    {"black", "black pixels", false, true, 0.01, 0, 100, " %"},
    {"white", "white pixels", false, true, 0.01, 0, 100, " %"},
    {"steps", "mean difference of neighbouring pixels", true, true, 0.25, 1},
    {"colour", "mean difference of its colours", true, true, 2, 1},
    {"layout", "likeness to the mean training image", true, false, 0.05, 2},
}};
constexpr auto kColour = static_cast<std::size_t>(Trait::colour);
constexpr std::size_t kLayout = kTraits;

// The layout with mean 0 and length 1; all 0 where its values are all the same.
std::vector<double> standardised(std::span<const std::uint8_t> layout) {
  std::vector<double> values(layout.begin(), layout.end());
  double mean = 0, square = 0;
  for (const double v : values) mean += v;
  mean /= static_cast<double>(values.size());
  for (double& v : values) {
    v -= mean;
    square += v * v;
  }
  for (double& v : values) v = square > 0 ? v / std::sqrt(square) : 0;
  return values;
}

// The mean of standardised layouts, stretched to 0 .. 255: only its pattern is asked for.
std::vector<std::uint8_t> mean_layout(std::span<const ImageTraits> images,
                                      std::span<const std::uint32_t> rows) {
  std::vector<double> sum(images[rows[0]].layout.size());
  for (const std::uint32_t row : rows) {
    const std::vector<double> layout = standardised(images[row].layout);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += layout[i];
  }
  const auto [low, high] = std::minmax_element(sum.begin(), sum.end());
  const double least = *low, length = *high - *low;
  std::vector<std::uint8_t> layout;
  for (const double v : sum) {
    layout.push_back(
        static_cast<std::uint8_t>(length > 0 ? std::floor(255 * (v - least) / length + 0.5) : 0));
  }
  return layout;
}

double finite_number(const json& j) {
  const double value = j.get<double>();
  if (!std::isfinite(value)) throw InputError("its record of the training images is damaged");
  return value;
}

// Ratios of lengths may differ by a tenth from those of training.
constexpr double kTenth = 1.1;

void add_to(std::vector<std::string>& reasons, std::string reason) {
  if (!reason.empty()) reasons.push_back(std::move(reason));
}

}  // namespace

TrainingImages::TrainingImages(std::span<const ImageTraits> images,
                               std::span<const std::uint32_t> rows, int channels)
    : images_(rows.size()), channels_(channels), layout_(mean_layout(images, rows)) {
  const std::size_t strays = rows.size() / 1000;
  std::vector<double> values(rows.size());
  for (std::size_t r = 0; r < kRanges; ++r) {
    std::transform(rows.begin(), rows.end(), values.begin(), [&](std::uint32_t row) {
      return r == kLayout ? likeness(images[row]) : images[row].values[r];
    });
    std::sort(values.begin(), values.end());
    ranges_[r] = {values[strays], values[values.size() - 1 - strays]};
  }
}

TrainingImages::TrainingImages(const std::string& text) {
  const json j = json::parse(text);
  images_ = integer<std::size_t>(j.at("images"));
  channels_ = integer<int>(j.at("channels"));
  layout_ = integers<std::uint8_t>(j.at("layout"));
  if (images_ == 0 || layout_.empty()) {
    throw InputError("its record of the training images is damaged");
  }
  for (std::size_t r = 0; r < kRanges; ++r) {
    if (r == kColour && channels_ == 1) continue;
    const json& range = j.at("ranges").at(kRows[r].key);
    ranges_[r] = {finite_number(range.at(0)), finite_number(range.at(1))};
  }
}

std::string TrainingImages::text() const {
  json ranges = json::object();
  for (std::size_t r = 0; r < kRanges; ++r) {
    if (r == kColour && channels_ == 1) continue;
    ranges[kRows[r].key] = {ranges_[r].low, ranges_[r].high};
  }
  return json{{"images", images_}, {"channels", channels_}, {"ranges", ranges}, {"layout", layout_}}
      .dump();
}

double TrainingImages::likeness(const ImageTraits& image) const {
  if (image.layout.size() != layout_.size()) return 0;
  const std::vector<double> a = standardised(layout_), b = standardised(image.layout);
  double product = 0;
  for (std::size_t i = 0; i < a.size(); ++i) product += a[i] * b[i];
  return product;
}

bool TrainingImages::outside(std::size_t range, double value) const {
  const auto [low, high] = ranges_[range];
  const double share = 0.05 + 100 / static_cast<double>(images_);
  const double margin = std::max(kRows[range].least, share * (high - low));
  return (kRows[range].low && value < low - margin) || (kRows[range].high && value > high + margin);
}

std::vector<std::string> TrainingImages::unlike(const ImageTraits& image) const {
  std::vector<std::string> reasons;
  for (std::size_t r = 0; r < kRanges; ++r) {
    if (r == kColour && channels_ == 1) continue;
    const double value = r == kLayout ? likeness(image) : image.values[r];
    if (!outside(r, value)) continue;
    const Row& row = kRows[r];
    reasons.push_back(fmt::format("{} {:.{}f}{}, in training {:.{}f} to {:.{}f}{}", row.words,
                                  row.factor * value, row.digits, row.unit,
                                  row.factor * ranges_[r].low, row.digits,
                                  row.factor * ranges_[r].high, row.digits, row.unit));
  }
  return reasons;
}

TrainingSource::TrainingSource(const std::optional<SourceExtent>& extent, int channels, int height,
                               int width)
    : extent_(extent), channels_(channels), height_(height), width_(width) {}

// "" where it is not, or not more than training images were.
std::string TrainingSource::enlarged(double width, double height) const {
  const auto factor = [&](double w, double h) { return std::max(width_ / w, height_ / h); };
  constexpr double kUnknown =
      2;  // by how much training images may have been, where nothing is said
  const double usual = extent_ ? factor(extent_->width.low, extent_->height.low) : kUnknown;
  const double here = factor(width, height);
  if (here <= kTenth * std::max(1.0, usual)) return "";
  return fmt::format("{:.0f} x {:.0f} pixels, enlarged {:.1f} times to {} x {}", width, height,
                     here, width_, height_);
}

std::string TrainingSource::other_shape(double aspect) const {
  if (!extent_) return "";
  if (aspect >= extent_->aspect.low / kTenth && aspect <= extent_->aspect.high * kTenth) return "";
  return fmt::format("width / height {:.2f}, in training {:.2f} to {:.2f}", aspect,
                     extent_->aspect.low, extent_->aspect.high);
}

// What a network of three channels sees of its colours is in the traits of the prepared image.
std::string TrainingSource::in_colour(double colour) const {
  // A JPEG of a grey picture, or a scanned film's tint.
  constexpr double kNone = 4;
  if (channels_ != 1 || colour <= kNone) return "";
  if (!extent_) return fmt::format("in colour (its colours differ by {:.1f} grey values)", colour);
  if (colour <= kTenth * extent_->colour.high) return "";
  return fmt::format(
      "in colour (its colours differ by {:.1f} grey values, in training {:.1f} to {:.1f})", colour,
      extent_->colour.low, extent_->colour.high);
}

std::vector<std::string> TrainingSource::unlike(const SourceShape& shape) const {
  std::vector<std::string> reasons;
  add_to(reasons, in_colour(shape.colour));
  add_to(reasons, enlarged(shape.width, shape.height));
  add_to(reasons, other_shape(shape.aspect()));
  return reasons;
}

std::vector<std::string> TrainingSource::unlike(const SourceExtent& other) const {
  std::vector<std::string> reasons;
  add_to(reasons, in_colour(other.colour.high));
  add_to(reasons, enlarged(other.width.low, other.height.low));
  for (const double aspect : {other.aspect.low, other.aspect.high}) {
    if (std::string reason = other_shape(aspect); !reason.empty()) {
      reasons.push_back(std::move(reason));
      break;
    }
  }
  return reasons;
}

}  // namespace bioptic
