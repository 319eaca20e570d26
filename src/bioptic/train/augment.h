// Augmentation: training images changed at random before the engine sees them.  What an image is
// changed by depends on the seed of "order", the epoch and the image alone, so every engine, thread
// count, batch size and instruction set sees the same pixels.  docs/augmentation.md says exactly
// what each transform does.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "bioptic/base/aligned.h"
#include "bioptic/base/parallel.h"
#include "bioptic/kernel/augment.h"
#include "bioptic/model/spec.h"

namespace bioptic {

// The largest side of an image that can be augmented, in pixels.
inline constexpr std::size_t kMaxAugmentedSide = 4096;

// Throws InputError where images of that size cannot be augmented.
void check_augmentable(std::size_t height, std::size_t width);

// What one image is changed by in one epoch, in the order in which it is applied.
struct AugmentDraw {
  bool flip = false;           // left to right
  double scale = 1;            // about the centre; above 1: larger
  double angle = 0;            // radians about the centre; above 0: clockwise, as y points down
  double right = 0, down = 0;  // shift in pixels
  double contrast = 1;         // factor of the distance from the middle grey, 127.5
  double brightness = 0;       // grey levels added
  std::array<std::uint32_t, 2> noise_key{};  // of the stream that noise comes from
};

// The image that is changed: its row in the dataset, the epoch from 1, and how often the same image
// stood before in the order of this epoch (0 unless the sampler repeats images).
struct AugmentedImage {
  std::uint32_t row = 0;
  int epoch = 1;
  std::uint32_t copy = 0;
};

// From the stream (seed, "augment/epoch <e>/image <row>"; with "/copy <k>" for k >= 1): uniform
// numbers for right, down, angle, scale, flip, brightness and contrast in this order, each drawn
// whether it is used or not, so that arms that differ in one setting share the others' draws. Noise
// has a stream of its own, that name with "/noise".
AugmentDraw draw_augmentation(const AugmentSpec& spec, std::uint64_t seed,
                              const AugmentedImage& image, std::size_t height, std::size_t width);

// Entry k: the (k + 1/2) / 65536 quantile of a normal distribution with standard deviation `sd` in
// grey levels ([0, 64]), in units of 1 / kNoiseUnits, so normal within 2^-17 in its distribution
// function and limited to 4.33 standard deviations.
kernel::NoiseTable noise_table(double sd);

// Changes the images of one training; keeps what it works in, so one thread at a time may use it.
class Augmenter {
 public:
  // Throws InputError like check_augmentable, and for an unknown instruction set ("" = the best).
  Augmenter(const AugmentSpec& spec, std::size_t channels, std::size_t height, std::size_t width,
            std::uint64_t seed, std::string_view isa = "");

  AugmentDraw draw(const AugmentedImage& image) const {
    return draw_augmentation(spec_, seed_, image, height_, width_);
  }

  // pixels, out: (channels, height, width), not the same memory.
  void apply(const AugmentDraw& draw, const std::uint8_t* pixels, std::uint8_t* out);

  // pixels[i], the stored pixels of images[i], changed as that image's draw says, to out + i *
  // pixels_per_image().  The images are shared out among the threads of `pool`.
  void apply(std::span<const std::uint8_t* const> pixels, std::span<const AugmentedImage> images,
             ThreadPool& pool, std::uint8_t* out);

  std::size_t pixels_per_image() const { return channels_ * height_ * width_; }

 private:
  // What one thread works in.
  struct Scratch {
    AlignedBuffer<std::uint32_t> quads;  // (height, width)
    AlignedBuffer<std::int16_t> noise;   // a row, whole Philox blocks
  };
  void make_scratch(std::size_t threads);
  void apply(const AugmentDraw& draw, const std::uint8_t* pixels, std::uint8_t* out,
             Scratch& scratch) const;

  AugmentSpec spec_;
  std::size_t channels_, height_, width_;
  std::uint64_t seed_;
  const kernel::AugmentKernels& kernels_;
  std::unique_ptr<const kernel::NoiseTable> noise_;  // null: no noise
  std::vector<Scratch> scratch_;                     // one per thread
};

}  // namespace bioptic
