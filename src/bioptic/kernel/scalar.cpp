// The plain form of the kernels: what the vector form must equal, bit for bit.
#include <cmath>

#include "bioptic/kernel/kernels.h"

namespace bioptic::kernel {
namespace {

void load_pixels(const Row* rows, std::size_t batch, std::size_t channel, std::size_t first,
                 std::size_t count, float* x) {
  for (std::size_t b = 0; b < batch; ++b) {
    const PixelMap& map = rows[b].maps[channel];
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint8_t p = rows[b].pixels[first + i];
      x[b * kTile + i] =
          std::fma(map.scale, static_cast<float>(map.table ? map.table[p] : p), map.offset);
    }
  }
}

void multiply(const float* x, std::size_t x_stride, std::size_t batch, const float* w,
              std::size_t in, std::size_t out, float* z) {
  for (std::size_t b = 0; b < batch; ++b) {
    for (std::size_t j = 0; j < out; ++j) {
      float sum = 0;
      for (std::size_t i = 0; i < in; ++i) sum = std::fma(x[b * x_stride + i], w[i * out + j], sum);
      z[b * out + j] += sum;
    }
  }
}

float flush(float value) { return std::fabs(value) < kTiny ? 0.0F : value; }

// One weight.
void optimize(const OptimizerStep& s, float g, float& w, float* m, float* v) {
  g = std::fma(s.decay, w, g);
  w *= s.shrink;
  switch (s.kind) {
    case OptimizerStep::Kind::sgd:
      w = std::fma(-s.lr, g, w);
      break;
    case OptimizerStep::Kind::sgd_momentum:
      *m = flush(s.first ? g : std::fma(s.momentum, *m, s.damp * g));
      w = std::fma(-s.lr, s.nesterov ? std::fma(s.momentum, *m, g) : *m, w);
      break;
    case OptimizerStep::Kind::adam:
      *m = flush(std::fma(s.beta1_rest, g - *m, *m));
      *v = flush(std::fma(s.beta2, *v, s.beta2_rest * g * g));
      w -= s.step_size * *m / std::fma(std::sqrt(*v), s.root, s.eps);
      break;
  }
}

void update(const float* x, std::size_t x_stride, std::size_t batch, const float* delta,
            std::size_t in, std::size_t out, const OptimizerStep& step, float* w, float* m,
            float* v) {
  for (std::size_t i = 0; i < in; ++i) {
    for (std::size_t j = 0; j < out; ++j) {
      float g = 0;
      for (std::size_t b = 0; b < batch; ++b) {
        g = std::fma(x[b * x_stride + i], delta[b * out + j], g);
      }
      const std::size_t k = i * out + j;
      optimize(step, g, w[k], m == nullptr ? nullptr : m + k, v == nullptr ? nullptr : v + k);
    }
  }
}

}  // namespace

const Kernels kScalar{"scalar", "plain", 1, load_pixels, multiply, update};

}  // namespace bioptic::kernel
