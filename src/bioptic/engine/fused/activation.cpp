#include "bioptic/engine/fused/activation.h"

#include <cmath>
#include <cstddef>

#include "bioptic/base/portable_math.h"

namespace bioptic {
namespace {

constexpr float kLeakySlope = 0.01F;
constexpr double kInverseSqrt2 = 0.70710678118654752440;
constexpr double kInverseSqrt2Pi = 0.39894228040143267794;

// x Phi(x) with the exact normal distribution function, as torch.nn.GELU().
double normal_cdf(double x) { return 0.5 * (1 + portable::erf(x * kInverseSqrt2)); }

}  // namespace

void activate(Activation kind, std::span<const float> z, std::span<float> a) {
  switch (kind) {
    case Activation::relu:
      for (std::size_t i = 0; i < z.size(); ++i) a[i] = z[i] < 0 ? 0 : z[i];  // NaN stays NaN
      break;
    case Activation::leaky_relu:
      for (std::size_t i = 0; i < z.size(); ++i) a[i] = z[i] > 0 ? z[i] : kLeakySlope * z[i];
      break;
    case Activation::tanh:
      for (std::size_t i = 0; i < z.size(); ++i) {
        a[i] = static_cast<float>(portable::tanh(static_cast<double>(z[i])));
      }
      break;
    case Activation::gelu:
      for (std::size_t i = 0; i < z.size(); ++i) {
        const auto x = static_cast<double>(z[i]);
        a[i] = static_cast<float>(x * normal_cdf(x));
      }
      break;
  }
}

void multiply_by_derivative(Activation kind, std::span<const float> z, std::span<const float> a,
                            std::span<float> delta) {
  switch (kind) {
    case Activation::relu:
      for (std::size_t i = 0; i < z.size(); ++i) delta[i] = z[i] > 0 ? delta[i] : 0;
      break;
    case Activation::leaky_relu:
      for (std::size_t i = 0; i < z.size(); ++i) {
        delta[i] = z[i] > 0 ? delta[i] : kLeakySlope * delta[i];
      }
      break;
    case Activation::tanh:
      for (std::size_t i = 0; i < z.size(); ++i) delta[i] *= std::fma(-a[i], a[i], 1.0F);
      break;
    case Activation::gelu:
      for (std::size_t i = 0; i < z.size(); ++i) {
        const auto x = static_cast<double>(z[i]);
        const double density = kInverseSqrt2Pi * portable::exp(-0.5 * x * x);
        delta[i] *= static_cast<float>(normal_cdf(x) + x * density);
      }
      break;
  }
}

}  // namespace bioptic
