#include <algorithm>
#include <cmath>
#include <cstring>
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

int dicom_bits(const DicomFile& file, const DicomOptions& options) {
  return file.colour != DicomColour::rgb && options.window == DicomWindow::none ? 16 : 8;
}

Image dicom_image(const DicomFile& file, std::size_t frame, const DicomOptions& options,
                  double offset) {
  const std::size_t pixels =
      static_cast<std::size_t>(file.width) * static_cast<std::size_t>(file.height);
  Image image{file.width,
              file.height,
              file.colour == DicomColour::rgb ? 3 : 1,
              dicom_bits(file, options),
              {}};
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
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (rule == DicomRule::none) {
      const double value = inverted ? *least + *most - values[i] : values[i];
      table[i] =
          static_cast<std::uint16_t>(std::clamp(std::floor(value + offset + 0.5), 0.0, 65535.0));
      continue;
    }
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
