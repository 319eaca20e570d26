// The plain form of the kernels: what the vector form must equal, bit for bit.
#include <cmath>

#include "bioptic/kernel/kernels.h"

namespace bioptic::kernel {
namespace {

void load_pixels(const Row* rows, std::size_t batch, std::size_t channel,
                 const std::uint8_t* pixels, std::size_t pixel_stride, std::size_t count,
                 float* x) {
  for (std::size_t b = 0; b < batch; ++b) {
    const PixelMap& map = rows[b].maps[channel];
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint8_t p = pixels[b * pixel_stride + i];
      x[b * kTile + i] =
          std::fma(map.scale, static_cast<float>(map.table ? map.table[p] : p), map.offset);
    }
  }
}

void multiply(const float* x, std::size_t x_stride, std::size_t batch, const float* w,
              std::size_t in, std::size_t out, float* z, std::size_t z_stride, std::size_t) {
  for (std::size_t b = 0; b < batch; ++b) {
    for (std::size_t j = 0; j < out; ++j) {
      float sum = 0;
      for (std::size_t i = 0; i < in; ++i) sum = std::fma(x[b * x_stride + i], w[i * out + j], sum);
      z[b * z_stride + j] += sum;
    }
  }
}

// One weight.
void optimize(const OptimizerStep& s, float g, float& w, float* m, float* v) {
  g = std::fma(s.decay, w, g);
  w *= s.shrink;
  switch (s.kind) {
    case OptimizerStep::Kind::sgd:
      w = std::fma(-s.lr, g, w);
      break;
    case OptimizerStep::Kind::sgd_momentum:
      *m = s.first ? g : std::fma(s.momentum, *m, s.damp * g);
      w = std::fma(-s.lr, s.nesterov ? std::fma(s.momentum, *m, g) : *m, w);
      break;
    case OptimizerStep::Kind::adam:
      *m = std::fma(s.beta1_rest, g - *m, *m);
      *v = std::fma(s.beta2_rest, std::fma(g, g, -*v), *v);
      w -= *m / std::fma(std::sqrt(*v), s.root, s.floor);
      break;
  }
}

void update(const float* x, std::size_t x_stride, std::size_t batch, const float* delta,
            std::size_t delta_stride, std::size_t in, std::size_t out, const OptimizerStep& step,
            float* w, float* m, float* v, std::size_t) {
  for (std::size_t i = 0; i < in; ++i) {
    for (std::size_t j = 0; j < out; ++j) {
      float g = 0;
      for (std::size_t b = 0; b < batch; ++b) {
        g = std::fma(x[b * x_stride + i], delta[b * delta_stride + j], g);
      }
      const std::size_t k = i * out + j;
      optimize(step, g, w[k], m == nullptr ? nullptr : m + k, v == nullptr ? nullptr : v + k);
    }
  }
}

void add_parts(const float* values, std::size_t stride, std::size_t parts, std::size_t n,
               float* sum) {
  for (std::size_t p = 0; p < parts; ++p) {
    for (std::size_t j = 0; j < n; ++j) sum[j] += values[p * stride + j];
  }
}

}  // namespace

const Kernels kScalar{"scalar", "plain", 1, load_pixels, multiply, update, add_parts};

}  // namespace bioptic::kernel
