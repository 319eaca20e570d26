#include "bioptic/data/resize.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace bioptic {
namespace {

// What one output pixel takes of the input: weights for pixels first, first + 1, ...
struct Taps {
  std::size_t first = 0;
  std::vector<float> weights;
};

std::vector<Taps> axis_taps(int in, int out) {
  std::vector<Taps> taps(static_cast<std::size_t>(out));
  const double scale = static_cast<double>(in) / out;
  for (int o = 0; o < out; ++o) {
    Taps& t = taps[static_cast<std::size_t>(o)];
    if (out < in) {  // the overlap of [o, o + 1) * scale with every input pixel
      const double begin = o * scale, end = std::min((o + 1) * scale, static_cast<double>(in));
      const int first = static_cast<int>(std::floor(begin));
      t.first = static_cast<std::size_t>(first);
      for (int i = first; i < end && i < in; ++i) {
        const double overlap = std::min(i + 1.0, end) - std::max(static_cast<double>(i), begin);
        if (overlap > 0) t.weights.push_back(static_cast<float>(overlap / (end - begin)));
      }
    } else {
      const double at = std::clamp((o + 0.5) * scale - 0.5, 0.0, static_cast<double>(in - 1));
      const int first = std::min(static_cast<int>(std::floor(at)), in - 1);
      const auto share = static_cast<float>(at - first);
      t.first = static_cast<std::size_t>(first);
      t.weights.push_back(1 - share);
      if (share > 0) t.weights.push_back(share);
    }
  }
  return taps;
}

}  // namespace

Image resample(const Image& image, int width, int height) {
  if (image.width == width && image.height == height) return image;
  const auto c = static_cast<std::size_t>(image.channels);
  const auto in_w = static_cast<std::size_t>(image.width), out_w = static_cast<std::size_t>(width);
  const auto in_h = static_cast<std::size_t>(image.height),
             out_h = static_cast<std::size_t>(height);

  // Rows first: (in_h, out_w, c)
  const std::vector<Taps> columns = axis_taps(image.width, width);
  std::vector<float> wide(in_h * out_w * c), line(in_w * c);
  for (std::size_t y = 0; y < in_h; ++y) {
    std::copy_n(image.pixels.begin() + static_cast<std::ptrdiff_t>(y * in_w * c), in_w * c,
                line.begin());
    float* to = &wide[y * out_w * c];
    for (const Taps& t : columns) {
      const float* const from = &line[t.first * c];
      const float* const weights = t.weights.data();
      const std::size_t n = t.weights.size();
      for (std::size_t k = 0; k < c; ++k) {
        float sum = 0;
        for (std::size_t i = 0; i < n; ++i) sum += weights[i] * from[i * c + k];
        *to++ = sum;
      }
    }
  }
  const std::vector<Taps> rows = axis_taps(image.height, height);
  Image out{width, height, image.channels, image.bits, {}};
  out.pixels.resize(out_h * out_w * c);
  const std::size_t row = out_w * c;
  const int largest = image.bits == 8 ? 255 : 65535;
  std::vector<float> sum(row);
  for (std::size_t y = 0; y < out_h; ++y) {
    std::fill(sum.begin(), sum.end(), 0.0F);
    const Taps& t = rows[y];
    for (std::size_t i = 0; i < t.weights.size(); ++i) {
      const float* from = &wide[(t.first + i) * row];
      const float weight = t.weights[i];
      for (std::size_t x = 0; x < row; ++x) sum[x] += weight * from[x];
    }
    std::uint16_t* const to = &out.pixels[y * row];
    for (std::size_t x = 0; x < row; ++x) {  // no sum is below 0: cutting off is the floor
      to[x] = static_cast<std::uint16_t>(std::min(static_cast<int>(sum[x] + 0.5F), largest));
    }
  }
  return out;
}

Image fit_square(const Image& image, int size, Fit fit) {
  if (fit == Fit::stretch || image.width == image.height) return resample(image, size, size);
  const bool wide = image.width > image.height;
  const bool longer_fits = fit == Fit::pad;
  const double scale =
      static_cast<double>(size) / (wide == longer_fits ? image.width : image.height);
  const auto scaled = [&](int n) {
    return std::max(1, static_cast<int>(std::floor(n * scale + 0.5)));
  };
  const Image resized = resample(image, scaled(image.width), scaled(image.height));
  Image out{size, size, image.channels, image.bits, {}};
  const auto c = static_cast<std::size_t>(image.channels);
  const auto side = static_cast<std::size_t>(size);
  out.pixels.assign(side * side * c, 0);
  // Offsets of the resized image in the square: >= 0 when padding, <= 0 when cropping.
  const int left = (size - resized.width) / 2, top = (size - resized.height) / 2;
  for (int y = std::max(0, top); y < std::min(size, top + resized.height); ++y) {
    for (int x = std::max(0, left); x < std::min(size, left + resized.width); ++x) {
      const std::size_t from = static_cast<std::size_t>((y - top) * resized.width + (x - left)) * c;
      const std::size_t to = (static_cast<std::size_t>(y) * side + static_cast<std::size_t>(x)) * c;
      for (std::size_t k = 0; k < c; ++k) out.pixels[to + k] = resized.pixels[from + k];
    }
  }
  return out;
}

}  // namespace bioptic
