// The vector form of the augmentation kernels, compiled once per instruction set (no include guard
// of the usual kind: Highway includes this file again for every target).
#if defined(BIOPTIC_AUGMENT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BIOPTIC_AUGMENT_INL_H
#undef BIOPTIC_AUGMENT_INL_H
#else
#define BIOPTIC_AUGMENT_INL_H
#endif

#include <hwy/highway.h>

#include <algorithm>

#include "bioptic/kernel/augment.h"

HWY_BEFORE_NAMESPACE();
namespace bioptic::kernel::HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR

namespace hn = hwy::HWY_NAMESPACE;
using AugmentF = hn::CappedTag<float, 16>;
using AugmentU = hn::Rebind<std::uint32_t, AugmentF>;
using AugmentI = hn::Rebind<std::int32_t, AugmentF>;
using AugmentBytes = hn::Rebind<std::uint8_t, AugmentF>;

// ---------------------------------------------------------------------------- quads

HWY_INLINE std::uint32_t Quad(const std::uint8_t* row, const std::uint8_t* below, std::size_t x,
                              std::size_t right) {
  return row[x] | std::uint32_t{row[right]} << 8 | std::uint32_t{below[x]} << 16 |
         std::uint32_t{below[right]} << 24;
}

void MakeQuads(const std::uint8_t* HWY_RESTRICT pixels, std::size_t height, std::size_t width,
               std::uint32_t* HWY_RESTRICT quads) {
  const AugmentU du;
  const AugmentBytes d8;
  const std::size_t lanes = hn::Lanes(du);
  for (std::size_t y = 0; y < height; ++y) {
    const std::uint8_t* const row = pixels + y * width;
    const std::uint8_t* const below = pixels + HWY_MIN(y + 1, height - 1) * width;
    std::uint32_t* const out = quads + y * width;
    std::size_t x = 0;
    for (; x + lanes < width; x += lanes) {
      const auto a = hn::PromoteTo(du, hn::LoadU(d8, row + x));
      const auto b = hn::PromoteTo(du, hn::LoadU(d8, row + x + 1));
      const auto c = hn::PromoteTo(du, hn::LoadU(d8, below + x));
      const auto d = hn::PromoteTo(du, hn::LoadU(d8, below + x + 1));
      const auto upper = hn::Or(a, hn::ShiftLeft<8>(b));
      const auto lower = hn::Or(hn::ShiftLeft<16>(c), hn::ShiftLeft<24>(d));
      hn::StoreU(hn::Or(upper, lower), du, out + x);
    }
    for (; x < width; ++x) out[x] = Quad(row, below, x, HWY_MIN(x + 1, width - 1));
  }
}

// ---------------------------------------------------------------------------- one row

// What a value becomes: brightness and contrast, noise, rounding.
class Toner {
 public:
  HWY_INLINE explicit Toner(const Tone& tone)
      : gain_(hn::Set(AugmentF(), tone.gain)), bias_(hn::Set(AugmentF(), tone.bias)) {}

  // One vector of values to out; noise: theirs.
  template <bool kNoisy>
  HWY_INLINE void Store(hn::Vec<AugmentF> value, const std::int16_t* HWY_RESTRICT noise,
                        std::uint8_t* HWY_RESTRICT out) const {
    const AugmentF d;
    value = hn::Add(hn::Mul(gain_, value), bias_);
    if constexpr (kNoisy) {
      const hn::Rebind<std::int16_t, AugmentF> d16;
      const auto units = hn::ConvertTo(d, hn::PromoteTo(AugmentI(), hn::LoadU(d16, noise)));
      value = hn::Add(value, hn::Mul(units, hn::Set(d, 1.0F / kNoiseUnits)));
    }
    // Demotion limits to 0 .. 255.
    hn::StoreU(hn::DemoteTo(AugmentBytes(), hn::NearestInt(value)), AugmentBytes(), out);
  }

 private:
  hn::Vec<AugmentF> gain_, bias_;
};

// What is the same for a whole row.
class RowWarper {
 public:
  HWY_INLINE RowWarper(const std::uint32_t* quads, std::size_t height, std::size_t width,
                       const RowMap& map, const Tone& tone)
      : quads_(quads),
        x0_(hn::Set(d_, map.x0)),
        dx_(hn::Set(d_, map.dx)),
        y0_(hn::Set(d_, map.y0)),
        dy_(hn::Set(d_, map.dy)),
        right_(hn::Set(d_, static_cast<float>(width - 1))),
        bottom_(hn::Set(d_, static_cast<float>(height - 1))),
        toner_(tone),
        width_(hn::Set(di_, static_cast<std::int32_t>(width))) {}

  // One vector of pixels from column x on; at: x, x + 1, ... as floats.
  template <bool kNoisy>
  HWY_INLINE void Apply(std::size_t x, hn::Vec<AugmentF> at, const std::int16_t* HWY_RESTRICT noise,
                        std::uint8_t* HWY_RESTRICT out) const {
    const auto zero = hn::Zero(d_);
    const auto sx = hn::Min(hn::Max(hn::Add(x0_, hn::Mul(dx_, at)), zero), right_);
    const auto sy = hn::Min(hn::Max(hn::Add(y0_, hn::Mul(dy_, at)), zero), bottom_);
    const auto ix = hn::ConvertTo(di_, sx), iy = hn::ConvertTo(di_, sy);
    const auto fx = hn::Sub(sx, hn::ConvertTo(d_, ix)), fy = hn::Sub(sy, hn::ConvertTo(d_, iy));
    const auto quad = hn::GatherIndex(du_, quads_, hn::Add(hn::Mul(iy, width_), ix));
    const auto byte = hn::Set(du_, 255);
    const auto a = Float(hn::And(quad, byte));
    const auto b = Float(hn::And(hn::ShiftRight<8>(quad), byte));
    const auto c = Float(hn::And(hn::ShiftRight<16>(quad), byte));
    const auto d = Float(hn::ShiftRight<24>(quad));
    const auto upper = hn::Add(a, hn::Mul(fx, hn::Sub(b, a)));
    const auto lower = hn::Add(c, hn::Mul(fx, hn::Sub(d, c)));
    const auto value = hn::Add(upper, hn::Mul(fy, hn::Sub(lower, upper)));
    toner_.Store<kNoisy>(value, kNoisy ? noise + x : nullptr, out + x);
  }

  template <bool kNoisy>
  HWY_INLINE void ApplyRow(std::size_t width, const std::int16_t* HWY_RESTRICT noise,
                           std::uint8_t* HWY_RESTRICT out) const {
    const std::size_t lanes = hn::Lanes(d_);
    // Iota is slow here, but whole numbers below 2^24 are exact in any order of adding.
    const auto first = hn::Iota(d_, 0.0F), step = hn::Set(d_, static_cast<float>(lanes));
    auto at = first;
    std::size_t x = 0;
    for (; x + lanes <= width; x += lanes) {
      Apply<kNoisy>(x, at, noise, out);
      at = hn::Add(at, step);
    }
    if (x < width) {  // some pixels a second time
      x = width - lanes;
      Apply<kNoisy>(x, hn::Add(first, hn::Set(d_, static_cast<float>(x))), noise, out);
    }
  }

 private:
  HWY_INLINE hn::Vec<AugmentF> Float(hn::Vec<AugmentU> v) const {
    return hn::ConvertTo(d_, hn::BitCast(di_, v));
  }

  const AugmentF d_{};
  const AugmentU du_{};
  const AugmentI di_{};
  const std::uint32_t* quads_;
  hn::Vec<AugmentF> x0_, dx_, y0_, dy_, right_, bottom_;
  Toner toner_;
  hn::Vec<AugmentI> width_;
};

void WarpRow(const std::uint32_t* quads, std::size_t height, std::size_t width, const RowMap& map,
             const Tone& tone, const std::int16_t* noise, std::uint8_t* out) {
  if (width < hn::Lanes(AugmentF())) {
    kScalarAugment.warp_row(quads, height, width, map, tone, noise, out);
    return;
  }
  const RowWarper warper(quads, height, width, map, tone);
  if (noise == nullptr) {
    warper.ApplyRow<false>(width, nullptr, out);
  } else {
    warper.ApplyRow<true>(width, noise, out);
  }
}

template <bool kNoisy>
HWY_INLINE void ToneRowWith(const std::uint8_t* HWY_RESTRICT pixels, std::size_t width,
                            const Tone& tone, const std::int16_t* HWY_RESTRICT noise,
                            std::uint8_t* HWY_RESTRICT out) {
  const AugmentF d;
  const std::size_t lanes = hn::Lanes(d);
  const Toner toner(tone);
  for (std::size_t x = 0; x < width; x += lanes) {
    x = HWY_MIN(x, width - lanes);  // the last vector may repeat some pixels
    const auto bytes = hn::LoadU(AugmentBytes(), pixels + x);
    toner.Store<kNoisy>(hn::ConvertTo(d, hn::PromoteTo(AugmentI(), bytes)),
                        kNoisy ? noise + x : nullptr, out + x);
  }
}

void ToneRow(const std::uint8_t* pixels, std::size_t width, const Tone& tone,
             const std::int16_t* noise, std::uint8_t* out) {
  if (width < hn::Lanes(AugmentF())) {
    kScalarAugment.tone_row(pixels, width, tone, noise, out);
  } else if (noise == nullptr) {
    ToneRowWith<false>(pixels, width, tone, nullptr, out);
  } else {
    ToneRowWith<true>(pixels, width, tone, noise, out);
  }
}

// ---------------------------------------------------------------------------- noise

// Philox4x32-10 of as many blocks as a vector has 64-bit lanes, from `block` on, into 16-bit
// numbers in the order of the blocks, four in each of out, the first in the lowest bits.  Only the
// low half of a lane counts until the end: MulEven reads no other.
HWY_INLINE void PhiloxBlocks(const std::array<std::uint32_t, 2>& key, std::uint64_t block,
                             std::uint64_t* HWY_RESTRICT out) {
  const hn::CappedTag<std::uint64_t, 8> d;
  const hn::RepartitionToNarrow<decltype(d)> d32;
  const auto m0 = hn::BitCast(d32, hn::Set(d, 0xD2511F53));
  const auto m1 = hn::BitCast(d32, hn::Set(d, 0xCD9E8D57));
  const auto counter = hn::Iota(d, block);
  auto c0 = counter, c1 = hn::ShiftRight<32>(counter), c2 = hn::Zero(d), c3 = hn::Zero(d);
  std::uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; ++round) {
    const auto p0 = hn::MulEven(m0, hn::BitCast(d32, c0));
    const auto p1 = hn::MulEven(m1, hn::BitCast(d32, c2));
    c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), c1), hn::Set(d, k0));
    c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), c3), hn::Set(d, k1));
    c1 = p1;
    c3 = p0;
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  const auto low = hn::Set(d, 0xFFFFFFFF);
  const auto first = hn::Or(hn::And(c0, low), hn::ShiftLeft<32>(c1));
  const auto second = hn::Or(hn::And(c2, low), hn::ShiftLeft<32>(c3));
  hn::StoreInterleaved2(first, second, d, out);
}

void DrawNoise(const std::array<std::uint32_t, 2>& key, std::uint64_t first_block,
               const NoiseTable& table, std::size_t count, std::int16_t* HWY_RESTRICT noise) {
  const std::size_t blocks = hn::Lanes(hn::CappedTag<std::uint64_t, 8>());
  const std::size_t numbers = kNoisePerBlock * blocks;
  alignas(64) std::uint64_t bits[kNoisePerBlock / 4 * 8];
  std::size_t i = 0;
  for (; i + numbers <= count; i += numbers) {
    PhiloxBlocks(key, first_block + i / kNoisePerBlock, bits);
    for (std::size_t k = 0; k < numbers / 4; ++k) {
      const std::uint64_t word = bits[k];
      std::int16_t* const to = noise + i + 4 * k;
      to[0] = table[word & 0xFFFF];
      to[1] = table[word >> 16 & 0xFFFF];
      to[2] = table[word >> 32 & 0xFFFF];
      to[3] = table[word >> 48];
    }
  }
  kScalarAugment.draw_noise(key, first_block + i / kNoisePerBlock, table, count - i, noise + i);
}

AugmentKernels AugmentTable(const char* isa) {
  return {isa, MakeQuads, WarpRow, ToneRow, DrawNoise};
}

#endif  // not HWY_SCALAR
}  // namespace bioptic::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
