// Compiles augment-inl.h for every instruction set and picks one at run time.

// The same targets as kernels.cpp, so that a name means the same instruction set in both.
#define HWY_BROKEN_EMU128 1
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bioptic/kernel/augment-inl.h"
#include <hwy/foreach_target.h>

#include "bioptic/kernel/augment-inl.h"

#if HWY_ONCE
#include "bioptic/base/error.h"

namespace bioptic::kernel {

std::vector<const AugmentKernels*> available_augment_kernels() {
  std::vector<const AugmentKernels*> list;
  [[maybe_unused]] const std::int64_t supported = hwy::SupportedTargets();
#if HWY_TARGETS & HWY_AVX3
  static const AugmentKernels avx512 = N_AVX3::AugmentTable("avx512");
  if (supported & HWY_AVX3) list.push_back(&avx512);
#endif
#if HWY_TARGETS & HWY_AVX2
  static const AugmentKernels avx2 = N_AVX2::AugmentTable("avx2");
  if (supported & HWY_AVX2) list.push_back(&avx2);
#endif
#if HWY_TARGETS & HWY_NEON
  static const AugmentKernels neon = N_NEON::AugmentTable("neon");
  if (supported & HWY_NEON) list.push_back(&neon);
#endif
  list.push_back(&kScalarAugment);
  return list;
}

const AugmentKernels& choose_augment_kernels(std::string_view isa) {
  const std::vector<const AugmentKernels*> list = available_augment_kernels();
  if (isa.empty()) return *list.front();
  std::vector<std::string_view> names;
  for (const AugmentKernels* kernels : list) {
    if (isa == kernels->isa) return *kernels;
    names.emplace_back(kernels->isa);
  }
  throw InputError("instruction set '" + std::string(isa) +
                   "' is unknown or not on this processor" + suggestion(isa, names));
}

}  // namespace bioptic::kernel
#endif
