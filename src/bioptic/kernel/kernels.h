// The arithmetic of a training step, in three pieces that exist once per instruction set.
//
// A layer's weights are kept transposed, w[in][out], with `out` padded by zeros to a multiple of
// kLanes: one vector lane per output unit.  Then no sum runs across lanes, and every element is a
// chain of fused multiply-adds in an order that does not depend on the vector's length, so that
// every instruction set gives the same bits.  The plain form of each piece is in scalar.cpp; a test
// holds all forms to exact equality.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bioptic/kernel/row.h"

namespace bioptic::kernel {

// Floats in the longest vector (AVX-512), and in a cache line.
inline constexpr std::size_t kLanes = 16;
// Pixels in a tile of the first layer: one cache line of bytes.
inline constexpr std::size_t kTile = 64;

inline constexpr std::size_t padded(std::size_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

// What the optimizer does to every weight in one step; constants rounded once from double.
// g is the gradient of the batch's loss.
struct OptimizerStep {
  enum class Kind { sgd, sgd_momentum, adam };
  Kind kind = Kind::adam;
  float decay = 0;     // L2: g += decay * w
  float shrink = 1;    // decoupled (AdamW): w *= shrink, before the update
  float lr = 0;        // sgd: w -= lr * g
  float momentum = 0;  // sgd_momentum: m = momentum * m + damp * g; w -= lr * m
  float damp = 1;      //   (first step of all: m = g)
  bool first = false;
  bool nesterov = false;  //   w -= lr * (g + momentum * m)
  float beta1_rest = 0;   // adam: m += beta1_rest * (g - m)        beta1_rest = 1 - beta1
  float beta2_rest = 0;   //       v += beta2_rest * (g * g - v)    beta2_rest = 1 - beta2
  // With t the step's number from 1, w -= lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + eps).
  // Numerator and denominator divided by lr / (1 - beta1^t), that is w -= m / (sqrt(v) * root +
  // floor): one multiplication less a weight.  For lr = 0: root = 0, floor = infinity.
  float root = 0, floor = 0;
};

// Rows of a batch, or pixels, or outputs that a kernel works on are the first `batch`, `count`,
// `in`, `out` of arrays whose rows are longer: a `_stride` is the distance of two rows in floats.
//
// The caller sets FlushToZero: no kernel looks for subnormal numbers.
//
// `ahead`: how many floats after w, m and v the weights lie that the caller will work on next, or
// 0. While it computes, a kernel asks memory for them (multiply for w, update for m and v):
// otherwise memory would rest during the products and arithmetic during the updates.
struct Kernels {
  const char* isa;     // "portable", "avx2", "avx512"
  const char* target;  // Highway's name
  std::size_t lanes;   // floats in a vector

  // x[b][i] = map of rows[b]'s channel `channel` applied to pixels[b * pixel_stride + i];
  // i < count <= kTile, b < batch.  x is (batch, kTile).
  void (*load_pixels)(const Row* rows, std::size_t batch, std::size_t channel,
                      const std::uint8_t* pixels, std::size_t pixel_stride, std::size_t count,
                      float* x);

  // z[b][j] += sum over i < in of x[b][i] w[i][j], the sum a chain of fused multiply-adds from 0 in
  // the order of i.  x: (batch, in); w: (in, out), contiguous; z: (batch, out); out a multiple of
  // kLanes.
  void (*multiply)(const float* x, std::size_t x_stride, std::size_t batch, const float* w,
                   std::size_t in, std::size_t out, float* z, std::size_t z_stride,
                   std::size_t ahead);

  // The weight gradient g[i][j] = sum over b of x[b][i] delta[b][j], a chain of fused multiply-adds
  // from 0 in the order of b, goes into the optimizer without passing through memory.
  // x: (batch, in); delta: (batch, out); w, m, v: (in, out), contiguous, updated.  sgd reads
  // neither m nor v, sgd_momentum no v.
  void (*update)(const float* x, std::size_t x_stride, std::size_t batch, const float* delta,
                 std::size_t delta_stride, std::size_t in, std::size_t out,
                 const OptimizerStep& step, float* w, float* m, float* v, std::size_t ahead);

  // sum[j] += values[p * stride + j] for p = 0 .. parts - 1 in that order, j < n, n a multiple of
  // kLanes.
  void (*add_parts)(const float* values, std::size_t stride, std::size_t parts, std::size_t n,
                    float* sum);
};

// The plain form, written to be read.  Not in the list below: "portable" is the vector code
// compiled for a machine without known vector instructions.
extern const Kernels kScalar;

// Those this processor can run, best first.
std::vector<const Kernels*> available_kernels();

// `isa` "" = the best.  Throws InputError for an unknown name or one this processor lacks, naming
// those it has.
const Kernels& choose_kernels(std::string_view isa);

}  // namespace bioptic::kernel
