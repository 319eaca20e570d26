#include "rounding_bound.h"

#include <algorithm>

namespace bioptic {
namespace {

// The fused engine adds at most 32 partial sums at the end and both engines a bias: a few roundings
// more than the sum itself has.
constexpr std::size_t kExtra = 40;

// The largest slope of an activation, and of its derivative (gelu'' = (2 - x^2) phi(x)).
double largest_slope(Activation kind) { return kind == Activation::gelu ? 1.13 : 1; }
double largest_curvature(Activation kind) {
  switch (kind) {
    case Activation::tanh:
      return 0.77;
    case Activation::gelu:
      return 0.80;
    default:
      return 0;
  }
}

// Error of the activation's slope at a pre-activation z known to within z_error.
double slope_error(Activation kind, double z, double z_error) {
  if (kind == Activation::relu || kind == Activation::leaky_relu) {
    return std::abs(z) <= z_error ? 1 : kUnit;  // which side of the kink is not known
  }
  return largest_curvature(kind) * z_error + 4 * kUnit;
}

// The largest weight that a sample's loss has.
double largest_weight(const LossSpec& loss) {
  double weight = 1;
  for (const double w : loss.class_weight) weight = std::max(weight, w);
  return weight * std::max(1.0, loss.pos_weight.value_or(1));
}

}  // namespace

std::vector<LayerBound> rounding_bounds(const ReferenceNet<double>& net, const EngineConfig& config,
                                        std::span<const float> coefficients,
                                        const std::vector<std::vector<float>>& masks) {
  const auto& layers = net.layers();
  const std::size_t batch = coefficients.size();
  const Activation activation = config.model.activation;
  std::vector<LayerBound> bounds(layers.size());

  // A pixel becomes an input with one rounding.
  std::vector<double> x_error;
  for (const double x : net.inputs()) x_error.push_back(kUnit * std::abs(x));
  const auto input = [&](std::size_t l) {
    return l == 0 ? net.inputs() : std::span<const double>(layers[l - 1].a);
  };
  const auto input_error = [&](std::size_t l) -> const std::vector<double>& {
    return l == 0 ? x_error : bounds[l - 1].a;
  };

  for (std::size_t l = 0; l < layers.size(); ++l) {
    const auto& layer = layers[l];
    LayerBound& bound = bounds[l];
    const auto x = input(l);
    const auto& ex = input_error(l);
    for (std::size_t b = 0; b < batch; ++b) {
      for (std::size_t o = 0; o < layer.out; ++o) {
        double size = std::abs(layer.bias.value[o]), carried = 0;
        for (std::size_t i = 0; i < layer.in; ++i) {
          const double w = std::abs(layer.weight.value[o * layer.in + i]);
          const double e = ex[b * layer.in + i];
          size += (std::abs(x[b * layer.in + i]) + e) * w;
          carried += e * w;
        }
        bound.z.push_back(gamma_of(layer.in + kExtra) * size + carried);
      }
    }
    if (l + 1 == layers.size()) break;
    for (std::size_t k = 0; k < bound.z.size(); ++k) {
      const double mask = masks.empty() ? 1 : static_cast<double>(masks[l][k]);
      bound.a.push_back(mask * largest_slope(activation) * bound.z[k] +
                        4 * kUnit * std::abs(layer.a[k]));
    }
  }

  // d(loss)/d(logit): the softmax's (sigmoid's) derivative moves it by at most half (a quarter) of
  // the logits' largest error times the weight; then a few roundings of numbers of the weight's
  // size.
  const std::size_t last = layers.size() - 1;
  const double weight = largest_weight(config.loss);
  for (std::size_t b = 0; b < batch; ++b) {
    const std::size_t outputs = layers[last].out;
    const auto first = bounds[last].z.begin() + static_cast<std::ptrdiff_t>(b * outputs);
    const double largest = *std::max_element(first, first + static_cast<std::ptrdiff_t>(outputs));
    const double steepest = outputs == 1 ? 0.25 : 0.5;
    for (std::size_t o = 0; o < outputs; ++o) {
      bounds[last].delta.push_back(static_cast<double>(coefficients[b]) * weight *
                                   (steepest * largest + 10 * kUnit));
    }
  }
  for (std::size_t l = last;; --l) {
    const auto& layer = layers[l];
    LayerBound& bound = bounds[l];
    const auto x = input(l);
    const auto& ex = input_error(l);
    bound.bias_gradient.assign(layer.out, 0);
    bound.weight_gradient.assign(layer.out * layer.in, 0);
    for (std::size_t o = 0; o < layer.out; ++o) {
      for (std::size_t b = 0; b < batch; ++b) {
        const double d = std::abs(layer.delta[b * layer.out + o]);
        const double ed = bound.delta[b * layer.out + o];
        const double rounding = gamma_of(batch + 2) * (d + ed);
        bound.bias_gradient[o] += rounding + ed;
        for (std::size_t i = 0; i < layer.in; ++i) {
          const double size = std::abs(x[b * layer.in + i]), e = ex[b * layer.in + i];
          bound.weight_gradient[o * layer.in + i] +=
              rounding * (size + e) + ed * (size + e) + d * e;
        }
      }
    }
    if (l == 0) return bounds;
    const auto& below = layers[l - 1];
    for (std::size_t b = 0; b < batch; ++b) {
      for (std::size_t i = 0; i < layer.in; ++i) {
        double sum = 0, size = 0, carried = 0;
        for (std::size_t o = 0; o < layer.out; ++o) {
          const double w = layer.weight.value[o * layer.in + i];
          const double d = layer.delta[b * layer.out + o], ed = bound.delta[b * layer.out + o];
          sum += d * w;
          size += (std::abs(d) + ed) * std::abs(w);
          carried += ed * std::abs(w);
        }
        const std::size_t k = b * layer.in + i;
        const double mask = masks.empty() ? 1 : static_cast<double>(masks[l - 1][k]);
        const double sum_error = gamma_of(layer.out + 2) * size + carried;
        const double es = slope_error(activation, below.z[k], bounds[l - 1].z[k]);
        const double slope = largest_slope(activation);
        bounds[l - 1].delta.push_back(mask * (sum_error * (slope + es) + std::abs(sum) * es) +
                                      4 * kUnit * std::abs(below.delta[k]));
      }
    }
  }
}

void bounded_update(const OptimizerSpec& o, std::int64_t t, double lr, double momentum, double g,
                    double g_error, BoundedState& s) {
  constexpr double kFlush = 0x1p-120;
  const double before = s.w;
  const auto step = static_cast<double>(t);
  if (o.kind == OptimizerKind::adamw) {
    s.w *= 1 - lr * o.weight_decay;
  } else {
    g_error += 3 * kUnit * (std::abs(g) + o.weight_decay * std::abs(s.w));
    g += o.weight_decay * s.w;
  }
  double move = lr * g, move_error = lr * g_error;
  if (o.kind != OptimizerKind::sgd) {
    s.m_error = momentum * s.m_error + (1 - momentum) * g_error +
                4 * kUnit * (std::abs(s.m) + std::abs(g)) + kFlush;
    s.m += (1 - momentum) * (g - s.m);
    s.v_error =
        o.beta2 * s.v_error + (1 - o.beta2) * (2 * std::abs(g) + g_error) * g_error + kFlush;
    s.v = o.beta2 * s.v + (1 - o.beta2) * g * g;
    s.v_error += 5 * kUnit * (s.v + s.v_error);
    // move = size m / (sqrt(v) root + eps)
    const double size = lr / (1 - std::pow(momentum, step));
    const double root = 1 / std::sqrt(1 - std::pow(o.beta2, step));
    const double v_low = std::max(s.v - s.v_error, 0.0);
    const double root_error =
        std::max(std::sqrt(s.v + s.v_error) - std::sqrt(s.v), std::sqrt(s.v) - std::sqrt(v_low));
    const double below = std::sqrt(s.v) * root + o.eps;
    const double below_error = root * root_error + 5 * kUnit * below;
    const double below_low = (std::sqrt(v_low) * root + o.eps) * (1 - 5 * kUnit);
    move = size * s.m / below;
    move_error = size * s.m_error / below_low + std::abs(move) * below_error / below_low;
  } else if (momentum != 0) {
    if (t == 1) {
      s.m = g;
      s.m_error = g_error;
    } else {
      const double damp = 1 - o.dampening;
      s.m_error = momentum * s.m_error + damp * g_error +
                  4 * kUnit * (momentum * std::abs(s.m) + damp * std::abs(g)) + kFlush;
      s.m = momentum * s.m + damp * g;
    }
    move = lr * (o.nesterov ? g + momentum * s.m : s.m);
    move_error = lr * (o.nesterov ? g_error + momentum * s.m_error +
                                        3 * kUnit * (std::abs(g) + momentum * std::abs(s.m))
                                  : s.m_error);
  }
  s.w -= move;
  s.w_error += move_error + 5 * kUnit * std::abs(move) +
               3 * kUnit * std::max(std::abs(before), std::abs(s.w));
  if (lr == 0) s.w_error = 0;  // exactly the weight that it was
}

}  // namespace bioptic
