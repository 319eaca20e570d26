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

// Sums are blocks of R rows x C vectors, held in registers: every load serves R or C multiply-adds,
// and every sum is a dependent chain, of which 8 to 10 hide the 4 to 5 cycles that a multiply-add
// takes.  Forward, with 32 registers 6 x 4 = 24 sums, 4 vectors of the second factor and one
// broadcast; with 16 registers 6 x 2 = 12, 2 and one.  The gradient takes 4 x C sums and leaves
// registers to the optimizer.
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

HWY_INLINE void Ask(const float* line) { __builtin_prefetch(line, 1, 2); }

// Cuts n rows into as few blocks of at most `most` as will do, of sizes that differ by at most one:
// 10 into 5 + 5, not 6 + 4, so that no block has few sums.
class RowBlocks {
 public:
  HWY_INLINE RowBlocks(std::size_t n, std::size_t most)
      : n_(n), size_(n / ((n + most - 1) / most)), larger_(n % ((n + most - 1) / most)) {}
  HWY_INLINE bool Any() const { return first < n_; }
  HWY_INLINE std::size_t Size() const { return size_ + (larger_ > 0 ? 1 : 0); }
  HWY_INLINE void Next() {
    first += Size();
    if (larger_ > 0) --larger_;
  }
  std::size_t first = 0;

 private:
  std::size_t n_, size_, larger_;
};

// A product as in Kernels::multiply.
struct Product {
  const float* HWY_RESTRICT x;
  std::size_t x_stride;
  const float* HWY_RESTRICT w;
  std::size_t in, out;
  float* HWY_RESTRICT z;
  std::size_t z_stride;
};

// Rows b .. b + R - 1 and C vectors of columns from j on.  kAsk: and asks memory for the weights
// `ahead` floats further on.
template <std::size_t R, std::size_t C, bool kAsk>
HWY_INLINE void MultiplyBlock(const Product& p, std::size_t b, std::size_t j, std::size_t ahead) {
  const D d;
  const float* HWY_RESTRICT x = p.x + b * p.x_stride;
  const float* HWY_RESTRICT w = p.w + j;
  V sum[R][C];
  HWY_UNROLL(8)
  for (std::size_t r = 0; r < R; ++r) {
    HWY_UNROLL(8)
    for (std::size_t c = 0; c < C; ++c) sum[r][c] = hn::Zero(d);
  }
  for (std::size_t i = 0; i < p.in; ++i, w += p.out) {
    if (kAsk) {
      HWY_UNROLL(8)
      for (std::size_t c = 0; c < C; ++c) {
        if (c * Lanes() % kLanes == 0) Ask(w + ahead + c * Lanes());
      }
    }
    V row[C];
    HWY_UNROLL(8)
    for (std::size_t c = 0; c < C; ++c) row[c] = hn::Load(d, w + c * Lanes());
    HWY_UNROLL(8)
    for (std::size_t r = 0; r < R; ++r) {
      const V factor = hn::Set(d, x[r * p.x_stride + i]);
      HWY_UNROLL(8)
      for (std::size_t c = 0; c < C; ++c) sum[r][c] = FusedMulAdd(factor, row[c], sum[r][c]);
    }
  }
  float* HWY_RESTRICT z = p.z + b * p.z_stride + j;
  HWY_UNROLL(8)
  for (std::size_t r = 0; r < R; ++r, z += p.z_stride) {
    HWY_UNROLL(8)
    for (std::size_t c = 0; c < C; ++c) {
      float* const to = z + c * Lanes();
      hn::Store(hn::Add(hn::Load(d, to), sum[r][c]), d, to);
    }
  }
}

template <std::size_t R, bool kAsk>
HWY_INLINE void MultiplyRows(const Product& p, std::size_t b, std::size_t rows, std::size_t ahead) {
  if (rows < R) {
    if constexpr (R > 1) MultiplyRows<R - 1, kAsk>(p, b, rows, ahead);
    return;
  }
  std::size_t j = 0;
  for (; j + kColumns * Lanes() <= p.out; j += kColumns * Lanes()) {
    MultiplyBlock<R, kColumns, kAsk>(p, b, j, ahead);
  }
  for (; j < p.out; j += Lanes()) MultiplyBlock<R, 1, kAsk>(p, b, j, ahead);
}

HWY_INLINE void MultiplyAll(const Product& p, std::size_t batch, std::size_t ahead) {
  for (RowBlocks blocks(batch, kRows); blocks.Any(); blocks.Next()) {
    if (blocks.first == 0 && ahead != 0) {
      MultiplyRows<kRows, true>(p, blocks.first, blocks.Size(), ahead);
    } else {
      MultiplyRows<kRows, false>(p, blocks.first, blocks.Size(), ahead);
    }
  }
}

void Multiply(const float* x, std::size_t x_stride, std::size_t batch, const float* w,
              std::size_t in, std::size_t out, float* z, std::size_t z_stride, std::size_t ahead) {
  if (batch == 0 || in == 0) return;
  // With a stride that the compiler knows, all rows of x share one pointer.
  if (x_stride == kTile) {
    MultiplyAll({x, kTile, w, in, out, z, z_stride}, batch, ahead);
  } else {
    MultiplyAll({x, x_stride, w, in, out, z, z_stride}, batch, ahead);
  }
}

// ---------------------------------------------------------------------------- gradient and update

// What the optimizer does to one vector of weights, in two halves: Begin leaves in the gradient's
// place what End will need.  The constants are vectors before the loop.
struct Sgd {
  explicit HWY_INLINE Sgd(const OptimizerStep& s)
      : decay(hn::Set(D(), s.decay)), shrink(hn::Set(D(), s.shrink)), lr(hn::Set(D(), -s.lr)) {}
  HWY_INLINE void Begin(float*, const float*, float*, float*) const {}
  HWY_INLINE void End(const float* gradient, float* w, const float*) const {
    const D d;
    const V weight = hn::Load(d, w);
    const V g = FusedMulAdd(decay, weight, hn::Load(d, gradient));
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
  HWY_INLINE void Begin(float* gradient, const float* w, float* m, float*) const {
    const D d;
    const V g = FusedMulAdd(decay, hn::Load(d, w), hn::Load(d, gradient));
    const V mean = kFirst ? g : FusedMulAdd(momentum, hn::Load(d, m), hn::Mul(damp, g));
    hn::Store(mean, d, m);
    hn::Store(kNesterov ? FusedMulAdd(momentum, mean, g) : mean, d, gradient);
  }
  HWY_INLINE void End(const float* direction, float* w, const float*) const {
    const D d;
    hn::Store(FusedMulAdd(lr, hn::Load(d, direction), hn::Mul(hn::Load(d, w), shrink)), d, w);
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
  HWY_INLINE void Begin(float* gradient, const float* w, float* m, float* v) const {
    const D d;
    V g = hn::Load(d, gradient);
    if (kDecay) g = FusedMulAdd(decay, hn::Load(d, w), g);
    const V old_mean = hn::Load(d, m), old_square = hn::Load(d, v);
    const V mean = FusedMulAdd(beta1_rest, hn::Sub(g, old_mean), old_mean);
    const V square = FusedMulAdd(beta2_rest, FusedMulSub(g, g, old_square), old_square);
    hn::Store(mean, d, m);
    hn::Store(square, d, v);
    hn::Store(hn::Sqrt(square), d, gradient);
  }
  HWY_INLINE void End(const float* size, float* w, const float* m) const {
    const D d;
    V weight = hn::Load(d, w);
    if (kDecay) weight = hn::Mul(weight, shrink);
    const V divisor = FusedMulAdd(hn::Load(d, size), root, floor);
    hn::Store(hn::Sub(weight, hn::Div(hn::Load(d, m), divisor)), d, w);
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

// Weights whose gradient is complete and whose optimizer is still to run, a cache line at a time.
//
// The two halves of the optimizer are kLag lines apart.  Instructions leave the processor in order,
// and in the some 60 cycles from the square root to the end of the division the multiply-adds
// behind would fill its registers (on Zen 4, with AVX2), so that it had to wait.
template <typename Optimizer>
class Pending {
 public:
  HWY_INLINE Pending(const Optimizer& optimizer, float* gradient, float* w, float* m, float* v,
                     std::size_t ahead)
      : optimizer_(optimizer), gradient_(gradient), w_(w), m_(m), v_(v), ahead_(ahead) {}
  // The next `lines` have their gradient.
  HWY_INLINE void Add(std::size_t lines) {
    lines_ += lines;
    for (; begun_ < kLag && lines_ > 0; ++begun_, --lines_) Begin();
  }
  HWY_INLINE std::size_t Lines() const { return lines_; }
  // The caller will apply as many.
  HWY_INLINE void Take(std::size_t lines) { lines_ -= lines; }
  HWY_INLINE void ApplyLine() {
    End(kLag);
    Begin();
  }
  HWY_INLINE void CatchUp() {
    for (; lines_ > 0; --lines_) ApplyLine();
  }
  HWY_INLINE void Finish() {
    CatchUp();
    for (; begun_ > 0; --begun_) End(begun_);
  }

 private:
  static constexpr std::size_t kLag = 4;

  HWY_INLINE void Begin() {
    HWY_UNROLL(4)
    for (std::size_t k = 0; k < kLanes; k += hn::Lanes(D())) {
      optimizer_.Begin(gradient_ + k, w_ + k, m_ + k, v_ + k);
    }
    Ask(m_ + ahead_);
    Ask(v_ + ahead_);
    gradient_ += kLanes, w_ += kLanes, m_ += kLanes, v_ += kLanes;
  }
  HWY_INLINE void End(std::size_t lines_ago) const {
    const std::size_t back = lines_ago * kLanes;
    HWY_UNROLL(4)
    for (std::size_t k = 0; k < kLanes; k += hn::Lanes(D())) {
      optimizer_.End(gradient_ - back + k, w_ - back + k, m_ - back + k);
    }
  }

  const Optimizer& optimizer_;
  float *gradient_, *w_, *m_, *v_;
  std::size_t ahead_, lines_ = 0, begun_ = 0;
};

// gradient (R, C) += x^T delta over `rows` rows of a batch (from 0 if `fresh`), while the optimizer
// runs on `lines` pending lines.
template <std::size_t R, std::size_t C, typename Optimizer>
HWY_INLINE void GradientBlock(const float* HWY_RESTRICT x, std::size_t x_stride, std::size_t rows,
                              const float* HWY_RESTRICT delta, std::size_t delta_stride,
                              float* gradient, std::size_t columns, bool fresh,
                              Pending<Optimizer>& pending, std::size_t lines) {
  const D d;
  V g[R][C];
  HWY_UNROLL(8)
  for (std::size_t r = 0; r < R; ++r) {
    HWY_UNROLL(8)
    for (std::size_t c = 0; c < C; ++c) {
      g[r][c] = fresh ? hn::Zero(d) : hn::Load(d, gradient + r * columns + c * Lanes());
    }
  }
  // A line after some of the rows; two where a block is as wide as four and the batch is small.
  constexpr bool kWide = C == 4;
  const std::size_t twice = kWide && lines > rows ? 1 : 0;
  const std::size_t turns = HWY_MIN(lines >> twice, rows);
  pending.Take(turns << twice);
  // Spread evenly: a division takes longer than the multiply-adds of a row or two.
  const std::size_t every = turns == 0 ? rows + 1 : rows / turns;
  std::size_t left = turns, wait = every;
  for (; rows > 0; --rows, x += x_stride, delta += delta_stride) {
    AddOuterProduct<R, C>(x, delta, g);
    if (--wait == 0) {
      pending.ApplyLine();
      if (kWide && twice != 0) pending.ApplyLine();
      wait = --left == 0 ? rows : every;
    }
  }
  HWY_UNROLL(8)
  for (std::size_t r = 0; r < R; ++r) {
    HWY_UNROLL(8)
    for (std::size_t c = 0; c < C; ++c) {
      hn::Store(g[r][c], d, gradient + r * columns + c * Lanes());
    }
  }
}

// Columns of a panel of weights that are updated together, and the most inputs.
constexpr std::size_t kUpdateColumns = 64;

// The gradient of R inputs and `columns` outputs.
template <std::size_t R, typename Optimizer>
HWY_INLINE void GradientRows(const float* HWY_RESTRICT x, std::size_t x_stride, std::size_t rows,
                             const float* HWY_RESTRICT delta, std::size_t delta_stride,
                             float* gradient, std::size_t columns, bool fresh,
                             Pending<Optimizer>& pending) {
  // Every block takes the same share of the pending lines.
  std::size_t j = 0, blocks = columns / (kColumns * Lanes()) + columns / Lanes() % kColumns;
  for (; j + kColumns * Lanes() <= columns; j += kColumns * Lanes()) {
    GradientBlock<R, kColumns>(x, x_stride, rows, delta + j, delta_stride, gradient + j, columns,
                               fresh, pending, pending.Lines() / blocks--);
  }
  for (; j < columns; j += Lanes()) {
    GradientBlock<R, 1>(x, x_stride, rows, delta + j, delta_stride, gradient + j, columns, fresh,
                        pending, pending.Lines() / blocks--);
  }
}

// The weights of `in` <= kTile inputs and `columns` <= kUpdateColumns of the `out` outputs.
//
// The optimizer's square root and division take 15 (Zen 4) to 35 cycles (Sapphire Rapids) per 16
// weights in a unit of their own, longer than the multiply-adds of a small batch.  So while the
// gradient of some inputs is summed, the optimizer runs on the inputs before, and the two units
// work at once.
//
// Of a large batch, kChunk rows at a time go over all inputs, so that their part of delta stays in
// the first-level cache: 64 x 64 floats are 16 KiB, beside 8 KiB of gradient for 32 inputs.
constexpr std::size_t kChunk = 64;

template <typename Optimizer>
HWY_INLINE void UpdatePanel(const float* x, std::size_t x_stride, std::size_t batch,
                            const float* delta, std::size_t delta_stride, std::size_t in,
                            std::size_t columns, std::size_t out, const Optimizer& optimizer,
                            float* w, float* m, float* v, std::size_t ahead) {
  HWY_ALIGN float gradient[kTile * kUpdateColumns];  // (in, columns)
  const std::size_t chunks = (batch + kChunk - 1) / kChunk;
  const std::size_t chunk = (batch + chunks - 1) / chunks;
  Pending<Optimizer> pending(optimizer, gradient, w, m, v, ahead);
  for (std::size_t begin = 0; begin < batch; begin += chunk) {
    const std::size_t rows = HWY_MIN(chunk, batch - begin);
    const float* const chunk_x = x + begin * x_stride;
    const float* const chunk_delta = delta + begin * delta_stride;
    for (RowBlocks blocks(in, kUpdateRows); blocks.Any(); blocks.Next()) {
      const std::size_t i = blocks.first, size = blocks.Size();
      float* const g = gradient + i * columns;
      if (size == kUpdateRows) {
        GradientRows<kUpdateRows>(chunk_x + i, x_stride, rows, chunk_delta, delta_stride, g,
                                  columns, begin == 0, pending);
      } else if (size == kUpdateRows - 1) {
        GradientRows<kUpdateRows - 1>(chunk_x + i, x_stride, rows, chunk_delta, delta_stride, g,
                                      columns, begin == 0, pending);
      } else {
        for (std::size_t k = 0; k < size; ++k) {
          GradientRows<1>(chunk_x + i + k, x_stride, rows, chunk_delta, delta_stride,
                          g + k * columns, columns, begin == 0, pending);
        }
      }
      if (begin + rows < batch) continue;
      if (columns == out) {
        pending.CatchUp();
        pending.Add(size * columns / kLanes);
        continue;
      }
      for (std::size_t k = i; k < i + size; ++k) {  // a wide small layer: rows lie apart
        Pending<Optimizer> row(optimizer, gradient + k * columns, w + k * out, m + k * out,
                               v + k * out, ahead);
        row.Add(columns / kLanes);
        row.Finish();
      }
    }
  }
  pending.Finish();
}

template <typename Optimizer>
void UpdateWith(const float* x, std::size_t x_stride, std::size_t batch, const float* delta,
                std::size_t delta_stride, std::size_t in, std::size_t out,
                const OptimizerStep& step, float* w, float* m, float* v, std::size_t ahead) {
  const Optimizer optimizer(step);
  for (std::size_t i = 0; i < in; i += kTile) {
    const std::size_t inputs = HWY_MIN(kTile, in - i);
    for (std::size_t j = 0; j < out; j += kUpdateColumns) {
      const std::size_t columns = HWY_MIN(kUpdateColumns, out - j), k = i * out + j;
      UpdatePanel(x + i, x_stride, batch, delta + j, delta_stride, inputs, columns, out, optimizer,
                  w + k, m + k, v + k, ahead);
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
            float* w, float* m, float* v, std::size_t ahead) {
  // Optimizers without m or v get pointers that they never read.
  if (m == nullptr) m = w;
  if (v == nullptr) v = w;
  UpdateFor(step)(x, x_stride, batch, delta, delta_stride, in, out, step, w, m, v, ahead);
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
