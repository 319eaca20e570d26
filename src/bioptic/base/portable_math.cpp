#include "bioptic/base/portable_math.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

namespace bioptic::portable {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kLog2E = 1.442695040888963407359924681001892137;
// ln 2 in two parts: the first has 32 significant bits, so that k * kLn2High is exact for |k| <
// 2^20.
constexpr double kLn2High = 6.93147180369123816490e-01;
constexpr double kLn2Low = 1.90821492927058770002e-10;

// 1/0!, 1/1!, ..., 1/N!
template <std::size_t N>
constexpr std::array<double, N + 1> inverse_factorials() {
  std::array<double, N + 1> table{};
  double factorial = 1;  // exact up to 22!
  for (std::size_t n = 0; n <= N; ++n) {
    if (n > 0) factorial *= static_cast<double>(n);
    table[n] = 1 / factorial;
  }
  return table;
}
constexpr auto kInverseFactorial = inverse_factorials<20>();

// (e^r - 1 - r) / r^2 for |r| <= 0.35.  The first term left out is r^14 / 14! < 5e-18 of the sum.
double exp_tail(double r) {
  double sum = kInverseFactorial[15];
  for (std::size_t n = 14; n >= 2; --n) sum = sum * r + kInverseFactorial[n];
  return sum;
}

// log((1 + s) / (1 - s)) - 2 s for |s| <= 0.1716 (= (sqrt 2 - 1) / (sqrt 2 + 1)).
// The series 2 (s^3/3 + s^5/5 + ...) ends at s^23; the rest is below 1e-20.
double atanh_tail(double s) {
  const double z = s * s;
  double sum = 0;
  for (int n = 23; n >= 3; n -= 2) sum = sum * z + 2.0 / n;
  return sum * z * s;
}

// sin r and cos r for |r| <= pi/4 by Taylor; the first terms left out are below 1e-19.
double sin_near_zero(double r) {
  const double z = r * r;
  double sum = 0;
  for (std::size_t n = 19; n >= 3; n -= 2) {
    sum = sum * z + ((n / 2) % 2 == 1 ? -kInverseFactorial[n] : kInverseFactorial[n]);
  }
  return r + r * z * sum;
}
double cos_near_zero(double r) {
  const double z = r * r;
  double sum = 0;
  for (std::size_t n = 20; n >= 4; n -= 2) {
    sum = sum * z + ((n / 2) % 2 == 1 ? -kInverseFactorial[n] : kInverseFactorial[n]);
  }
  const double half = 0.5 * z;
  const double w = 1 - half;
  return w + (((1 - w) - half) + z * z * sum);
}

struct Reduced {
  double r;
  int quadrant;
};
// x = quadrant pi/2 + r.  pi/2 in three parts of 33 bits: quadrant * part is exact for |x| < 1e5.
Reduced reduce(double x) {
  constexpr double kA = 1.57079632673412561417e+00;
  constexpr double kB = 6.07710050630396597660e-11;
  constexpr double kC = 2.02226624879595063154e-21;
  const double k = std::floor(x * (2 / kPi) + 0.5);
  const double r = ((x - k * kA) - k * kB) - k * kC;
  const double quadrant = k - 4 * std::floor(k / 4);
  return {r, static_cast<int>(quadrant)};
}

}  // namespace

double exp(double x) {
  if (x != x) return x;
  if (x > 709.79) return kInfinity;
  if (x < -745.2) return 0;
  const double k = std::floor(x * kLog2E + 0.5);
  const double high = x - k * kLn2High;
  const double low = k * kLn2Low;
  const double r = high - low;
  const double y = 1 + (r * r * exp_tail(r) + ((high - r) - low) + r);
  return std::ldexp(y, static_cast<int>(k));
}

double expm1(double x) {
  if (x > -0.35 && x < 0.35) return x + x * x * exp_tail(x);
  return exp(x) - 1;
}

double log(double x) {
  if (x != x || x < 0) return kNan;
  if (x == 0) return -kInfinity;
  if (x == kInfinity) return x;
  int exponent = 0;
  double m = std::frexp(x, &exponent);  // [0.5, 1)
  if (m < 0.70710678118654752) {
    m *= 2;
    --exponent;
  }
  const double f = m - 1;  // exact
  const double s = f / (2 + f);
  // log(1 + f) = f - s f + tail: keeps the leading term exact
  const double e = exponent;
  return e * kLn2High + (f - (s * f - atanh_tail(s) - e * kLn2Low));
}

double log1p(double x) {
  if (x > -0.29 && x < 0.41) {
    const double s = x / (2 + x);
    return x - (s * x - atanh_tail(s));
  }
  return log(1 + x);
}

double pow(double x, double y) {
  if (y == 0 || x == 1) return 1;
  if (x == 0) return y > 0 ? 0 : kInfinity;
  return exp(y * log(x));
}

double sin(double x) {
  const Reduced a = reduce(x);
  switch (a.quadrant) {
    case 0:
      return sin_near_zero(a.r);
    case 1:
      return cos_near_zero(a.r);
    case 2:
      return -sin_near_zero(a.r);
    default:
      return -cos_near_zero(a.r);
  }
}

double cos(double x) {
  const Reduced a = reduce(x);
  switch (a.quadrant) {
    case 0:
      return cos_near_zero(a.r);
    case 1:
      return -sin_near_zero(a.r);
    case 2:
      return -cos_near_zero(a.r);
    default:
      return sin_near_zero(a.r);
  }
}

double tanh(double x) {
  if (x != x) return x;
  const double a = x < 0 ? -x : x;
  double t = 1;
  if (a < 22) {
    const double e = expm1(2 * a);
    t = e / (e + 2);
  }
  return x < 0 ? -t : t;
}

double erf(double x) {
  if (x != x) return x;
  const double a = x < 0 ? -x : x;
  if (a >= 6) return x < 0 ? -1 : 1;
  const double z = a * a;
  double value = 0;
  if (a < 2.5) {
    // erf a = 2/sqrt(pi) e^(-a^2) sum of 2^n a^(2n+1) / (1 3 5 ... (2n+1)): every term positive
    double term = a, sum = a;
    for (int n = 1; n < 100 && term > sum * 1e-17; ++n) {
      term *= 2 * z / (2 * n + 1);
      sum += term;
    }
    value = 2 / std::sqrt(kPi) * exp(-z) * sum;
  } else {
    // erfc a = e^(-a^2) / sqrt(pi) / (a + (1/2)/(a + (2/2)/(a + (3/2)/(a + ...))))
    double tail = a;
    for (int n = 60; n >= 1; --n) tail = a + 0.5 * n / tail;
    value = 1 - exp(-z) / (std::sqrt(kPi) * tail);
  }
  return x < 0 ? -value : value;
}

double sigmoid(double x) {
  if (x >= 0) return 1 / (1 + exp(-x));
  const double e = exp(x);
  return e / (1 + e);
}

}  // namespace bioptic::portable
