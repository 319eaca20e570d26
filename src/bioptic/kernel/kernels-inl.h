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
// a * b - c
HWY_INLINE V FusedMulSub(V a, V b, V c) {
#if HWY_TARGET == HWY_SCALAR
  return hn::Set(D(), std::fma(hn::GetLane(a), hn::GetLane(b), -hn::GetLane(c)));
#else
  return hn::MulSub(a, b, c);
#endif
}

// Sums are blocks of R rows x C vectors, held in registers.  Forward, with 32 registers 6 x 4 = 24
// sums, 4 vectors of the second factor and one broadcast; with 16 registers 6 x 2 = 12, 2 and one.
// Every sum is a dependent chain, and 12 to 24 of them hide the 4 cycles that a multiply-add takes.
// The gradient takes 4 x C sums and leaves registers to the optimizer, see UpdateColumns.
constexpr std::size_t kRows = 6, kUpdateRows = 4;
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

void LoadPixels(const Row* rows, std::size_t batch, std::size_t channel, const std::uint8_t* pixels,
                std::size_t pixel_stride, std::size_t count, float* x) {
  for (std::size_t b = 0; b < batch; ++b, pixels += pixel_stride, x += kTile) {
    const PixelMap& map = rows[b].maps[channel];
    if (map.table == nullptr) {
      LoadPlainRow(pixels, count, map, x);
    } else {
      for (std::size_t i = 0; i < count; ++i) {
        x[i] = std::fma(map.scale, static_cast<float>(map.table[pixels[i]]), map.offset);
      }
    }
  }
}

// ---------------------------------------------------------------------------- x w

// A kernel's own copy of Coming, so that it stays in registers.
class Prefetcher {
 public:
  // Asks for what lies before `share` of the whole.
  HWY_INLINE Prefetcher(Coming* coming, double share) : coming_(coming) {
    if (coming == nullptr) return;
    w_ = coming->w, m_ = coming->m, v_ = coming->v, at_ = coming->begin;
    end_ = static_cast<std::size_t>(share * static_cast<double>(coming->end));
  }
  HWY_INLINE ~Prefetcher() {
    if (coming_ != nullptr) coming_->begin = at_;
  }
  HWY_INLINE std::size_t Lines() const { return at_ < end_ ? (end_ - at_) / kLine : 0; }
  // To the second level only: with the pixels and the sums, the first is full.
  HWY_INLINE void AskForLine() {
    if (at_ >= end_) return;
    __builtin_prefetch(w_ + at_, 1, 2);
    __builtin_prefetch(m_ + at_, 1, 2);
    __builtin_prefetch(v_ + at_, 1, 2);
    at_ += kLine;
  }

 private:
  static constexpr std::size_t kLine = 64 / sizeof(float);
  Coming* coming_;
  const float *w_ = nullptr, *m_ = nullptr, *v_ = nullptr;
  std::size_t at_ = 0, end_ = 0;
};

template <std::size_t R, std::size_t C>
HWY_INLINE void MultiplyBlock(const float* HWY_RESTRICT x, std::size_t x_stride,
                              const float* HWY_RESTRICT w, std::size_t in, std::size_t out,
                              float* HWY_RESTRICT z, std::size_t z_stride, Prefetcher& coming,
                              std::size_t lines) {
  const D d;
  V sum[R][C];
  HWY_UNROLL(8)
  for (std::size_t r = 0; r < R; ++r) {
    HWY_UNROLL(8)
    for (std::size_t c = 0; c < C; ++c) sum[r][c] = hn::Zero(d);
  }
  for (std::size_t i = 0; i < in; ++i) {
    for (std::size_t k = 0; k < lines; ++k) coming.AskForLine();
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
      float* to = z + r * z_stride + c * Lanes();
      hn::Store(hn::Add(hn::Load(d, to), sum[r][c]), d, to);
    }
  }
}

template <std::size_t C>
HWY_INLINE void MultiplyColumns(const float* x, std::size_t x_stride, std::size_t batch,
                                const float* w, std::size_t in, std::size_t out, float* z,
                                std::size_t z_stride, Prefetcher& coming, std::size_t lines) {
  std::size_t b = 0;
  for (; b + kRows <= batch; b += kRows) {
    MultiplyBlock<kRows, C>(x + b * x_stride, x_stride, w, in, out, z + b * z_stride, z_stride,
                            coming, lines);
  }
  switch (batch - b) {
    case 5:
      MultiplyBlock<5, C>(x + b * x_stride, x_stride, w, in, out, z + b * z_stride, z_stride,
                          coming, lines);
      break;
    case 4:
      MultiplyBlock<4, C>(x + b * x_stride, x_stride, w, in, out, z + b * z_stride, z_stride,
                          coming, lines);
      break;
    case 3:
      MultiplyBlock<3, C>(x + b * x_stride, x_stride, w, in, out, z + b * z_stride, z_stride,
                          coming, lines);
      break;
    case 2:
      MultiplyBlock<2, C>(x + b * x_stride, x_stride, w, in, out, z + b * z_stride, z_stride,
                          coming, lines);
      break;
    case 1:
      MultiplyBlock<1, C>(x + b * x_stride, x_stride, w, in, out, z + b * z_stride, z_stride,
                          coming, lines);
      break;
    default:
      break;
  }
}

void Multiply(const float* x, std::size_t x_stride, std::size_t batch, const float* w,
              std::size_t in, std::size_t out, float* z, std::size_t z_stride, Coming* coming) {
  if (batch == 0 || in == 0) return;
  // Lines to ask for per input, so that they spread over all blocks.
  Prefetcher rest(coming, 1.0);
  const std::size_t inputs =
      in * ((batch + kRows - 1) / kRows) * ((out + kColumns * Lanes() - 1) / (kColumns * Lanes()));
  const std::size_t lines = (rest.Lines() + inputs - 1) / inputs;
  std::size_t j = 0;
  for (; j + kColumns * Lanes() <= out; j += kColumns * Lanes()) {
    MultiplyColumns<kColumns>(x, x_stride, batch, w + j, in, out, z + j, z_stride, rest, lines);
  }
  for (; j + Lanes() <= out; j += Lanes()) {
    MultiplyColumns<1>(x, x_stride, batch, w + j, in, out, z + j, z_stride, rest, lines);
  }
}

// ---------------------------------------------------------------------------- gradient and update

// What the optimizer does to one vector of weights; the constants are vectors before the loop.
struct Sgd {
  explicit HWY_INLINE Sgd(const OptimizerStep& s)
      : decay(hn::Set(D(), s.decay)), shrink(hn::Set(D(), s.shrink)), lr(hn::Set(D(), -s.lr)) {}
  HWY_INLINE void Apply(V g, float* w, float*, float*) const {
    const D d;
    const V weight = hn::Load(d, w);
    g = FusedMulAdd(decay, weight, g);
    hn::Store(FusedMulAdd(lr, g, hn::Mul(weight, shrink)), d, w);
  }
  V decay, shrink, lr;
};

template <bool kFirst, bool kNesterov>
struct SgdMomentum {
  explicit HWY_INLINE SgdMomentum(const OptimizerStep& s)
      : decay(hn::Set(D(), s.decay)),
        shrink(hn::Set(D(), s.shrink)),
        lr(hn::Set(D(), -s.lr)),
        momentum(hn::Set(D(), s.momentum)),
        damp(hn::Set(D(), s.damp)) {}
  HWY_INLINE void Apply(V g, float* w, float* m, float*) const {
    const D d;
    const V weight = hn::Load(d, w);
    g = FusedMulAdd(decay, weight, g);
    const V mean = kFirst ? g : FusedMulAdd(momentum, hn::Load(d, m), hn::Mul(damp, g));
    hn::Store(mean, d, m);
    const V direction = kNesterov ? FusedMulAdd(momentum, mean, g) : mean;
    hn::Store(FusedMulAdd(lr, direction, hn::Mul(weight, shrink)), d, w);
  }
  V decay, shrink, lr, momentum, damp;
};

// kDecay: whether either kind of weight decay is on; without it both operations would be exact and
// change nothing.
template <bool kDecay>
struct Adam {
  explicit HWY_INLINE Adam(const OptimizerStep& s)
      : decay(hn::Set(D(), s.decay)),
        shrink(hn::Set(D(), s.shrink)),
        beta1_rest(hn::Set(D(), s.beta1_rest)),
        beta2_rest(hn::Set(D(), s.beta2_rest)),
        root(hn::Set(D(), s.root)),
        floor(hn::Set(D(), s.floor)) {}
  HWY_INLINE void Apply(V g, float* w, float* m, float* v) const {
    const D d;
    V weight = hn::Load(d, w);
    if (kDecay) {
      g = FusedMulAdd(decay, weight, g);
      weight = hn::Mul(weight, shrink);
    }
    const V old_mean = hn::Load(d, m), old_square = hn::Load(d, v);
    const V mean = FusedMulAdd(beta1_rest, hn::Sub(g, old_mean), old_mean);
    const V square = FusedMulAdd(beta2_rest, FusedMulSub(g, g, old_square), old_square);
    hn::Store(mean, d, m);
    hn::Store(square, d, v);
    const V size = FusedMulAdd(hn::Sqrt(square), root, floor);
    hn::Store(hn::Sub(weight, hn::Div(mean, size)), d, w);
  }
  V decay, shrink, beta1_rest, beta2_rest, root, floor;
};

// sums (R, C) += x^T delta over `rows` rows of the batch.
template <std::size_t R, std::size_t C>
HWY_INLINE void AddOuterProduct(const float* HWY_RESTRICT x, const float* HWY_RESTRICT delta,
                                V (&sums)[R][C]) {
  const D d;
  V row[C];
  HWY_UNROLL(8)
  for (std::size_t c = 0; c < C; ++c) row[c] = hn::Load(d, delta + c * Lanes());
  HWY_UNROLL(8)
  for (std::size_t r = 0; r < R; ++r) {
    const V factor = hn::Set(d, x[r]);
    HWY_UNROLL(8)
    for (std::size_t c = 0; c < C; ++c) sums[r][c] = FusedMulAdd(factor, row[c], sums[r][c]);
  }
}

// A block of R x C vectors of weights whose gradient is complete and whose optimizer is still to
// run: see UpdateColumns.
template <std::size_t R, std::size_t C, typename Optimizer>
class PendingBlock {
 public:
  HWY_INLINE PendingBlock(const Optimizer& optimizer, std::size_t out)
      : optimizer_(optimizer), skip_(out - C * Lanes()) {}
  HWY_INLINE void Set(const float* gradient, float* w, float* m, float* v) {
    gradient_ = gradient, w_ = w, m_ = m, v_ = v, next_ = 0, at_ = 0;
  }
  HWY_INLINE bool Done() const { return next_ == R * C; }
  HWY_INLINE void ApplyOne() {
    optimizer_.Apply(hn::Load(D(), gradient_ + next_ * Lanes()), w_ + at_, m_ + at_, v_ + at_);
    at_ += Lanes();
    if (++next_ % C == 0) at_ += skip_;
  }
  HWY_INLINE void Finish() {
    while (!Done()) ApplyOne();
  }

 private:
  const Optimizer& optimizer_;
  std::size_t skip_, next_ = R * C, at_ = 0;
  const float* gradient_ = nullptr;
  float *w_ = nullptr, *m_ = nullptr, *v_ = nullptr;
};

// C vectors of outputs for all `in` <= kTile inputs.
//
// The optimizer's square root and division take 20 (Zen 4) to 35 cycles (Sapphire Rapids) a vector
// in a unit of their own, longer than the multiply-adds of a small batch.  So while the gradient of
// one block of weights is summed, the optimizer runs on the block before, one vector for each row
// of the batch, and the two units work at once.
//
// Of a large batch, kChunk rows at a time go over all inputs, so that their part of delta stays in
// the first-level cache: 64 x 64 floats are 16 KiB, beside 8 KiB of gradient for 32 inputs.
constexpr std::size_t kChunk = 64;

template <std::size_t C, typename Optimizer>
HWY_INLINE void UpdateColumns(const float* HWY_RESTRICT x, std::size_t x_stride, std::size_t batch,
                              const float* HWY_RESTRICT delta, std::size_t delta_stride,
                              std::size_t in, std::size_t out, const Optimizer& optimizer,
                              float* HWY_RESTRICT w, float* HWY_RESTRICT m, float* HWY_RESTRICT v,
                              Prefetcher& coming) {
  const D d;
  constexpr std::size_t R = kUpdateRows;
  HWY_ALIGN float gradient[kTile * C * kLanes];  // (block, R, C) vectors
  // Between chunks all blocks are kept; without chunks only the pending one and its successor.
  const std::size_t chunks = (batch + kChunk - 1) / kChunk;
  const std::size_t chunk = (batch + chunks - 1) / chunks;
  const std::size_t kept = chunks == 1 ? 2 : kTile;
  const std::size_t whole = in / R * R;
  PendingBlock<R, C, Optimizer> pending(optimizer, out);
  for (std::size_t begin = 0; begin < batch; begin += chunk) {
    const std::size_t end = HWY_MIN(begin + chunk, batch);
    const bool last = end == batch;
    for (std::size_t i = 0; i < whole; i += R) {
      float* const block = gradient + i / R % kept * (R * C * Lanes());
      V g[R][C];
      HWY_UNROLL(8)
      for (std::size_t r = 0; r < R; ++r) {
        HWY_UNROLL(8)
        for (std::size_t c = 0; c < C; ++c) {
          g[r][c] = begin == 0 ? hn::Zero(d) : hn::Load(d, block + (r * C + c) * Lanes());
        }
      }
      std::size_t b = begin;
      if (last && i > 0) {
        if (end - begin >= R * C) {
          for (; !pending.Done(); ++b) {
            AddOuterProduct<R, C>(x + b * x_stride + i, delta + b * delta_stride, g);
            coming.AskForLine();
            pending.ApplyOne();
          }
        } else {
          for (; b < end; ++b) {
            AddOuterProduct<R, C>(x + b * x_stride + i, delta + b * delta_stride, g);
            if (!pending.Done()) {
              pending.ApplyOne();
              coming.AskForLine();
              pending.ApplyOne();  // R * C is even
              coming.AskForLine();
            }
          }
          pending.Finish();
        }
      }
      for (; b < end; ++b) AddOuterProduct<R, C>(x + b * x_stride + i, delta + b * delta_stride, g);
      HWY_UNROLL(8)
      for (std::size_t r = 0; r < R; ++r) {
        HWY_UNROLL(8)
        for (std::size_t c = 0; c < C; ++c) hn::Store(g[r][c], d, block + (r * C + c) * Lanes());
      }
      if (last) pending.Set(block, w + i * out, m + i * out, v + i * out);
    }
  }
  pending.Finish();
  for (std::size_t i = whole; i < in; ++i) {
    V g[1][C];
    HWY_UNROLL(8)
    for (std::size_t c = 0; c < C; ++c) g[0][c] = hn::Zero(d);
    for (std::size_t b = 0; b < batch; ++b) {
      AddOuterProduct<1, C>(x + b * x_stride + i, delta + b * delta_stride, g);
    }
    HWY_UNROLL(8)
    for (std::size_t c = 0; c < C; ++c) {
      const std::size_t k = i * out + c * Lanes();
      optimizer.Apply(g[0][c], w + k, m + k, v + k);
    }
  }
}

template <typename Optimizer>
void UpdateWith(const float* x, std::size_t x_stride, std::size_t batch, const float* delta,
                std::size_t delta_stride, std::size_t in, std::size_t out,
                const OptimizerStep& step, float* w, float* m, float* v, Coming* coming) {
  const Optimizer optimizer(step);
  Prefetcher most(coming, 0.67);  // Multiply, which takes half as long, asks for the rest
  for (std::size_t i = 0; i < in; i += kTile) {
    const std::size_t rows = HWY_MIN(kTile, in - i), k = i * out;
    std::size_t j = 0;
    for (; j + kColumns * Lanes() <= out; j += kColumns * Lanes()) {
      UpdateColumns<kColumns>(x + i, x_stride, batch, delta + j, delta_stride, rows, out, optimizer,
                              w + k + j, m + k + j, v + k + j, most);
    }
    for (; j + Lanes() <= out; j += Lanes()) {
      UpdateColumns<1>(x + i, x_stride, batch, delta + j, delta_stride, rows, out, optimizer,
                       w + k + j, m + k + j, v + k + j, most);
    }
  }
}

decltype(&UpdateWith<Sgd>) UpdateFor(const OptimizerStep& step) {
  switch (step.kind) {
    case OptimizerStep::Kind::sgd:
      break;
    case OptimizerStep::Kind::sgd_momentum:
      if (step.first) {
        return step.nesterov ? UpdateWith<SgdMomentum<true, true>>
                             : UpdateWith<SgdMomentum<true, false>>;
      }
      return step.nesterov ? UpdateWith<SgdMomentum<false, true>>
                           : UpdateWith<SgdMomentum<false, false>>;
    case OptimizerStep::Kind::adam:
      return step.decay != 0 || step.shrink != 1 ? UpdateWith<Adam<true>> : UpdateWith<Adam<false>>;
  }
  return UpdateWith<Sgd>;
}

void Update(const float* x, std::size_t x_stride, std::size_t batch, const float* delta,
            std::size_t delta_stride, std::size_t in, std::size_t out, const OptimizerStep& step,
            float* w, float* m, float* v, Coming* coming) {
  // Optimizers without m or v get pointers that they never read.
  if (m == nullptr) m = w;
  if (v == nullptr) v = w;
  UpdateFor(step)(x, x_stride, batch, delta, delta_stride, in, out, step, w, m, v, coming);
}

// ---------------------------------------------------------------------------- sums of the parts

void AddParts(const float* values, std::size_t stride, std::size_t parts, std::size_t n,
              float* sum) {
  const D d;
  for (std::size_t j = 0; j < n; j += Lanes()) {
    V total = hn::Load(d, sum + j);
    for (std::size_t p = 0; p < parts; ++p) {
      total = hn::Add(total, hn::Load(d, values + p * stride + j));
    }
    hn::Store(total, d, sum + j);
  }
}

Kernels Table(const char* isa) {
  return {isa, hwy::TargetName(HWY_TARGET), Lanes(), LoadPixels, Multiply, Update, AddParts};
}

}  // namespace bioptic::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
