#include "machine_limits.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "machine_limits-inl.h"
#include <hwy/foreach_target.h>

#include "machine_limits-inl.h"

#if HWY_ONCE
#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

#include "bioptic/base/aligned.h"

namespace bioptic::bench {
namespace {

HWY_EXPORT(MultiplyAdds);
HWY_EXPORT(ReadModifyWrite);
HWY_EXPORT(Triad);

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Whole cache lines for every thread.
struct Share {
  std::size_t begin, size;
};
Share share(std::size_t n, int threads, std::size_t thread) {
  const std::size_t lines = n / 16, count = static_cast<std::size_t>(threads);
  const std::size_t begin = lines * thread / count * 16, end = lines * (thread + 1) / count * 16;
  return {begin, end - begin};
}

}  // namespace

double read_modify_write_bandwidth(ThreadPool& pool, std::size_t n, int rounds) {
  AlignedBuffer<float> w(n), m(n), v(n);
  double best = 0;
  for (int round = 0; round < rounds; ++round) {
    const double seconds = seconds_of([&] {
      pool.run(static_cast<std::size_t>(pool.threads()), [&](std::size_t t) {
        const Share s = share(n, pool.threads(), t);
        HWY_DYNAMIC_DISPATCH(ReadModifyWrite)
        (w.data() + s.begin, m.data() + s.begin, v.data() + s.begin, s.size);
      });
    });
    best = std::max(best, 24.0 * static_cast<double>(n) / seconds);
  }
  return best;
}

double triad_bandwidth(ThreadPool& pool, std::size_t n, int rounds) {
  AlignedBuffer<float> a(n), b(n), c(n);
  double best = 0;
  for (int round = 0; round < rounds; ++round) {
    const double seconds = seconds_of([&] {
      pool.run(static_cast<std::size_t>(pool.threads()), [&](std::size_t t) {
        const Share s = share(n, pool.threads(), t);
        HWY_DYNAMIC_DISPATCH(Triad)
        (a.data() + s.begin, b.data() + s.begin, c.data() + s.begin, s.size);
      });
    });
    best = std::max(best, 16.0 * static_cast<double>(n) / seconds);
  }
  return best;
}

double multiply_add_peak(ThreadPool& pool, int rounds) {
  constexpr std::size_t kRounds = 4'000'000;  // some 20 ms
  const auto threads = static_cast<std::size_t>(pool.threads());
  AlignedBuffer<float> sink(64 * threads);
  std::vector<double> operations(threads);
  double best = 0;
  for (int round = 0; round < rounds; ++round) {
    const double seconds = seconds_of([&] {
      pool.run(threads, [&](std::size_t t) {
        operations[t] = HWY_DYNAMIC_DISPATCH(MultiplyAdds)(kRounds, sink.data() + 64 * t);
      });
    });
    double total = 0;
    for (const double o : operations) total += o;
    best = std::max(best, total / seconds);
  }
  return best;
}

}  // namespace bioptic::bench
#endif
