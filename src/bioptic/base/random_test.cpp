#include "bioptic/base/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

namespace bioptic {
namespace {

// Known answers of Philox4x32-10 from the Random123 distribution (kat_vectors).
TEST(Philox, KnownAnswers) {
  using A = std::array<std::uint32_t, 4>;
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (A{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (A{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(RandomStream, NamesAndSeedsSeparateStreams) {
  RandomStream a(1, "order"), again(1, "order"), b(1, "split"), c(2, "order");
  const auto first = a.bits64();
  EXPECT_EQ(first, again.bits64());
  EXPECT_NE(first, b.bits64());
  EXPECT_NE(first, c.bits64());
}

TEST(RandomStream, MomentsAndBounds) {
  RandomStream r(7, "test");
  const int n = 200000;
  double sum = 0, square = 0, uniform = 0;
  std::vector<int> counts(7);
  for (int i = 0; i < n; ++i) {
    const double z = r.normal();
    sum += z;
    square += z * z;
    uniform += r.uniform();
    ++counts[r.below(7)];
  }
  // five standard errors each
  EXPECT_NEAR(sum / n, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(square / n, 1, 5 * std::sqrt(2.0 / n));
  EXPECT_NEAR(uniform / n, 0.5, 5 * std::sqrt(1.0 / 12 / n));
  for (const int count : counts) EXPECT_NEAR(count, n / 7.0, 5 * std::sqrt(n / 7.0));
}

TEST(RandomStream, ShuffleIsAPermutation) {
  std::vector<int> items(100);
  std::iota(items.begin(), items.end(), 0);
  RandomStream(3, "shuffle").shuffle(std::span(items));
  std::vector<int> sorted = items;
  std::sort(sorted.begin(), sorted.end());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(sorted[static_cast<std::size_t>(i)], i);
  EXPECT_NE(items[0] + items[1] * 100, 0 + 1 * 100);
}

}  // namespace
}  // namespace bioptic
