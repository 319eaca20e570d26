#include "bioptic/base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace bioptic {
namespace {

TEST(ThreadPool, EveryPartOnceOnAnyNumberOfThreads) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (int round = 0; round < 200; ++round) {
      std::vector<std::atomic<int>> counts(37);
      pool.run(counts.size(), [&](std::size_t part) { ++counts[part]; });
      for (const auto& count : counts) ASSERT_EQ(count, 1);
    }
  }
}

TEST(ThreadPool, ResultsAreVisibleAfterRun) {
  ThreadPool pool(4);
  std::vector<int> values(64);  // plain ints: the pool itself must order the accesses
  for (int round = 1; round <= 100; ++round) {
    pool.run(values.size(), [&](std::size_t part) { values[part] += static_cast<int>(part); });
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(values[i], round * static_cast<int>(i));
    }
  }
}

TEST(ThreadPool, AnExceptionOfAPartComesBack) {
  ThreadPool pool(2);
  EXPECT_THROW(pool.run(10,
                        [](std::size_t part) {
                          if (part == 3) throw std::runtime_error("three");
                        }),
               std::runtime_error);
  std::atomic<int> count{0};
  pool.run(10, [&](std::size_t) { ++count; });
  EXPECT_EQ(count, 10);
}

TEST(ThreadPool, NoPartsIsFine) {
  ThreadPool pool(2);
  pool.run(0, [](std::size_t) { FAIL(); });
}

}  // namespace
}  // namespace bioptic
