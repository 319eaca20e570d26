// The loops of machine_limits.h, compiled once per instruction set.
#if defined(BIOPTIC_MACHINE_LIMITS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BIOPTIC_MACHINE_LIMITS_INL_H
#undef BIOPTIC_MACHINE_LIMITS_INL_H
#else
#define BIOPTIC_MACHINE_LIMITS_INL_H
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace bioptic::bench::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;

// Returns the number of floating-point operations done.
double MultiplyAdds(std::size_t rounds, float* sink) {
  const D d;
  using V = hn::Vec<D>;
  // As many chains as hide the latency on any processor and still leave registers for two operands.
  V sum[12];
  for (V& s : sum) s = hn::Zero(d);
  const V a = hn::Set(d, 1.0F), b = hn::Set(d, 1e-9F);
  for (std::size_t i = 0; i < rounds; ++i) {
    HWY_UNROLL(12)
    for (V& s : sum) s = hn::MulAdd(a, s, b);
  }
  V total = sum[0];
  for (const V& s : sum) total = hn::Add(total, s);
  hn::StoreU(total, d, sink);
  return static_cast<double>(rounds) * 12 * 2 * static_cast<double>(hn::Lanes(d));
}

void ReadModifyWrite(float* w, float* m, float* v, std::size_t n) {
  const D d;
  const auto a = hn::Set(d, 0.999F), b = hn::Set(d, 1e-6F);
  for (std::size_t i = 0; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) {
    hn::Store(hn::MulAdd(hn::Load(d, w + i), a, b), d, w + i);
    hn::Store(hn::MulAdd(hn::Load(d, m + i), a, b), d, m + i);
    hn::Store(hn::MulAdd(hn::Load(d, v + i), a, b), d, v + i);
  }
}

void Triad(float* a, const float* b, const float* c, std::size_t n) {
  const D d;
  const auto s = hn::Set(d, 3.0F);
  for (std::size_t i = 0; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) {
    hn::Store(hn::MulAdd(s, hn::Load(d, c + i), hn::Load(d, b + i)), d, a + i);
  }
}

}  // namespace bioptic::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
