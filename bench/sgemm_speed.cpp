#include <dlfcn.h>

#include <chrono>
#include <cstdint>

#include "bioptic/base/aligned.h"
#include "bioptic/base/error.h"
#include "machine_limits.h"

namespace bioptic::bench {

double sgemm_speed(const std::string& library, int threads, std::size_t n) {
  using Sgemm =
      void (*)(int order, int transpose_a, int transpose_b, std::int64_t m, std::int64_t n,
               std::int64_t k, float alpha, const float* a, std::int64_t lda, const float* b,
               std::int64_t ldb, float beta, float* c, std::int64_t ldc);
  using SetThreads = void (*)(int);
  void* const handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw InputError(library + ": " + ::dlerror());
  const auto sgemm = reinterpret_cast<Sgemm>(::dlsym(handle, "scipy_cblas_sgemm64_"));
  const auto set_threads =
      reinterpret_cast<SetThreads>(::dlsym(handle, "scipy_openblas_set_num_threads64_"));
  if (sgemm == nullptr || set_threads == nullptr) {
    throw InputError(library + " has no scipy_cblas_sgemm64_: it is not the OpenBLAS of NumPy");
  }
  set_threads(threads);
  constexpr int kRowMajor = 101, kNoTranspose = 111;
  AlignedBuffer<float> a(n * n), b(n * n), c(n * n);
  for (std::size_t i = 0; i < n * n; ++i) a[i] = b[i] = 1.0F / 3;
  const auto size = static_cast<std::int64_t>(n);
  const auto start = std::chrono::steady_clock::now();
  sgemm(kRowMajor, kNoTranspose, kNoTranspose, size, size, size, 1, a.data(), size, b.data(), size,
        0, c.data(), size);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return 2.0 * static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n) / seconds;
}

}  // namespace bioptic::bench
