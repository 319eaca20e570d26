#include "bioptic/engine/fused/fused_engine.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "bioptic/base/aligned.h"
#include "bioptic/base/flush_to_zero.h"
#include "bioptic/base/parallel.h"
#include "bioptic/engine/fused/activation.h"
#include "bioptic/engine/fused/optimizer_step.h"
#include "bioptic/kernel/pass.h"
#include "bioptic/model/loss.h"

namespace bioptic {
namespace {

using kernel::padded;

// Rows of one block of an evaluation: enough that reading the weights once per block costs little.
constexpr std::size_t kEvaluationBlock = 96;

// A layer after the first, and the bias of any layer.  Weights transposed and padded as the kernels
// want them: w (in, width), bias (width), width = padded(out).
struct Layer {
  std::size_t in = 0, out = 0, width = 0;
  AlignedBuffer<float> w, m, v;  // empty for the first layer, see kernel::FirstLayer
  AlignedBuffer<float> bias, bias_m, bias_v;
  AlignedBuffer<float> transposed;  // (out, padded(in)): w as the backward pass wants it
  // (rows, width): pre-activation z, activation a = f(z), a with dropout, error signal d(loss)/dz
  AlignedBuffer<float> z, a, masked, delta;
};

class FusedEngine : public Engine {
 public:
  explicit FusedEngine(const EngineConfig& config);

  std::string_view name() const override { return "fused"; }
  int numerics_version() const override { return kFusedNumericsVersion; }
  void set_parameters(const Parameters& parameters) override;
  Parameters parameters() const override;
  void run(StepSource& source) override;
  void evaluate(std::span<const Row> rows, std::span<float> logits) override;

 private:
  std::size_t outputs() const { return layers_.back().out; }
  void forward_after_first(std::size_t rows, const Step* step);
  void read_logits(std::size_t rows, std::span<float> logits) const;
  // What a layer hands up in training: its activation, masked where there is dropout.
  AlignedBuffer<float>& fed(Layer& layer) const {
    return config_.model.dropout > 0 ? layer.masked : layer.a;
  }
  void backward(const Step& step);
  void update_small_layers(const Step& step, const kernel::OptimizerStep& optimizer);

  EngineConfig config_;
  const kernel::Kernels& kernels_;
  std::unique_ptr<ThreadPool> own_pool_;  // null where the configuration brings one
  ThreadPool& pool_;
  kernel::FirstLayer first_;
  std::vector<Layer> layers_;  // all of them; layers_[0] has only the bias side of the first
  kernel::FirstLayerPass pass_;
  AlignedBuffer<float> ones_;  // (rows): the input that a bias multiplies
  std::int64_t t_ = 0;         // optimizer steps so far
};

std::vector<LayerShape> shapes_of(const EngineConfig& config) {
  return layer_shapes(config.channels * config.pixels_per_channel, config.model,
                      output_count(config.loss.kind, config.classes));
}

std::size_t row_capacity(const EngineConfig& config) {
  return std::max(config.max_batch, kEvaluationBlock);
}

FusedEngine::FusedEngine(const EngineConfig& config)
    : config_(config),
      kernels_(kernel::choose_kernels(config.isa)),
      own_pool_(config.pool == nullptr ? std::make_unique<ThreadPool>(config.threads) : nullptr),
      pool_(config.pool == nullptr ? *own_pool_ : *config.pool),
      pass_(kernels_, pool_, config.channels, config.pixels_per_channel,
            padded(shapes_of(config).front().out), row_capacity(config)),
      ones_(row_capacity(config)) {
  const std::size_t rows = row_capacity(config);
  for (std::size_t i = 0; i < rows; ++i) ones_[i] = 1;
  const auto moment = [&](bool kept, std::size_t n) { return AlignedBuffer<float>(kept ? n : 0); };
  const bool m = keeps_first_moment(config.optimizer) || config.cycles_momentum;
  const bool v = keeps_second_moment(config.optimizer);
  for (const LayerShape& shape : shapes_of(config)) {
    Layer layer;
    layer.in = shape.in;
    layer.out = shape.out;
    layer.width = padded(shape.out);
    const std::size_t weights = shape.in * layer.width;
    if (layers_.empty()) {
      first_.inputs = shape.in;
      first_.width = layer.width;
      first_.w = AlignedBuffer<float>(weights);
      first_.m = moment(m, weights);
      first_.v = moment(v, weights);
    } else {
      layer.w = AlignedBuffer<float>(weights);
      layer.m = moment(m, weights);
      layer.v = moment(v, weights);
      layer.transposed = AlignedBuffer<float>(shape.out * padded(shape.in));
    }
    layer.bias = AlignedBuffer<float>(layer.width);
    layer.bias_m = moment(m, layer.width);
    layer.bias_v = moment(v, layer.width);
    layer.z = AlignedBuffer<float>(rows * layer.width);
    layer.a = AlignedBuffer<float>(rows * layer.width);
    if (config.model.dropout > 0) layer.masked = AlignedBuffer<float>(rows * layer.width);
    layer.delta = AlignedBuffer<float>(rows * layer.width);
    layers_.push_back(std::move(layer));
  }
}

// values (rows, layer.width) *= mask (rows, layer.out)
void apply_mask(std::span<const float> mask, const Layer& layer, std::size_t rows,
                AlignedBuffer<float>& values) {
  for (std::size_t b = 0; b < rows; ++b) {
    for (std::size_t j = 0; j < layer.out; ++j) {
      values[b * layer.width + j] *= mask[b * layer.out + j];
    }
  }
}

void fill_zero(AlignedBuffer<float>& buffer) {
  std::memset(buffer.data(), 0, buffer.size() * sizeof(float));
}

void FusedEngine::set_parameters(const Parameters& parameters) {
  t_ = 0;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    Layer& layer = layers_[l];
    const LayerParameters& source = parameters.layers[l];
    for (std::size_t j = 0; j < layer.out; ++j) {
      for (std::size_t i = 0; i < layer.in; ++i) {
        (l == 0 ? first_.w[first_.at(i, j)] : layer.w[i * layer.width + j]) =
            source.weight[j * layer.in + i];
      }
      layer.bias[j] = source.bias[j];
    }
    fill_zero(l == 0 ? first_.m : layer.m);
    fill_zero(l == 0 ? first_.v : layer.v);
    fill_zero(layer.bias_m);
    fill_zero(layer.bias_v);
  }
}

Parameters FusedEngine::parameters() const {
  Parameters parameters;
  parameters.shapes = shapes_of(config_);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    LayerParameters& target = parameters.layers.emplace_back();
    target.weight.resize(layer.out * layer.in);
    for (std::size_t j = 0; j < layer.out; ++j) {
      for (std::size_t i = 0; i < layer.in; ++i) {
        target.weight[j * layer.in + i] =
            l == 0 ? first_.w[first_.at(i, j)] : layer.w[i * layer.width + j];
      }
    }
    target.bias.assign(layer.bias.data(), layer.bias.data() + layer.out);
  }
  return parameters;
}

void FusedEngine::run(StepSource& source) {
  const FlushToZero flush;
  const Step* step = source.next();
  if (step == nullptr) return;
  pass_.run(first_, nullptr, step->rows, layers_[0].bias.data(), layers_[0].z.data());
  while (step != nullptr) {
    forward_after_first(step->rows.size(), step);
    read_logits(step->rows.size(), step->logits);
    backward(*step);

    const Step* next = source.next();
    const kernel::OptimizerStep optimizer =
        optimizer_step(config_.optimizer, ++t_, step->lr, step->momentum, first_.m.size() > 0);
    update_small_layers(*step, optimizer);
    const kernel::UpdateBatch update{step->rows, layers_[0].delta.data(), optimizer};
    pass_.run(first_, &update, next == nullptr ? std::span<const Row>{} : std::span(next->rows),
              layers_[0].bias.data(), layers_[0].z.data());
    source.done(*step);
    step = next;
  }
}

void FusedEngine::evaluate(std::span<const Row> rows, std::span<float> logits) {
  const FlushToZero flush;
  for (std::size_t begin = 0; begin < rows.size(); begin += kEvaluationBlock) {
    const auto block = rows.subspan(begin, std::min(kEvaluationBlock, rows.size() - begin));
    pass_.run(first_, nullptr, block, layers_[0].bias.data(), layers_[0].z.data());
    forward_after_first(block.size(), nullptr);
    read_logits(block.size(), logits.subspan(begin * outputs(), block.size() * outputs()));
  }
}

// From the first layer's pre-activations to the logits.  step: for the dropout masks; null = none.
void FusedEngine::forward_after_first(std::size_t rows, const Step* step) {
  for (std::size_t l = 0; l + 1 < layers_.size(); ++l) {
    Layer& layer = layers_[l];
    Layer& above = layers_[l + 1];
    const std::size_t n = rows * layer.width;
    activate(config_.model.activation, layer.z.span().first(n), layer.a.span().first(n));
    if (step != nullptr && !step->masks.empty()) {
      std::memcpy(layer.masked.data(), layer.a.data(), n * sizeof(float));
      apply_mask(step->masks[l], layer, rows, layer.masked);
    }
    const float* input = step == nullptr ? layer.a.data() : fed(layer).data();
    for (std::size_t b = 0; b < rows; ++b) {
      std::memcpy(&above.z[b * above.width], above.bias.data(), above.width * sizeof(float));
    }
    kernels_.multiply(input, layer.width, rows, above.w.data(), above.in, above.width,
                      above.z.data(), above.width, 0);
  }
}

void FusedEngine::read_logits(std::size_t rows, std::span<float> logits) const {
  const Layer& last = layers_.back();
  for (std::size_t b = 0; b < rows; ++b) {
    std::memcpy(&logits[b * last.out], &last.z[b * last.width], last.out * sizeof(float));
  }
}

// delta of every layer, with the weights as they were in the forward pass.
void FusedEngine::backward(const Step& step) {
  const std::size_t rows = step.rows.size();
  Layer& last = layers_.back();
  for (std::size_t b = 0; b < rows; ++b) {
    const std::span<const float> z = last.z.span().subspan(b * last.width, last.out);
    const std::span<float> gradient = last.delta.span().subspan(b * last.width, last.out);
    sample_loss<float>(config_.loss, z, step.labels[b], gradient);
    for (float& g : gradient) g *= step.coefficients[b];
  }
  for (std::size_t l = layers_.size() - 1; l > 0; --l) {
    Layer& layer = layers_[l];
    Layer& below = layers_[l - 1];
    for (std::size_t i = 0; i < layer.in; ++i) {
      for (std::size_t j = 0; j < layer.out; ++j) {
        layer.transposed[j * below.width + i] = layer.w[i * layer.width + j];
      }
    }
    const std::size_t n = rows * below.width;
    std::memset(below.delta.data(), 0, n * sizeof(float));
    kernels_.multiply(layer.delta.data(), layer.width, rows, layer.transposed.data(), layer.out,
                      below.width, below.delta.data(), below.width, 0);
    if (!step.masks.empty()) apply_mask(step.masks[l - 1], below, rows, below.delta);
    multiply_by_derivative(config_.model.activation, below.z.span().first(n),
                           below.a.span().first(n), below.delta.span().first(n));
  }
}

void FusedEngine::update_small_layers(const Step& step, const kernel::OptimizerStep& optimizer) {
  const auto data_or_null = [](AlignedBuffer<float>& buffer) {
    return buffer.size() == 0 ? nullptr : buffer.data();
  };
  const std::size_t rows = step.rows.size();
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    Layer& layer = layers_[l];
    kernels_.update(ones_.data(), 1, rows, layer.delta.data(), layer.width, 1, layer.width,
                    optimizer, layer.bias.data(), data_or_null(layer.bias_m),
                    data_or_null(layer.bias_v), 0);
    if (l == 0) continue;
    kernels_.update(fed(layers_[l - 1]).data(), layers_[l - 1].width, rows, layer.delta.data(),
                    layer.width, layer.in, layer.width, optimizer, layer.w.data(),
                    data_or_null(layer.m), data_or_null(layer.v), 0);
  }
}

}  // namespace

std::unique_ptr<Engine> make_fused_engine(const EngineConfig& config) {
  return std::make_unique<FusedEngine>(config);
}

}  // namespace bioptic
