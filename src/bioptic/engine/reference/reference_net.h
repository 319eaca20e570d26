// The training step, written to be read: an MLP, its backward pass and the optimizers, with nothing
// but loops.  T is float (the "reference" engine) or double (what is compared with PyTorch in
// float64).
//
// Shapes: B images in a batch, I inputs and O outputs of a layer.  Weights are (O, I) as in
// PyTorch.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
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

  // d(batch loss)/d(every weight), into .gradient.  After forward() on the same step.
  void backward(const Step& step) {
    const std::size_t batch = step.rows.size();
    Layer& last = layers_.back();
    last.delta.resize(batch * last.out);
    for (std::size_t b = 0; b < batch; ++b) {
      const std::span<const T> z = std::span<const T>(last.z).subspan(b * last.out, last.out);
      const std::span<T> g = std::span<T>(last.delta).subspan(b * last.out, last.out);
      sample_loss<T>(config_.loss, z, step.labels[b], g);
      for (T& value : g) value *= static_cast<T>(step.coefficients[b]);
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
        if (!step.masks.empty()) below.delta[k] *= static_cast<T>(step.masks[l - 1][k]);
        below.delta[k] *= activation_slope(below.z[k]);
      }
    }
  }

  // One step of torch.optim.SGD, Adam or AdamW on every tensor.
  void update(double lr, double momentum) {
    ++t_;
    for (Layer& layer : layers_) {
      for (Tensor* tensor : {&layer.weight, &layer.bias}) {
        for (std::size_t k = 0; k < tensor->value.size(); ++k) {
          if (config_.optimizer.kind == OptimizerKind::sgd) {
            sgd(*tensor, k, lr, momentum);
          } else {
            adam(*tensor, k, lr, momentum);
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

  // z = x W^T + b
  static void linear(const std::vector<T>& x, std::size_t batch, Layer& layer) {
    layer.z.resize(batch * layer.out);
    for (std::size_t b = 0; b < batch; ++b) {
      for (std::size_t o = 0; o < layer.out; ++o) {
        T sum = 0;
        for (std::size_t i = 0; i < layer.in; ++i) {
          sum += x[b * layer.in + i] * layer.weight.value[o * layer.in + i];
        }
        layer.z[b * layer.out + o] = sum + layer.bias.value[o];
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

  // torch.optim.SGD
  void sgd(Tensor& t, std::size_t k, double lr, double momentum) const {
    const OptimizerSpec& o = config_.optimizer;
    T g = t.gradient[k] + static_cast<T>(o.weight_decay) * t.value[k];
    if (momentum != 0) {
      t.m[k] = flush_tiny(
          t_ == 1 ? g : static_cast<T>(momentum) * t.m[k] + static_cast<T>(1 - o.dampening) * g);
      g = o.nesterov ? g + static_cast<T>(momentum) * t.m[k] : t.m[k];
    }
    t.value[k] -= static_cast<T>(lr) * g;
  }

  // torch.optim.Adam (weight decay goes into the gradient) and AdamW (it shrinks the weight)
  void adam(Tensor& t, std::size_t k, double lr, double beta1) const {
    const OptimizerSpec& o = config_.optimizer;
    const auto n = static_cast<double>(t_);
    T g = t.gradient[k];
    if (o.kind == OptimizerKind::adamw) {
      t.value[k] *= static_cast<T>(1 - lr * o.weight_decay);
    } else {
      g += static_cast<T>(o.weight_decay) * t.value[k];
    }
    t.m[k] = flush_tiny(t.m[k] + static_cast<T>(1 - beta1) * (g - t.m[k]));
    t.v[k] = flush_tiny(static_cast<T>(o.beta2) * t.v[k] + static_cast<T>(1 - o.beta2) * g * g);
    const auto correction1 = static_cast<T>(1 - portable::pow(beta1, n));
    const auto correction2 = static_cast<T>(std::sqrt(1 - portable::pow(o.beta2, n)));
    const T size = std::sqrt(t.v[k]) / correction2 + static_cast<T>(o.eps);
    t.value[k] -= static_cast<T>(lr) / correction1 * t.m[k] / size;
  }

  EngineConfig config_;
  std::vector<Layer> layers_;
  std::vector<T> x_;    // (B, I) of the first layer
  std::int64_t t_ = 0;  // optimizer steps so far
};

}  // namespace bioptic
