#include "bioptic/stats/seed_tests.h"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>
#include <cstddef>
#include <vector>

#include "bioptic/base/random.h"
#include "bioptic/stats/distributions.h"

namespace bioptic {

double sign_flip_p(std::span<const double> differences) {
  const std::size_t n = differences.size();
  double observed = 0, size = 0;
  for (const double d : differences) {
    observed += d;
    size += std::abs(d);
  }
  // Sums of the same numbers in another order differ in the last bits: those count as equal.
  const double limit = std::abs(observed) - 1e-12 * size;
  if (n <= 20) {
    // Gray code: each pattern differs from the one before in one sign.
    const std::uint32_t patterns = std::uint32_t{1} << n;
    std::vector<double> signs(n, 1);
    std::uint32_t extreme = 0;
    double sum = observed;
    for (std::uint32_t k = 0;;) {
      extreme += std::abs(sum) >= limit ? 1U : 0U;
      if (++k == patterns) break;
      const auto flip = static_cast<std::size_t>(std::countr_zero(k));
      signs[flip] = -signs[flip];
      sum += 2 * signs[flip] * differences[flip];
    }
    return static_cast<double>(extreme) / patterns;
  }
  // Several draws at a time, each summed in its own order: no addition waits for the one before.
  constexpr int kDraws = 100000;
  constexpr std::size_t kTogether = 8;
  static_assert(kDraws % kTogether == 0);
  const std::size_t words = (n + 63) / 64;
  std::vector<std::uint64_t> bits(kTogether * words);  // of one draw after the other
  RandomStream stream(0, "sign flip");
  int extreme = 1;
  for (int k = 0; k < kDraws; k += kTogether) {
    for (std::uint64_t& word : bits) word = stream.bits64();
    std::array<double, kTogether> sums{};
    for (std::size_t i = 0; i < n; ++i) {
      const auto d = std::bit_cast<std::uint64_t>(differences[i]);
      for (std::size_t t = 0; t < kTogether; ++t) {
        const std::uint64_t minus = ~(bits[t * words + i / 64] >> i % 64) << 63;
        sums[t] += std::bit_cast<double>(d ^ minus);
      }
    }
    for (const double sum : sums) extreme += std::abs(sum) >= limit ? 1 : 0;
  }
  return static_cast<double>(extreme) / (kDraws + 1);
}

Interval exact_interval(double hits, double n, double confidence) {
  namespace bm = boost::math;
  const bm::policies::policy<bm::policies::promote_double<false>> policy;
  const double tail = (1 - confidence) / 2;
  return {hits <= 0 ? 0 : bm::ibeta_inv(hits, n - hits + 1, tail, policy),
          hits >= n ? 1 : bm::ibeta_inv(hits + 1, n - hits, 1 - tail, policy)};
}

ShareGreater share_greater(std::span<const double> differences) {
  const auto n = static_cast<double>(differences.size());
  double hits = 0;
  for (const double d : differences) hits += d > 0 ? 1 : d == 0 ? 0.5 : 0;
  ShareGreater out;
  out.share = hits / n;
  out.interval = {exact_interval(std::floor(hits), n).low, exact_interval(std::ceil(hits), n).high};
  out.meaningful = out.interval.low > 0.5 && out.interval.high > 0.75;
  return out;
}

double binomial_p(int hits, int n) {
  if (n == 0) return 1;
  return std::min(1.0, 2 * binomial_cdf(std::min(hits, n - hits), n, 0.5));
}

double mcnemar_p(int only_a_right, int only_b_right) {
  return binomial_p(only_a_right, only_a_right + only_b_right);
}

}  // namespace bioptic
