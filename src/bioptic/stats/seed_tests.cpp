#include "bioptic/stats/seed_tests.h"

#include <algorithm>
#include <bit>
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
  constexpr int kDraws = 100000;
  RandomStream stream(0, "sign flip");
  int extreme = 1;
  for (int k = 0; k < kDraws; ++k) {
    double sum = 0;
    for (std::size_t i = 0; i < n; i += 64) {
      std::uint64_t bits = stream.bits64();
      for (std::size_t j = i; j < std::min(n, i + 64); ++j, bits >>= 1) {
        sum += (bits & 1) != 0 ? differences[j] : -differences[j];
      }
    }
    extreme += std::abs(sum) >= limit ? 1 : 0;
  }
  return static_cast<double>(extreme) / (kDraws + 1);
}

ShareGreater share_greater(std::span<const double> differences) {
  constexpr int kDraws = 10000;
  // In halves, so that sums are exact and swapping A and B gives exactly the rest to 1.
  const auto halves = [](double d) { return d > 0 ? 2 : d == 0 ? 1 : 0; };
  const auto whole = 2 * static_cast<double>(differences.size());
  ShareGreater out;
  int total = 0;
  for (const double d : differences) total += halves(d);
  out.share = total / whole;
  RandomStream stream(0, "p greater");
  std::vector<int> totals(kDraws, 0);
  for (int& drawn : totals) {
    for (std::size_t i = 0; i < differences.size(); ++i) {
      drawn += halves(differences[stream.below(differences.size())]);
    }
  }
  std::sort(totals.begin(), totals.end());
  constexpr std::size_t kLow = kDraws / 40;  // 2.5 %
  out.interval = {totals[kLow] / whole, totals[kDraws - 1 - kLow] / whole};
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
