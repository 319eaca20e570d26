#include "bioptic/engine/reference/reference_engine.h"

#include <algorithm>
#include <optional>

#include "bioptic/base/error.h"
#include "bioptic/engine/reference/reference_net.h"

namespace bioptic {
namespace {

class ReferenceEngine : public Engine {
 public:
  explicit ReferenceEngine(const EngineConfig& config) : config_(config) {}

  std::string_view name() const override { return "reference"; }
  int numerics_version() const override { return kReferenceNumericsVersion; }

  void set_parameters(const Parameters& parameters) override { net_.emplace(config_, parameters); }

  Parameters parameters() const override {
    Parameters parameters;
    for (const auto& layer : net_->layers()) {
      parameters.shapes.push_back({layer.in, layer.out});
      parameters.layers.push_back({layer.weight.value, layer.bias.value});
    }
    return parameters;
  }

  void run(StepSource& source) override {
    while (const Step* step = source.next()) {
      net_->forward(step->rows, &step->masks);
      std::copy(net_->logits().begin(), net_->logits().end(), step->logits.begin());
      net_->backward(step->labels, step->coefficients, step->masks);
      net_->update(step->lr, step->momentum);
      source.done(*step);
    }
  }

  void evaluate(std::span<const Row> rows, std::span<float> logits) override {
    const std::size_t outputs = net_->layers().back().out;
    for (std::size_t i = 0; i < rows.size(); ++i) {  // one image at a time: no large buffers
      net_->forward(rows.subspan(i, 1), nullptr);
      std::copy(net_->logits().begin(), net_->logits().end(),
                logits.begin() + static_cast<std::ptrdiff_t>(i * outputs));
    }
  }

 private:
  EngineConfig config_;
  std::optional<ReferenceNet<float>> net_;
};

}  // namespace

std::unique_ptr<Engine> make_reference_engine(const EngineConfig& config) {
  if (!config.isa.empty()) {
    throw InputError("--isa is for the fused engine; the reference engine has one plain form");
  }
  return std::make_unique<ReferenceEngine>(config);
}

}  // namespace bioptic
