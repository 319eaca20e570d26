#include "bioptic/base/portable_math.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bioptic {
namespace {

// Largest error in ulp against libm's long double functions over a grid.
template <typename Ours, typename Exact>
double largest_ulp(Ours ours, Exact exact, double low, double high) {
  double worst = 0;
  for (int i = 0; i <= 200000; ++i) {
    const double x = low + (high - low) * i / 200000;
    const long double truth = exact(static_cast<long double>(x));
    if (truth == 0) continue;
    const double ulp = std::ldexp(1.0, std::ilogb(static_cast<double>(truth)) - 52);
    worst = std::max(worst, static_cast<double>(std::fabs(ours(x) - truth)) / ulp);
  }
  return worst;
}
using L = long double;

TEST(PortableMath, ErrorsInUlp) {
  EXPECT_LT(largest_ulp(
                portable::exp, [](L x) { return std::exp(x); }, -700, 700),
            1);
  EXPECT_LT(largest_ulp(
                portable::expm1, [](L x) { return std::expm1(x); }, -2, 5),
            4);
  EXPECT_LT(largest_ulp(
                portable::log, [](L x) { return std::log(x); }, 1e-6, 50),
            1);
  EXPECT_LT(largest_ulp(
                portable::log1p, [](L x) { return std::log1p(x); }, -0.9, 30),
            3);
  EXPECT_LT(largest_ulp(
                portable::sin, [](L x) { return std::sin(x); }, 0.1, 3),
            1.5);
  EXPECT_LT(largest_ulp(
                portable::cos, [](L x) { return std::cos(x); }, -1.5, 1.5),
            1.5);
  EXPECT_LT(largest_ulp(
                portable::tanh, [](L x) { return std::tanh(x); }, -20, 20),
            3);
  EXPECT_LT(largest_ulp(
                portable::erf, [](L x) { return std::erf(x); }, -6.5, 6.5),
            12);
  EXPECT_LT(largest_ulp(
                portable::sigmoid, [](L x) { return 1 / (1 + std::exp(-x)); }, -50, 50),
            3);
}

TEST(PortableMath, LargeAnglesAndEnds) {
  EXPECT_NEAR(portable::cos(99999.5), std::cos(99999.5), 1e-15);
  EXPECT_NEAR(portable::sin(-54321.25), std::sin(-54321.25), 1e-15);
  EXPECT_EQ(portable::exp(-800), 0);
  EXPECT_TRUE(std::isinf(portable::exp(800)));
  EXPECT_TRUE(std::isinf(portable::log(0)));
  EXPECT_TRUE(std::isnan(portable::log(-1)));
  EXPECT_NEAR(portable::pow(0.999, 4800), std::pow(0.999, 4800), 1e-15);
}

}  // namespace
}  // namespace bioptic
