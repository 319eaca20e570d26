#include "bioptic/data/resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

// Compiled for AVX2 too, and taken where the processor has it: the same sums in the same order, so
// the same bits.  Sanitizers and the loader's choice between the two do not go together.
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define BIOPTIC_ALSO_AVX2 __attribute__((target_clones("avx2", "default")))
#else
#define BIOPTIC_ALSO_AVX2
#endif

namespace bioptic {
namespace {

// What the output pixels along one axis take of the input: output o takes the pixels first[o],
// first[o] + 1, ... by the weights from begin[o] to begin[o + 1].
struct Taps {
  std::vector<std::size_t> first, begin;
  std::vector<float> weights;
};

// Pixels from .. from + count - 1 of an axis that is resampled to `all` pixels.
struct Range {
  std::int64_t all = 0, from = 0, count = 0;
};

Taps axis_taps(int in, const Range& out) {
  Taps taps;
  const double scale = static_cast<double>(in) / static_cast<double>(out.all);
  for (std::int64_t pixel = out.from; pixel < out.from + out.count; ++pixel) {
    const auto o = static_cast<double>(pixel);
    taps.begin.push_back(taps.weights.size());
    if (out.all < in) {  // the overlap of [o, o + 1) * scale with every input pixel
      const double begin = o * scale, end = std::min((o + 1) * scale, static_cast<double>(in));
      const int first = static_cast<int>(std::floor(begin));
      taps.first.push_back(static_cast<std::size_t>(first));
      for (int i = first; i < end && i < in; ++i) {
        const double overlap = std::min(i + 1.0, end) - std::max(static_cast<double>(i), begin);
        if (overlap > 0) taps.weights.push_back(static_cast<float>(overlap / (end - begin)));
      }
    } else {
      const double at = std::clamp((o + 0.5) * scale - 0.5, 0.0, static_cast<double>(in - 1));
      const int first = std::min(static_cast<int>(std::floor(at)), in - 1);
      const auto share = static_cast<float>(at - first);
      taps.first.push_back(static_cast<std::size_t>(first));
      taps.weights.push_back(1 - share);
      if (share > 0) taps.weights.push_back(share);
    }
  }
  taps.begin.push_back(taps.weights.size());
  return taps;
}

// As many rows are resampled at once as make a loop that the compiler turns into vectors; every
// value is the same sum in the same order as for a row alone.
constexpr std::size_t kBand = 8;

// Resamples the rows first .. end - 1 by the taps of their axis: (end - first, out_w, c).
BIOPTIC_ALSO_AVX2 void resample_rows(const Image& image, const Taps& taps, std::size_t first,
                                     std::size_t end, std::vector<float>& wide) {
  const auto c = static_cast<std::size_t>(image.channels);
  const auto in_w = static_cast<std::size_t>(image.width);
  const std::size_t in_h = end - first, out_w = taps.first.size();
  wide.resize(in_h * out_w * c);
  std::vector<float> band(in_w * c * kBand);  // the rows of a band, interleaved
  constexpr std::size_t kBlock = 16;          // a cache line of each row is written at once
  std::array<float, kBlock * kBand> block{};
  for (std::size_t y = 0; y < in_h; y += kBand) {
    const std::size_t rows = std::min(kBand, in_h - y);
    std::array<const std::uint16_t*, kBand> from{};
    from.fill(image.pixels.data());  // rows that a last band lacks: any will do
    for (std::size_t r = 0; r < rows; ++r) from[r] = &image.pixels[(first + y + r) * in_w * c];
    for (std::size_t i = 0; i < in_w * c; ++i) {
      for (std::size_t r = 0; r < kBand; ++r) band[i * kBand + r] = from[r][i];
    }
    std::size_t done = 0, held = 0;  // values of each row that are written; that are in `block`
    const auto flush = [&] {
      if (held == 0) return;
      for (std::size_t r = 0; r < rows; ++r) {
        float* const to = &wide[(y + r) * out_w * c + done];
        for (std::size_t i = 0; i < held; ++i) to[i] = block[i * kBand + r];
      }
      done += held;
      held = 0;
    };
    for (std::size_t o = 0; o < out_w; ++o) {
      const float* const weights = &taps.weights[taps.begin[o]];
      const std::size_t n = taps.begin[o + 1] - taps.begin[o];
      for (std::size_t k = 0; k < c; ++k) {
        const float* values = &band[(taps.first[o] * c + k) * kBand];
        std::array<float, kBand> sums{};
        for (std::size_t i = 0; i < n; ++i, values += c * kBand) {
          for (std::size_t r = 0; r < kBand; ++r) sums[r] += weights[i] * values[r];
        }
        for (std::size_t r = 0; r < kBand; ++r) block[held * kBand + r] = sums[r];
        if (++held == kBlock) flush();
      }
    }
    flush();
  }
}

// Values of rows that are resampled along one axis and held at once: 16 MB, or those of one output
// row.
constexpr std::size_t kHeldValues = std::size_t{1} << 22;

// A part of the image that resample(image, x.all, y.all) would give, in memory in proportion to the
// part and the image.
BIOPTIC_ALSO_AVX2 Image resample_part(const Image& image, const Range& columns, const Range& rows) {
  const auto out_h = static_cast<std::size_t>(rows.count);
  const std::size_t row =
      static_cast<std::size_t>(columns.count) * static_cast<std::size_t>(image.channels);
  const Taps along = axis_taps(image.width, columns), taps = axis_taps(image.height, rows);
  const auto end_of = [&](std::size_t y) {  // the input rows that output row y takes end here
    return taps.first[y] + taps.begin[y + 1] - taps.begin[y];
  };
  Image out{static_cast<int>(columns.count),
            static_cast<int>(rows.count),
            image.channels,
            image.bits,
            {}};
  out.pixels.resize(out_h * row);
  const float largest = image.bits == 8 ? 255 : 65535;
  std::vector<float> sum(row), wide;
  std::size_t held_from = 0, held_end = 0;  // input rows in `wide`
  for (std::size_t y = 0; y < out_h; ++y) {
    if (end_of(y) > held_end || y == 0) {
      std::size_t last = y;
      while (last + 1 < out_h && (end_of(last + 1) - taps.first[y]) * row <= kHeldValues) ++last;
      held_from = taps.first[y];
      held_end = end_of(last);
      resample_rows(image, along, held_from, held_end, wide);
    }
    std::fill(sum.begin(), sum.end(), 0.0F);
    for (std::size_t i = taps.begin[y]; i < taps.begin[y + 1]; ++i) {
      const float* const from = &wide[(taps.first[y] - held_from + i - taps.begin[y]) * row];
      const float weight = taps.weights[i];
      for (std::size_t x = 0; x < row; ++x) sum[x] += weight * from[x];
    }
    std::uint16_t* const to = &out.pixels[y * row];
    for (std::size_t x = 0; x < row; ++x) {  // no sum is below 0: cutting off is the floor
      to[x] = static_cast<std::uint16_t>(static_cast<int>(std::min(sum[x] + 0.5F, largest)));
    }
  }
  return out;
}

}  // namespace

Image resample(const Image& image, int width, int height) {
  if (image.width == width && image.height == height) return image;
  return resample_part(image, {width, 0, width}, {height, 0, height});
}

Image fit_square(const Image& image, int size, Fit fit) {
  if (fit == Fit::stretch || image.width == image.height) return resample(image, size, size);
  const bool wide = image.width > image.height;
  const bool longer_fits = fit == Fit::pad;
  const double scale =
      static_cast<double>(size) / (wide == longer_fits ? image.width : image.height);
  // What an axis becomes, where that begins in the square, and what of it lies within: a narrow
  // image that is cropped would be far longer than the square.
  struct Axis {
    std::int64_t begin = 0;
    Range part;
  };
  const auto axis = [&](int n) {
    const auto all =
        std::max(std::int64_t{1}, static_cast<std::int64_t>(std::floor(n * scale + 0.5)));
    const std::int64_t offset = (size - all) / 2;  // >= 0 when padding, <= 0 when cropping
    const std::int64_t begin = std::max(std::int64_t{0}, offset);
    const std::int64_t end = std::min(std::int64_t{size}, offset + all);
    return Axis{begin, {all, begin - offset, end - begin}};
  };
  const Axis x = axis(image.width), y = axis(image.height);
  const Image part = resample_part(image, x.part, y.part);
  Image out{size, size, image.channels, image.bits, {}};
  const auto c = static_cast<std::size_t>(image.channels);
  const auto side = static_cast<std::size_t>(size);
  out.pixels.assign(side * side * c, 0);
  const std::size_t row = static_cast<std::size_t>(part.width) * c;
  for (std::size_t r = 0; r < static_cast<std::size_t>(part.height); ++r) {
    const std::size_t to =
        (static_cast<std::size_t>(y.begin) + r) * side + static_cast<std::size_t>(x.begin);
    std::copy_n(part.pixels.begin() + static_cast<std::ptrdiff_t>(r * row), row,
                out.pixels.begin() + static_cast<std::ptrdiff_t>(to * c));
  }
  return out;
}

}  // namespace bioptic
