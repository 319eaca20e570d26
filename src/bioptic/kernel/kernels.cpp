// Compiles kernels-inl.h for every instruction set and picks one at run time.

// The portable form must be one lane of plain floats (EMU128 rounds multiply-adds twice), and
// instruction sets without a fused multiply-add would be no faster than that.  SVE vectors cannot
// stand in arrays; Arm runs the NEON form.
#define HWY_BROKEN_EMU128 1
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bioptic/kernel/kernels-inl.h"
#include <hwy/foreach_target.h>

#include "bioptic/kernel/kernels-inl.h"

#if HWY_ONCE
#include "bioptic/base/error.h"

namespace bioptic::kernel {

std::vector<const Kernels*> available_kernels() {
  const std::int64_t supported = hwy::SupportedTargets();
  std::vector<const Kernels*> list;
#if HWY_TARGETS & HWY_AVX3
  static const Kernels avx512 = N_AVX3::Table("avx512");
  if (supported & HWY_AVX3) list.push_back(&avx512);
#endif
#if HWY_TARGETS & HWY_AVX2
  static const Kernels avx2 = N_AVX2::Table("avx2");
  if (supported & HWY_AVX2) list.push_back(&avx2);
#endif
#if HWY_TARGETS & HWY_NEON
  static const Kernels neon = N_NEON::Table("neon");
  if (supported & HWY_NEON) list.push_back(&neon);
#endif
#if HWY_TARGETS & HWY_SCALAR
  static const Kernels portable = N_SCALAR::Table("portable");
  list.push_back(&portable);
#endif
  return list;
}

const Kernels& choose_kernels(std::string_view isa) {
  const std::vector<const Kernels*> list = available_kernels();
  if (isa.empty()) return *list.front();
  std::vector<std::string_view> names;
  for (const Kernels* kernels : list) {
    if (isa == kernels->isa) return *kernels;
    names.emplace_back(kernels->isa);
  }
  throw InputError("instruction set '" + std::string(isa) +
                   "' is unknown or not on this processor" + suggestion(isa, names));
}

}  // namespace bioptic::kernel
#endif
