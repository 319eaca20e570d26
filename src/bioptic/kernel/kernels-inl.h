// The vector form of the kernels, compiled once per instruction set (no include guard of the usual
// kind: Highway includes this file again for every target).
#if defined(BIOPTIC_KERNELS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BIOPTIC_KERNELS_INL_H
#undef BIOPTIC_KERNELS_INL_H
#else
#define BIOPTIC_KERNELS_INL_H
#endif

#include <hwy/highway.h>

#include <cmath>

#include "bioptic/kernel/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace bioptic::kernel::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, kLanes>;
using V = hn::Vec<D>;

// Highway's MulAdd rounds twice on targets without the instruction; the promised bits need one.
HWY_INLINE V FusedMulAdd(V a, V b, V c) {
#if HWY_TARGET == HWY_SCALAR
  return hn::Set(D(), std::fma(hn::GetLane(a), hn::GetLane(b), hn::GetLane(c)));
#else
  return hn::MulAdd(a, b, c);
#endif
}

HWY_INLINE V FlushTiny(V value) {
  return hn::IfThenElseZero(hn::Ge(hn::Abs(value), hn::Set(D(), kTiny)), value);
}

// Sums are blocks of R rows x C vectors, held in registers.  With 32 registers 6 x 4 = 24 sums, 4
// vectors of the second factor and one broadcast; with 16 registers 6 x 2 = 12, 2 and one.  Every
// sum is a dependent chain, and 12 to 24 of them hide the 4 cycles that a multiply-add takes.
constexpr std::size_t kRows = 6;
#if HWY_TARGET <= HWY_AVX3
constexpr std::size_t kColumns = 4;
#else
constexpr std::size_t kColumns = 2;
#endif

HWY_INLINE std::size_t Lanes() { return hn::Lanes(D()); }

// ---------------------------------------------------------------------------- pixels to float

HWY_INLINE void LoadPlainRow(const std::uint8_t* pixels, std::size_t count, const PixelMap& map,
                             float* x) {
  const D d;
  const hn::Rebind<std::uint8_t, D> d8;
  const hn::Rebind<std::int32_t, D> d32;
  const V scale = hn::Set(d, map.scale), offset = hn::Set(d, map.offset);
  std::size_t i = 0;
  for (; i + Lanes() <= count; i += Lanes()) {
    const V p = hn::ConvertTo(d, hn::PromoteTo(d32, hn::LoadU(d8, pixels + i)));
    hn::StoreU(FusedMulAdd(scale, p, offset), d, x + i);
  }
  for (; i < count; ++i) x[i] = std::fma(map.scale, static_cast<float>(pixels[i]), map.offset);
}

void LoadPixels(const Row* rows, std::size_t batch, std::size_t channel, std::size_t first,
                std::size_t count, float* x) {
  for (std::size_t b = 0; b < batch; ++b) {
    const Row& row = rows[b];
    const PixelMap& map = row.maps[channel];
    const std::uint8_t* pixels = row.pixels + first;
    // The next tile's line of this row: more rows are read in turn than the hardware follows.  To
    // the second level only: images of 2^16 bytes fall on one set of the first.
    __builtin_prefetch(pixels + kTile, 0, 2);
    float* out = x + b * kTile;
    if (map.table == nullptr) {
      LoadPlainRow(pixels, count, map, out);
    } else {
      for (std::size_t i = 0; i < count; ++i) {
        out[i] = std::fma(map.scale, static_cast<float>(map.table[pixels[i]]), map.offset);
      }
    }
  }
}

// ---------------------------------------------------------------------------- x w

template <std::size_t R, std::size_t C>
HWY_INLINE void MultiplyBlock(const float* HWY_RESTRICT x, std::size_t x_stride,
                              const float* HWY_RESTRICT w, std::size_t in, std::size_t out,
                              float* HWY_RESTRICT z) {
  const D d;
  V sum[R][C];
  HWY_UNROLL(8)
  for (std::size_t r = 0; r < R; ++r) {
    HWY_UNROLL(8)
    for (std::size_t c = 0; c < C; ++c) sum[r][c] = hn::Zero(d);
  }
  for (std::size_t i = 0; i < in; ++i) {
    V row[C];
    HWY_UNROLL(8)
    for (std::size_t c = 0; c < C; ++c) row[c] = hn::Load(d, w + i * out + c * Lanes());
    HWY_UNROLL(8)
    for (std::size_t r = 0; r < R; ++r) {
      const V factor = hn::Set(d, x[r * x_stride + i]);
      HWY_UNROLL(8)
      for (std::size_t c = 0; c < C; ++c) sum[r][c] = FusedMulAdd(factor, row[c], sum[r][c]);
    }
  }
  HWY_UNROLL(8)
  for (std::size_t r = 0; r < R; ++r) {
    HWY_UNROLL(8)
    for (std::size_t c = 0; c < C; ++c) {
      float* to = z + r * out + c * Lanes();
      hn::Store(hn::Add(hn::Load(d, to), sum[r][c]), d, to);
    }
  }
}

template <std::size_t C>
HWY_INLINE void MultiplyColumns(const float* x, std::size_t x_stride, std::size_t batch,
                                const float* w, std::size_t in, std::size_t out, float* z) {
  std::size_t b = 0;
  for (; b + kRows <= batch; b += kRows) {
    MultiplyBlock<kRows, C>(x + b * x_stride, x_stride, w, in, out, z + b * out);
  }
  switch (batch - b) {
    case 5:
      MultiplyBlock<5, C>(x + b * x_stride, x_stride, w, in, out, z + b * out);
      break;
    case 4:
      MultiplyBlock<4, C>(x + b * x_stride, x_stride, w, in, out, z + b * out);
      break;
    case 3:
      MultiplyBlock<3, C>(x + b * x_stride, x_stride, w, in, out, z + b * out);
      break;
    case 2:
      MultiplyBlock<2, C>(x + b * x_stride, x_stride, w, in, out, z + b * out);
      break;
    case 1:
      MultiplyBlock<1, C>(x + b * x_stride, x_stride, w, in, out, z + b * out);
      break;
    default:
      break;
  }
}

void Multiply(const float* x, std::size_t x_stride, std::size_t batch, const float* w,
              std::size_t in, std::size_t out, float* z) {
  std::size_t j = 0;
  for (; j + kColumns * Lanes() <= out; j += kColumns * Lanes()) {
    MultiplyColumns<kColumns>(x, x_stride, batch, w + j, in, out, z + j);
  }
  for (; j + Lanes() <= out; j += Lanes()) {
    MultiplyColumns<1>(x, x_stride, batch, w + j, in, out, z + j);
  }
}

// ---------------------------------------------------------------------------- gradient and update

struct Sgd {
  static HWY_INLINE void Apply(const OptimizerStep& s, V g, float* w, float*, float*) {
    const D d;
    V weight = hn::Load(d, w);
    g = FusedMulAdd(hn::Set(d, s.decay), weight, g);
    weight = hn::Mul(weight, hn::Set(d, s.shrink));
    hn::Store(FusedMulAdd(hn::Set(d, -s.lr), g, weight), d, w);
  }
};

struct SgdMomentum {
  static HWY_INLINE void Apply(const OptimizerStep& s, V g, float* w, float* m, float*) {
    const D d;
    V weight = hn::Load(d, w);
    g = FusedMulAdd(hn::Set(d, s.decay), weight, g);
    weight = hn::Mul(weight, hn::Set(d, s.shrink));
    const V momentum = hn::Set(d, s.momentum);
    const V mean = FlushTiny(
        s.first ? g : FusedMulAdd(momentum, hn::Load(d, m), hn::Mul(hn::Set(d, s.damp), g)));
    hn::Store(mean, d, m);
    const V direction = s.nesterov ? FusedMulAdd(momentum, mean, g) : mean;
    hn::Store(FusedMulAdd(hn::Set(d, -s.lr), direction, weight), d, w);
  }
};

struct Adam {
  static HWY_INLINE void Apply(const OptimizerStep& s, V g, float* w, float* m, float* v) {
    const D d;
    V weight = hn::Load(d, w);
    g = FusedMulAdd(hn::Set(d, s.decay), weight, g);
    weight = hn::Mul(weight, hn::Set(d, s.shrink));
    const V old = hn::Load(d, m);
    const V mean = FlushTiny(FusedMulAdd(hn::Set(d, s.beta1_rest), hn::Sub(g, old), old));
    const V square = FlushTiny(FusedMulAdd(hn::Set(d, s.beta2), hn::Load(d, v),
                                           hn::Mul(hn::Mul(hn::Set(d, s.beta2_rest), g), g)));
    hn::Store(mean, d, m);
    hn::Store(square, d, v);
    const V size = FusedMulAdd(hn::Sqrt(square), hn::Set(d, s.root), hn::Set(d, s.eps));
    hn::Store(hn::Sub(weight, hn::Div(hn::Mul(hn::Set(d, s.step_size), mean), size)), d, w);
  }
};

// R inputs x C vectors of outputs.
template <std::size_t R, std::size_t C, typename Optimizer>
HWY_INLINE void UpdateBlock(const float* HWY_RESTRICT x, std::size_t x_stride, std::size_t batch,
                            const float* HWY_RESTRICT delta, std::size_t out,
                            const OptimizerStep& step, float* HWY_RESTRICT w, float* HWY_RESTRICT m,
                            float* HWY_RESTRICT v) {
  const D d;
  V g[R][C];
  HWY_UNROLL(8)
  for (std::size_t r = 0; r < R; ++r) {
    HWY_UNROLL(8)
    for (std::size_t c = 0; c < C; ++c) g[r][c] = hn::Zero(d);
  }
  for (std::size_t b = 0; b < batch; ++b) {
    V row[C];
    HWY_UNROLL(8)
    for (std::size_t c = 0; c < C; ++c) row[c] = hn::Load(d, delta + b * out + c * Lanes());
    HWY_UNROLL(8)
    for (std::size_t r = 0; r < R; ++r) {
      const V factor = hn::Set(d, x[b * x_stride + r]);
      HWY_UNROLL(8)
      for (std::size_t c = 0; c < C; ++c) g[r][c] = FusedMulAdd(factor, row[c], g[r][c]);
    }
  }
  HWY_UNROLL(8)
  for (std::size_t r = 0; r < R; ++r) {
    HWY_UNROLL(8)
    for (std::size_t c = 0; c < C; ++c) {
      const std::size_t k = r * out + c * Lanes();
      Optimizer::Apply(step, g[r][c], w + k, m + k, v + k);
    }
  }
}

template <std::size_t C, typename Optimizer>
HWY_INLINE void UpdateColumns(const float* x, std::size_t x_stride, std::size_t batch,
                              const float* delta, std::size_t in, std::size_t out,
                              const OptimizerStep& step, float* w, float* m, float* v) {
  std::size_t i = 0;
  for (; i + kRows <= in; i += kRows) {
    UpdateBlock<kRows, C, Optimizer>(x + i, x_stride, batch, delta, out, step, w + i * out,
                                     m + i * out, v + i * out);
  }
  if (i + 4 <= in) {  // a tile of 64 is ten blocks of 6 and one of 4
    UpdateBlock<4, C, Optimizer>(x + i, x_stride, batch, delta, out, step, w + i * out, m + i * out,
                                 v + i * out);
    i += 4;
  }
  for (; i < in; ++i) {
    UpdateBlock<1, C, Optimizer>(x + i, x_stride, batch, delta, out, step, w + i * out, m + i * out,
                                 v + i * out);
  }
}

template <typename Optimizer>
void UpdateWith(const float* x, std::size_t x_stride, std::size_t batch, const float* delta,
                std::size_t in, std::size_t out, const OptimizerStep& step, float* w, float* m,
                float* v) {
  std::size_t j = 0;
  for (; j + kColumns * Lanes() <= out; j += kColumns * Lanes()) {
    UpdateColumns<kColumns, Optimizer>(x, x_stride, batch, delta + j, in, out, step, w + j, m + j,
                                       v + j);
  }
  for (; j + Lanes() <= out; j += Lanes()) {
    UpdateColumns<1, Optimizer>(x, x_stride, batch, delta + j, in, out, step, w + j, m + j, v + j);
  }
}

void Update(const float* x, std::size_t x_stride, std::size_t batch, const float* delta,
            std::size_t in, std::size_t out, const OptimizerStep& step, float* w, float* m,
            float* v) {
  // Optimizers without m or v get pointers that they never read.
  if (m == nullptr) m = w;
  if (v == nullptr) v = w;
  switch (step.kind) {
    case OptimizerStep::Kind::sgd:
      return UpdateWith<Sgd>(x, x_stride, batch, delta, in, out, step, w, m, v);
    case OptimizerStep::Kind::sgd_momentum:
      return UpdateWith<SgdMomentum>(x, x_stride, batch, delta, in, out, step, w, m, v);
    case OptimizerStep::Kind::adam:
      return UpdateWith<Adam>(x, x_stride, batch, delta, in, out, step, w, m, v);
  }
}

Kernels Table(const char* isa) {
  return {isa, hwy::TargetName(HWY_TARGET), Lanes(), LoadPixels, Multiply, Update};
}

}  // namespace bioptic::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
