#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>

#include "bioptic/data/dicom.h"

namespace bioptic {
namespace {

// Stored values as numbers 0 .. 2^bits_stored - 1, the index of what a value becomes.  Bits above
// bits_stored hold no part of the value (old files keep overlays there).
std::size_t values_of(const DicomFile& file) { return std::size_t{1} << file.bits_stored; }

std::int32_t stored_value(const DicomFile& file, std::size_t index) {
  const auto value = static_cast<std::int32_t>(index);
  const auto half = static_cast<std::int32_t>(values_of(file) / 2);
  return file.is_signed && value >= half ? value - 2 * half : value;
}

std::uint16_t look_up(const DicomLut& lut, double input) {
  const double last = static_cast<double>(lut.values.size()) - 1;
  return lut.values[static_cast<std::size_t>(std::clamp(std::floor(input) - lut.first, 0.0, last))];
}

// By index of the stored value.
std::vector<double> modality_values(const DicomFile& file, const DicomFrame& frame) {
  std::vector<double> values(values_of(file));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int32_t stored = stored_value(file, i);
    values[i] = file.modality.values.empty() ? frame.slope * stored + frame.intercept
                                             : look_up(file.modality, stored);
  }
  return values;
}

// A straight line from 0 at low to 1 at high, held outside.
struct Line {
  double low = 0, high = 1;
  double operator()(double x) const {
    return high > low ? std::clamp((x - low) / (high - low), 0.0, 1.0) : 0;
  }
};

// PS3.3 C.11.2.1.2.1, C.11.2.1.3.2, C.11.2.1.3.1
double windowed(double x, const DicomFrame& frame) {
  const double c = frame.center, w = frame.width;
  switch (frame.function) {
    case DicomVoi::linear:
      if (x <= c - 0.5 - (w - 1) / 2) return 0;
      if (x > c - 0.5 + (w - 1) / 2) return 1;
      return (x - (c - 0.5)) / (w - 1) + 0.5;
    case DicomVoi::linear_exact:
      return std::clamp((x - c) / w + 0.5, 0.0, 1.0);
    case DicomVoi::sigmoid:
      return 1 / (1 + std::exp(-4 * (x - c) / w));
  }
  return 0;
}

std::size_t index_at(const DicomFile& file, std::size_t at) {
  std::uint16_t raw = file.pixels[file.bits_allocated == 8 ? at : 0];
  if (file.bits_allocated == 16) std::memcpy(&raw, &file.pixels[2 * at], 2);
  return raw & (values_of(file) - 1);
}

// 0.5 and 99.5 % of the frame: the smallest value with more than that share at or below it.
Line percentiles(const DicomFile& file, std::size_t begin, std::size_t count,
                 const std::vector<double>& values) {
  std::vector<std::size_t> counts(values.size());
  for (std::size_t p = 0; p < count; ++p) ++counts[index_at(file, begin + p)];
  if (file.padding) {
    const auto index = static_cast<std::size_t>(*file.padding) & (values.size() - 1);
    if (counts[index] < count) counts[index] = 0;  // unless there is nothing else
  }
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  const std::size_t total = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
  const auto value_at = [&](double share) {
    const auto wanted = static_cast<std::size_t>(share * static_cast<double>(total));
    std::size_t below = 0;
    for (const std::size_t i : order) {
      below += counts[i];
      if (below > wanted) return values[i];
    }
    return values[order.back()];
  };
  return {value_at(0.005), value_at(0.995)};
}

// The 16-bit value of every modality value, and whether it lies outside.
struct Deep {
  std::vector<std::uint16_t> values;
  std::vector<bool> clipped;
};

Deep deepened(const std::vector<double>& values, bool inverted, const DicomScale& scale) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const double sum = *least + *most;
  Deep deep{std::vector<std::uint16_t>(values.size()), std::vector<bool>(values.size())};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = inverted ? sum - values[i] : values[i];
    const double exact = (value - scale.zero) / scale.unit + scale.added;
    const double rounded = std::floor(exact + 0.5);
    deep.values[i] = static_cast<std::uint16_t>(std::clamp(rounded, 0.0, 65535.0));
    deep.clipped[i] = rounded < 0 || rounded > 65535;
  }
  return deep;
}

// Pixels that were clipped, and those whose value is no longer told from another one's.
void count_losses(const std::vector<double>& values, const Deep& deep,
                  const std::vector<std::size_t>& pixels_of, Losses& losses) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> first(65536, kNone);  // the modality value that first gave a 16-bit one
  std::vector<bool> shared(65536);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (pixels_of[i] == 0 || deep.clipped[i]) continue;
    double& of = first[deep.values[i]];
    if (std::isnan(of)) of = values[i];
    if (of != values[i]) shared[deep.values[i]] = true;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (deep.clipped[i]) {
      losses[Loss::clipped_values] += pixels_of[i];
    } else if (shared[deep.values[i]]) {
      losses[Loss::rounded_values] += pixels_of[i];
    }
  }
}

}  // namespace

DicomRule dicom_rule(const DicomFile& file, std::size_t frame, const DicomOptions& options) {
  switch (options.window) {
    case DicomWindow::fixed:
      return DicomRule::fixed;
    case DicomWindow::percentile:
      return DicomRule::percentile;
    case DicomWindow::none:
      return DicomRule::none;
    case DicomWindow::file:
      break;
  }
  if (!file.voi.values.empty()) return DicomRule::voi_lut;
  if (file.frames[frame].has_window) return DicomRule::window;
  return file.bits_stored <= 8 ? DicomRule::whole : DicomRule::percentile;
}

double smallest_modality_value(const DicomFile& file) {
  if (!file.modality.values.empty()) return 0;
  double smallest = 0;
  for (const DicomFrame& frame : file.frames) {
    for (const std::size_t end : {std::size_t{0}, values_of(file) / 2 - (file.is_signed ? 1 : 0),
                                  values_of(file) / 2, values_of(file) - 1}) {
      smallest = std::min(smallest, frame.slope * stored_value(file, end) + frame.intercept);
    }
  }
  return smallest;
}

void DicomRange::add(const DicomRange& other) {
  if (other.empty) return;
  if (empty) {
    *this = other;
    return;
  }
  lowest = std::min(lowest, other.lowest);
  highest = std::max(highest, other.highest);
  same = same && other.same && slope == other.slope && intercept == other.intercept;
  whole = whole && other.whole;
  is_signed = is_signed || other.is_signed;
  least = std::min(least, other.least);
}

DicomRange modality_range(const DicomFile& file) {
  DicomRange range;
  if (file.colour == DicomColour::rgb) return range;
  if (!file.modality.values.empty()) {
    DicomRange table;
    table.empty = false;
    table.least = 1;
    table.highest = 65535;
    return table;
  }
  const auto half = static_cast<std::int32_t>(values_of(file) / 2);
  for (const DicomFrame& frame : file.frames) {
    const std::int32_t low = file.is_signed ? -half : 0;
    const double ends[] = {frame.slope * low + frame.intercept,
                           frame.slope * (low + 2 * half - 1) + frame.intercept};
    DicomRange one;
    one.empty = false;
    one.lowest = std::min({0.0, ends[0], ends[1]});
    one.highest = std::max({0.0, ends[0], ends[1]});
    one.slope = frame.slope;
    one.intercept = frame.intercept;
    one.whole = std::floor(frame.slope) == frame.slope;
    one.is_signed = file.is_signed;
    one.least = std::abs(frame.slope);
    range.add(one);
  }
  return range;
}

DicomScale dicom_scale(const DicomRange& range, const DicomOptions& options) {
  constexpr double kHalf = 32768;
  DicomScale scale;
  scale.added = range.lowest < 0 ? kHalf : 0;
  if (options.unit > 0) {
    scale.unit = options.unit;
    scale.zero = options.zero;
  } else if (!range.whole && range.same && range.slope > 0) {
    scale = {range.is_signed ? kHalf : 0, range.slope, range.intercept};
  } else if (!range.whole) {
    const double room = range.lowest < 0
                            ? std::max(-range.lowest / kHalf, range.highest / (kHalf - 1))
                            : range.highest / (2 * kHalf - 1);
    scale.unit = std::max(range.least, room);
  }
  if (options.low != 0) scale.added = -options.low;
  return scale;
}

int dicom_bits(const DicomFile& file, const DicomOptions& options) {
  return file.colour != DicomColour::rgb && options.window == DicomWindow::none ? 16 : 8;
}

Image dicom_image(const DicomFile& file, std::size_t frame, const DicomOptions& options,
                  const DicomScale& scale) {
  const std::size_t pixels =
      static_cast<std::size_t>(file.width) * static_cast<std::size_t>(file.height);
  Image image{file.width,
              file.height,
              file.colour == DicomColour::rgb ? 3 : 1,
              dicom_bits(file, options),
              {}};
  if (frame == 0) {
    image.losses[Loss::frames] = file.further_frames;
    image.losses[Loss::pixel_bytes] = file.spare_bytes;
    image.losses[Loss::overlays] = file.overlays;
  }
  if (file.colour == DicomColour::rgb) {
    const auto begin = file.pixels.begin() + static_cast<std::ptrdiff_t>(frame * pixels * 3);
    image.pixels.assign(begin, begin + static_cast<std::ptrdiff_t>(pixels * 3));
    return image;
  }
  const std::vector<double> values = modality_values(file, file.frames[frame]);
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const DicomRule rule = dicom_rule(file, frame, options);
  Line line{*least, *most};
  if (rule == DicomRule::fixed) line = {options.low, options.high};
  if (rule == DicomRule::percentile) line = percentiles(file, frame * pixels, pixels, values);
  const bool inverted = file.colour == DicomColour::monochrome1;
  const double white = std::pow(2, file.voi.bits) - 1;

  std::vector<std::uint16_t> table(values.size());
  if (rule == DicomRule::none) {
    Deep deep = deepened(values, inverted, scale);
    std::vector<std::size_t> pixels_of(values.size());
    for (std::size_t p = 0; p < pixels; ++p) ++pixels_of[index_at(file, frame * pixels + p)];
    count_losses(values, deep, pixels_of, image.losses);
    table = std::move(deep.values);
  }
  for (std::size_t i = 0; i < table.size() && rule != DicomRule::none; ++i) {
    double y = 0;
    if (rule == DicomRule::voi_lut) {
      y = std::min(look_up(file.voi, values[i]) / white, 1.0);
    } else if (rule == DicomRule::window) {
      y = windowed(values[i], file.frames[frame]);
    } else {
      y = line(values[i]);
    }
    table[i] = static_cast<std::uint16_t>(std::floor(255 * (inverted ? 1 - y : y) + 0.5));
  }
  image.pixels.resize(pixels);
  for (std::size_t p = 0; p < pixels; ++p) {
    image.pixels[p] = table[index_at(file, frame * pixels + p)];
  }
  return image;
}

}  // namespace bioptic
