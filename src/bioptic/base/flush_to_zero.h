// Subnormal numbers slow every instruction that touches them, and a gradient that stays exactly 0
// (a dead unit, a constant pixel) lets Adam's moments decay into them, where they stick.
#pragma once

#include <cstdint>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace bioptic {

// While it lives, this thread's results below 2^-126 (float) or 2^-1022 (double) in size become 0,
// and such operands count as 0.  Costs some 20 cycles.  The same on all vector and scalar
// instructions of x86; does nothing on processors other than x86 and 64-bit Arm.
class FlushToZero {
 public:
  FlushToZero() : before_(read()) { write(before_ | kFlush); }
  ~FlushToZero() { write(before_); }
  FlushToZero(const FlushToZero&) = delete;
  FlushToZero& operator=(const FlushToZero&) = delete;

 private:
#if defined(__SSE__)
  static constexpr std::uint64_t kFlush = 0x8040;  // MXCSR: flush to zero, denormals are zero
  static std::uint64_t read() { return _mm_getcsr(); }
  static void write(std::uint64_t bits) { _mm_setcsr(static_cast<unsigned>(bits)); }
#elif defined(__aarch64__)
  static constexpr std::uint64_t kFlush = std::uint64_t{1} << 24;  // FPCR.FZ
  static std::uint64_t read() {
    std::uint64_t bits;
    asm volatile("mrs %0, fpcr" : "=r"(bits));
    return bits;
  }
  static void write(std::uint64_t bits) { asm volatile("msr fpcr, %0" : : "r"(bits)); }
#else
  static constexpr std::uint64_t kFlush = 0;
  static std::uint64_t read() { return 0; }
  static void write(std::uint64_t) {}
#endif
  std::uint64_t before_;
};

}  // namespace bioptic
