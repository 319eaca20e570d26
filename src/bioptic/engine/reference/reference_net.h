// The training step, written to be read: an MLP, its backward pass and the optimizers, with nothing
// but loops.  T is float (the "reference" engine) or double (what is compared with PyTorch in
// float64).
//
// Shapes: B images in a batch, I inputs and O outputs of a layer.  Weights are (O, I) as in
// PyTorch.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "bioptic/base/portable_math.h"
#include "bioptic/engine/engine.h"
#include "bioptic/engine/flush.h"
#include "bioptic/model/loss.h"

namespace bioptic {

template <typename T>
class ReferenceNet {
 public:
  // One nn.Linear with its gradient and the optimizer's moments.
  struct Tensor {
    std::vector<T> value, gradient, m, v;
  };
  struct Layer {
    std::size_t in = 0, out = 0;
    Tensor weight;               // (O, I)
    Tensor bias;                 // (O)
    std::vector<T> z, a, delta;  // (B, O): pre-activation, what goes up, d(loss)/dz
  };

  ReferenceNet(const EngineConfig& config, const Parameters& start) : config_(config) {
    for (std::size_t l = 0; l < start.layers.size(); ++l) {
      Layer layer;
      layer.in = start.shapes[l].in;
      layer.out = start.shapes[l].out;
      layer.weight = tensor(start.layers[l].weight);
      layer.bias = tensor(start.layers[l].bias);
      layers_.push_back(std::move(layer));
    }
  }

  std::vector<Layer>& layers() { return layers_; }
  const std::vector<Layer>& layers() const { return layers_; }
  // The inputs of the last forward, (B, I).
  std::span<const T> inputs() const { return x_; }
  // The logits of the last forward, (B, O).
  std::span<const T> logits() const { return layers_.back().z; }

  // masks: see Step; null = no dropout.
  void forward(std::span<const Row> rows, const std::vector<std::vector<float>>* masks) {
    read_inputs(rows);
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      Layer& layer = layers_[l];
      const std::vector<T>& x = l == 0 ? x_ : layers_[l - 1].a;
      linear(x, rows.size(), layer);
      if (l + 1 == layers_.size()) break;
      layer.a.resize(layer.z.size());
      for (std::size_t k = 0; k < layer.z.size(); ++k) {
        layer.a[k] = activation(layer.z[k]);
        if (masks != nullptr && !masks->empty()) layer.a[k] *= static_cast<T>((*masks)[l][k]);
      }
    }
  }

  // d(batch loss)/d(every weight), into .gradient.  After forward() on the same batch.
  // labels (B); coefficients (B): d(batch loss)/d(sample_loss); masks: as in forward, may be empty.
  void backward(std::span<const std::int64_t> labels, std::span<const T> coefficients,
                const std::vector<std::vector<float>>& masks) {
    const std::size_t batch = labels.size();
    Layer& last = layers_.back();
    last.delta.resize(batch * last.out);
    for (std::size_t b = 0; b < batch; ++b) {
      const std::span<const T> z = std::span<const T>(last.z).subspan(b * last.out, last.out);
      const std::span<T> g = std::span<T>(last.delta).subspan(b * last.out, last.out);
      sample_loss<T>(config_.loss, z, labels[b], g);
      for (T& value : g) value *= coefficients[b];
    }
    for (std::size_t l = layers_.size(); l-- > 0;) {
      Layer& layer = layers_[l];
      weight_gradient(l == 0 ? x_ : layers_[l - 1].a, batch, layer);
      if (l == 0) break;
      Layer& below = layers_[l - 1];
      below.delta.assign(batch * below.out, 0);
      for (std::size_t b = 0; b < batch; ++b) {
        for (std::size_t o = 0; o < layer.out; ++o) {
          const T d = layer.delta[b * layer.out + o];
          for (std::size_t i = 0; i < layer.in; ++i) {
            below.delta[b * below.out + i] += d * layer.weight.value[o * layer.in + i];
          }
        }
      }
      for (std::size_t k = 0; k < below.delta.size(); ++k) {
        if (!masks.empty()) below.delta[k] *= static_cast<T>(masks[l - 1][k]);
        below.delta[k] *= activation_slope(below.z[k]);
      }
    }
  }

  // One step of torch.optim.SGD, Adam or AdamW on every tensor.  momentum: of this step (sgd), or
  // beta1 (adam, adamw).
  void update(double lr, double momentum) {
    ++t_;
    const StepFactors f = step_factors(lr, momentum);
    for (Layer& layer : layers_) {
      for (Tensor* tensor : {&layer.weight, &layer.bias}) {
        for (std::size_t k = 0; k < tensor->value.size(); ++k) {
          if (config_.optimizer.kind == OptimizerKind::sgd) {
            sgd(f, *tensor, k);
          } else {
            adam(f, *tensor, k);
          }
        }
      }
    }
  }

 private:
  static Tensor tensor(const std::vector<float>& start) {
    Tensor t;
    t.value.assign(start.begin(), start.end());
    t.gradient.assign(start.size(), 0);
    t.m.assign(start.size(), 0);
    t.v.assign(start.size(), 0);
    return t;
  }

  // Pixels to inputs: x_ (B, I).
  void read_inputs(std::span<const Row> rows) {
    const std::size_t plane = config_.pixels_per_channel, inputs = plane * config_.channels;
    x_.resize(rows.size() * inputs);
    for (std::size_t b = 0; b < rows.size(); ++b) {
      for (std::size_t i = 0; i < inputs; ++i) {
        const PixelMap& map = rows[b].maps[i / plane];
        const std::uint8_t stored = rows[b].pixels[i];
        const auto p = static_cast<T>(map.table != nullptr ? map.table[stored] : stored);
        x_[b * inputs + i] = std::fma(static_cast<T>(map.scale), p, static_cast<T>(map.offset));
      }
    }
  }

  // sum_i x[i] w[i] in eight interleaved sums: one long chain of additions would wait for itself.
  static T dot(const T* x, const T* w, std::size_t n) {
    std::array<T, 8> part{};
    std::size_t i = 0;
    for (; i + 8 <= n; i += 8) {
      for (std::size_t j = 0; j < 8; ++j) part[j] += x[i + j] * w[i + j];
    }
    T sum = 0;
    for (; i < n; ++i) sum += x[i] * w[i];
    for (const T p : part) sum += p;
    return sum;
  }

  // z = x W^T + b
  static void linear(const std::vector<T>& x, std::size_t batch, Layer& layer) {
    layer.z.resize(batch * layer.out);
    for (std::size_t b = 0; b < batch; ++b) {
      for (std::size_t o = 0; o < layer.out; ++o) {
        layer.z[b * layer.out + o] =
            dot(&x[b * layer.in], &layer.weight.value[o * layer.in], layer.in) +
            layer.bias.value[o];
      }
    }
  }

  // dL/dW[o][i] = sum_b delta[b][o] x[b][i];  dL/db[o] = sum_b delta[b][o]
  static void weight_gradient(const std::vector<T>& x, std::size_t batch, Layer& layer) {
    std::fill(layer.weight.gradient.begin(), layer.weight.gradient.end(), T{0});
    std::fill(layer.bias.gradient.begin(), layer.bias.gradient.end(), T{0});
    for (std::size_t o = 0; o < layer.out; ++o) {
      for (std::size_t b = 0; b < batch; ++b) {
        const T d = layer.delta[b * layer.out + o];
        layer.bias.gradient[o] += d;
        for (std::size_t i = 0; i < layer.in; ++i) {
          layer.weight.gradient[o * layer.in + i] += d * x[b * layer.in + i];
        }
      }
    }
  }

  T activation(T z) const {
    const auto x = static_cast<double>(z);
    switch (config_.model.activation) {
      case Activation::relu:
        return z < 0 ? 0 : z;
      case Activation::leaky_relu:
        return z > 0 ? z : static_cast<T>(0.01) * z;
      case Activation::tanh:
        return static_cast<T>(portable::tanh(x));
      case Activation::gelu:
        return static_cast<T>(x * normal_cdf(x));
    }
    return z;
  }

  T activation_slope(T z) const {
    const auto x = static_cast<double>(z);
    switch (config_.model.activation) {
      case Activation::relu:
        return z > 0 ? 1 : 0;
      case Activation::leaky_relu:
        return z > 0 ? 1 : static_cast<T>(0.01);
      case Activation::tanh: {
        const double a = portable::tanh(x);
        return static_cast<T>(1 - a * a);
      }
      case Activation::gelu: {
        const double density = portable::exp(-0.5 * x * x) / std::sqrt(2 * portable::kPi);
        return static_cast<T>(normal_cdf(x) + x * density);
      }
    }
    return 1;
  }

  static double normal_cdf(double x) { return 0.5 * (1 + portable::erf(x / std::sqrt(2.0))); }

  // What one optimizer step multiplies by, computed in double and rounded to T once, as PyTorch
  // does with its Python numbers.
  struct StepFactors {
    T lr = 0, momentum = 0, undamped = 1, decay = 0;  // sgd; decay: also adam
    T shrink = 1;                                     // adamw
    T rest1 = 0, beta2 = 0, rest2 = 0;                // 1 - beta1, beta2, 1 - beta2
    T step_size = 0, root_correction = 1, eps = 0;    // adam: lr / (1 - beta1^t), sqrt(1 - beta2^t)
  };

  StepFactors step_factors(double lr, double momentum) const {
    const OptimizerSpec& o = config_.optimizer;
    const auto t = static_cast<double>(t_);
    StepFactors f;
    f.lr = static_cast<T>(lr);
    f.momentum = static_cast<T>(momentum);
    f.undamped = static_cast<T>(1 - o.dampening);
    f.decay = static_cast<T>(o.weight_decay);
    if (o.kind == OptimizerKind::sgd) return f;
    f.shrink = static_cast<T>(1 - lr * o.weight_decay);
    f.rest1 = static_cast<T>(1 - momentum);
    f.beta2 = static_cast<T>(o.beta2);
    f.rest2 = static_cast<T>(1 - o.beta2);
    f.step_size = static_cast<T>(lr / (1 - portable::pow(momentum, t)));
    f.root_correction = static_cast<T>(std::sqrt(1 - portable::pow(o.beta2, t)));
    f.eps = static_cast<T>(o.eps);
    return f;
  }

  // torch.optim.SGD.  The first step starts the moment at the gradient, undamped.
  void sgd(const StepFactors& f, Tensor& t, std::size_t k) const {
    T g = t.gradient[k] + f.decay * t.value[k];
    if (f.momentum != 0) {
      t.m[k] = flush_tiny(t_ == 1 ? g : f.momentum * t.m[k] + f.undamped * g);
      g = config_.optimizer.nesterov ? g + f.momentum * t.m[k] : t.m[k];
    }
    t.value[k] -= f.lr * g;
  }

  // torch.optim.Adam (weight decay goes into the gradient) and AdamW (it shrinks the weight).
  void adam(const StepFactors& f, Tensor& t, std::size_t k) const {
    T g = t.gradient[k];
    if (config_.optimizer.kind == OptimizerKind::adamw) {
      t.value[k] *= f.shrink;
    } else {
      g += f.decay * t.value[k];
    }
    t.m[k] = flush_tiny(t.m[k] + f.rest1 * (g - t.m[k]));
    t.v[k] = flush_tiny(f.beta2 * t.v[k] + f.rest2 * g * g);
    t.value[k] -= f.step_size * t.m[k] / (std::sqrt(t.v[k]) / f.root_correction + f.eps);
  }

  EngineConfig config_;
  std::vector<Layer> layers_;
  std::vector<T> x_;    // (B, I): inputs of the first layer
  std::int64_t t_ = 0;  // optimizer steps so far
};

}  // namespace bioptic
