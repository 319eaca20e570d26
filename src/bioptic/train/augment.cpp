#include "bioptic/train/augment.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>

#include "bioptic/base/error.h"
#include "bioptic/base/flush_to_zero.h"
#include "bioptic/base/portable_math.h"
#include "bioptic/base/random.h"

namespace bioptic {
namespace {

constexpr double kMiddleGrey = 127.5;

std::size_t blocks_per_row(std::size_t width) {
  return (width + kernel::kNoisePerBlock - 1) / kernel::kNoisePerBlock;
}

// The draw's map from output to source, row by row.  An image is flipped, scaled, rotated and
// shifted, so the source of an output pixel is found by the inverse steps in the opposite order:
//   source - centre = flip (rotation^-1 (output - centre - shift)) / scale
struct InverseMap {
  double cx, cy, right, down;  // centre and shift, pixels
  double cos, sin;             // of the angle, over the scale
  double flip;                 // 1 or -1

  InverseMap(const AugmentDraw& draw, std::size_t height, std::size_t width)
      : cx(0.5 * static_cast<double>(width - 1)),
        cy(0.5 * static_cast<double>(height - 1)),
        right(draw.right),
        down(draw.down),
        cos(portable::cos(draw.angle) / draw.scale),
        sin(portable::sin(draw.angle) / draw.scale),
        flip(draw.flip ? -1 : 1) {}

  kernel::RowMap row(std::size_t y) const {
    const double u = -cx - right;  // of the row's first pixel
    const double v = static_cast<double>(y) - cy - down;
    kernel::RowMap map;
    map.x0 = static_cast<float>(cx + flip * (cos * u + sin * v));
    map.dx = static_cast<float>(flip * cos);
    map.y0 = static_cast<float>(cy + (cos * v - sin * u));
    map.dy = static_cast<float>(-sin);
    return map;
  }
};

}  // namespace

void check_augmentable(std::size_t height, std::size_t width) {
  if (std::max(height, width) > kMaxAugmentedSide) {
    throw InputError(
        fmt::format("augment: images of {} x {} pixels; at most {} a side can be augmented; import "
                    "them smaller with size = N in [data]",
                    height, width, kMaxAugmentedSide));
  }
}

AugmentDraw draw_augmentation(const AugmentSpec& spec, std::uint64_t seed,
                              const AugmentedImage& image, std::size_t height, std::size_t width) {
  std::string name = fmt::format("augment/epoch {}/image {}", image.epoch, image.row);
  if (image.copy > 0) name += fmt::format("/copy {}", image.copy);
  RandomStream stream(seed, name);
  AugmentDraw draw;
  draw.right = static_cast<double>(width) * stream.uniform(-spec.shift, spec.shift);
  draw.down = static_cast<double>(height) * stream.uniform(-spec.shift, spec.shift);
  draw.angle = portable::kPi / 180 * stream.uniform(-spec.rotate, spec.rotate);
  draw.scale = stream.uniform(1 - spec.scale, 1 + spec.scale);
  const double coin = stream.uniform();
  draw.flip = spec.flip && coin < 0.5;
  draw.brightness = 255 * stream.uniform(-spec.brightness, spec.brightness);
  draw.contrast = stream.uniform(1 - spec.contrast, 1 + spec.contrast);
  draw.noise_key = RandomStream(seed, name + "/noise").key();
  return draw;
}

kernel::NoiseTable noise_table(double sd) {
  constexpr std::size_t kEntries = std::tuple_size_v<kernel::NoiseTable>;
  const double root_half = std::sqrt(0.5), density = root_half / std::sqrt(portable::kPi);
  kernel::NoiseTable table{};
  double z = 0;
  // The upper half, each quantile from the one before by Newton's method: the distribution function
  // is concave there, so the steps never go too far.
  for (std::size_t k = kEntries / 2; k < kEntries; ++k) {
    const double above = (static_cast<double>(kEntries - k) - 0.5) / kEntries;  // 1 - p
    double step = 1;
    while (step > 1e-6) {  // the next would be about its square
      step = (0.5 - 0.5 * portable::erf(z * root_half) - above) /
             (density * portable::exp(-0.5 * z * z));
      z += step;
    }
    const double units = std::floor(z * sd * kernel::kNoiseUnits + 0.5);
    table[k] = static_cast<std::int16_t>(units);
    table[kEntries - 1 - k] = static_cast<std::int16_t>(-units);
  }
  return table;
}

Augmenter::Augmenter(const AugmentSpec& spec, std::size_t channels, std::size_t height,
                     std::size_t width, std::uint64_t seed, std::string_view isa)
    : spec_(spec),
      channels_(channels),
      height_(height),
      width_(width),
      seed_(seed),
      kernels_(kernel::choose_augment_kernels(isa)) {
  check_augmentable(height, width);
  if (spec.noise > 0) {
    noise_ = std::make_unique<const kernel::NoiseTable>(noise_table(spec.noise));
  }
}

void Augmenter::make_scratch(std::size_t threads) {
  while (scratch_.size() < threads) {
    scratch_.push_back({AlignedBuffer<std::uint32_t>(height_ * width_),
                        AlignedBuffer<std::int16_t>(
                            noise_ ? blocks_per_row(width_) * kernel::kNoisePerBlock : 0)});
  }
}

void Augmenter::apply(const AugmentDraw& draw, const std::uint8_t* pixels, std::uint8_t* out,
                      Scratch& scratch) const {
  const InverseMap inverse(draw, height_, width_);
  // contrast (v - middle) + middle + brightness
  const kernel::Tone tone{
      static_cast<float>(draw.contrast),
      static_cast<float>(draw.brightness + kMiddleGrey - draw.contrast * kMiddleGrey)};
  const bool moved =
      draw.flip || draw.scale != 1 || draw.angle != 0 || draw.right != 0 || draw.down != 0;
  const std::size_t size = height_ * width_, blocks = blocks_per_row(width_);
  for (std::size_t c = 0; c < channels_; ++c) {
    if (moved) kernels_.make_quads(pixels + c * size, height_, width_, scratch.quads.data());
    for (std::size_t y = 0; y < height_; ++y) {
      if (noise_) {
        kernels_.draw_noise(draw.noise_key, (c * height_ + y) * blocks, *noise_, width_,
                            scratch.noise.data());
      }
      const std::int16_t* const noise = noise_ ? scratch.noise.data() : nullptr;
      const std::size_t at = c * size + y * width_;
      if (moved) {
        kernels_.warp_row(scratch.quads.data(), height_, width_, inverse.row(y), tone, noise,
                          out + at);
      } else {
        kernels_.tone_row(pixels + at, width_, tone, noise, out + at);
      }
    }
  }
}

void Augmenter::apply(const AugmentDraw& draw, const std::uint8_t* pixels, std::uint8_t* out) {
  make_scratch(1);
  const FlushToZero flush;
  apply(draw, pixels, out, scratch_.front());
}

void Augmenter::apply(std::span<const std::uint8_t* const> pixels,
                      std::span<const AugmentedImage> images, ThreadPool& pool, std::uint8_t* out) {
  const auto threads = static_cast<std::size_t>(pool.threads());
  make_scratch(threads);
  std::atomic<std::size_t> next{0};
  pool.run(std::min(threads, images.size()), [&](std::size_t part) {
    const FlushToZero flush;
    for (std::size_t i = next++; i < images.size(); i = next++) {
      apply(draw(images[i]), pixels[i], out + i * pixels_per_image(), scratch_[part]);
    }
  });
}

}  // namespace bioptic
