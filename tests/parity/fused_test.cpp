// The arithmetic of a training step: each float32 engine against exact arithmetic from the same
// state, within a bound derived from rounding.  The moments are built up in steps with lr = 0,
// which leave the weights as they are; the last step then shows gradient and moments in the
// weights.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <ostream>

#include "bioptic/base/random.h"
#include "bioptic/kernel/kernels.h"
#include "rounding_bound.h"

namespace bioptic {
namespace {

struct Case {
  std::size_t channels = 1, pixels = 65;
  std::vector<int> hidden = {16, 7};
  std::size_t batch = 7;
  LossKind loss = LossKind::bce_with_logits;
  int classes = 2;
  Activation activation = Activation::relu;
  double dropout = 0;
  OptimizerKind optimizer = OptimizerKind::sgd;
  std::function<void(OptimizerSpec&, LossSpec&)> options = nullptr;
  bool weighted = false;  // images have weights of their own
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  out << c.channels << " x " << c.pixels << " inputs, hidden";
  for (const int h : c.hidden) out << ' ' << h;
  return out << ", batch " << c.batch << ", " << name_of(c.loss) << ' ' << c.classes << ", "
             << name_of(c.activation) << ", dropout " << c.dropout << ", " << name_of(c.optimizer)
             << (c.weighted ? ", weighted images" : "");
}

// Four steps over random images: three with lr = 0, then one that moves the weights.
struct Problem : StepSource {
  EngineConfig config;
  std::vector<std::uint8_t> pixels;
  std::vector<PixelMap> maps;
  std::vector<Row> rows;
  std::vector<Step> steps;
  std::vector<std::vector<float>> logits;
  Parameters start;
  std::size_t handed_out = 0;

  static constexpr std::size_t kSteps = 4;

  explicit Problem(const Case& c) {
    config.channels = c.channels;
    config.pixels_per_channel = c.pixels;
    config.classes = c.classes;
    config.model.hidden = c.hidden;
    config.model.activation = c.activation;
    config.model.dropout = c.dropout;
    config.loss.kind = c.loss;
    config.optimizer.kind = c.optimizer;
    config.max_batch = c.batch;
    if (c.options) c.options(config.optimizer, config.loss);

    RandomStream stream(7, "fused test");
    const std::size_t inputs = c.channels * c.pixels;
    const auto outputs = static_cast<std::size_t>(output_count(c.loss, c.classes));
    maps.push_back({1.0F / 255, 0, nullptr});
    maps.push_back({0.0123F, -1.5F, nullptr});
    maps.push_back({1.0F / 64, -2, nullptr});
    pixels.resize(kSteps * c.batch * inputs);
    for (auto& p : pixels) p = static_cast<std::uint8_t>(stream.below(256));
    for (std::size_t i = 0; i < kSteps * c.batch; ++i) {
      rows.push_back({&pixels[i * inputs], maps.data()});
    }
    for (std::size_t s = 0; s < kSteps; ++s) {
      // The third batch is smaller, as an epoch's last may be.
      const std::size_t n = s == 2 ? (c.batch + 1) / 2 : c.batch;
      Step& step = steps.emplace_back();
      for (std::size_t i = 0; i < n; ++i) {
        step.rows.push_back(rows[s * c.batch + i]);
        step.labels.push_back(
            static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(c.classes))));
      }
      step.coefficients.assign(n,
                               static_cast<float>(1 / loss_denominator(config.loss, step.labels)));
      if (c.weighted) {
        for (float& f : step.coefficients) f *= static_cast<float>(0.25 + 2 * stream.uniform());
      }
      if (c.dropout > 0) {
        for (const int width : c.hidden) {
          auto& mask = step.masks.emplace_back(n * static_cast<std::size_t>(width));
          const auto factor = static_cast<float>(1 / (1 - c.dropout));
          for (float& m : mask) m = stream.uniform() < c.dropout ? 0.0F : factor;
        }
      }
      // A large rate, so that rounding of the weight itself does not hide the gradient's.
      const bool moves = s + 1 == kSteps;
      const bool sgd = c.optimizer == OptimizerKind::sgd;
      step.lr = !moves ? 0 : sgd ? 64 : 0.5;
      step.momentum = sgd ? config.optimizer.momentum : config.optimizer.beta1;
      logits.emplace_back(n * outputs);
    }
    for (std::size_t s = 0; s < kSteps; ++s) steps[s].logits = logits[s];
    start = initial_parameters(layer_shapes(inputs, config.model, static_cast<int>(outputs)), 3);
  }
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;

  const Step* next() override { return handed_out < steps.size() ? &steps[handed_out++] : nullptr; }
  void done(const Step&) override {}
};

// What exact arithmetic gives, and how far a float32 engine may be from it.
struct Expected {
  std::vector<double> evaluated, evaluated_bound;         // first batch, without dropout
  std::vector<std::vector<double>> logits, logits_bound;  // per step
  std::vector<std::vector<BoundedState>> weights;         // per tensor: weight, bias, ...
  std::vector<double> sharpness;  // bound / movement of every weight that moves
};

Expected expect(const Problem& problem) {
  Expected expected;
  ReferenceNet<double> net(problem.config, problem.start);
  const Step& first = problem.steps.front();
  const auto pass = [&](const Step& step, const std::vector<std::vector<float>>& masks) {
    net.forward(step.rows, &masks);
    const std::vector<double> exact(step.coefficients.begin(), step.coefficients.end());
    net.backward(step.labels, exact, masks);
    return rounding_bounds(net, problem.config, step.coefficients, masks);
  };
  const auto logits = [&] { return std::vector<double>(net.logits().begin(), net.logits().end()); };

  expected.evaluated_bound = pass(first, {}).back().z;
  expected.evaluated = logits();
  for (const auto& layer : net.layers()) {
    for (const auto* tensor : {&layer.weight, &layer.bias}) {
      auto& states = expected.weights.emplace_back(tensor->value.size());
      for (std::size_t k = 0; k < states.size(); ++k) states[k].w = tensor->value[k];
    }
  }
  std::int64_t t = 0;
  for (const Step& step : problem.steps) {
    const auto bounds = pass(step, step.masks);
    expected.logits.push_back(logits());
    expected.logits_bound.push_back(bounds.back().z);
    ++t;
    for (std::size_t l = 0; l < bounds.size(); ++l) {
      const auto& layer = net.layers()[l];
      const auto update = [&](const auto& tensor, const std::vector<double>& bound, auto& states) {
        for (std::size_t k = 0; k < states.size(); ++k) {
          const double before = states[k].w;
          bounded_update(problem.config.optimizer, t, step.lr, step.momentum, tensor.gradient[k],
                         bound[k], states[k]);
          const double moved = std::abs(states[k].w - before);
          if (moved > 0) expected.sharpness.push_back(states[k].w_error / moved);
        }
      };
      update(layer.weight, bounds[l].weight_gradient, expected.weights[2 * l]);
      update(layer.bias, bounds[l].bias_gradient, expected.weights[2 * l + 1]);
    }
    // lr = 0 leaves the net's weights; its own update is what bounded_update does without errors.
    net.update(step.lr, step.momentum);
  }
  for (std::size_t l = 0; l < net.layers().size(); ++l) {
    const auto& value = net.layers()[l].weight.value;
    for (std::size_t k = 0; k < value.size(); ++k) {
      EXPECT_NEAR(expected.weights[2 * l][k].w, value[k], 1e-9 * (1 + std::abs(value[k])));
    }
  }
  return expected;
}

// The number of values outside their bound.
template <typename T>
std::size_t outside(const std::vector<T>& ours, const std::vector<double>& exact,
                    const std::vector<double>& bound) {
  std::size_t count = 0;
  for (std::size_t k = 0; k < exact.size(); ++k) {
    if (!(std::abs(static_cast<double>(ours[k]) - exact[k]) <= bound[k])) ++count;
  }
  return count;
}

std::size_t weights_outside(const Parameters& ours, const Expected& expected) {
  std::size_t count = 0;
  for (std::size_t l = 0; l < ours.layers.size(); ++l) {
    const auto check = [&](const std::vector<float>& tensor, const auto& states) {
      for (std::size_t k = 0; k < states.size(); ++k) {
        const double difference = std::abs(static_cast<double>(tensor[k]) - states[k].w);
        if (!(difference <= states[k].w_error)) ++count;
      }
    };
    check(ours.layers[l].weight, expected.weights[2 * l]);
    check(ours.layers[l].bias, expected.weights[2 * l + 1]);
  }
  return count;
}

// `corrupt`: changes what the engine is given, after what is expected has been computed.
std::size_t errors_of(const Case& c, const std::string& name, const std::string& isa,
                      const std::function<void(Problem&)>& corrupt = nullptr) {
  Problem problem(c);
  const Expected expected = expect(problem);
  problem.config.isa = isa;
  const auto engine = make_engine(name, problem.config);
  if (corrupt) corrupt(problem);
  engine->set_parameters(problem.start);
  std::vector<float> evaluated(expected.evaluated.size());
  engine->evaluate(problem.steps.front().rows, evaluated);
  engine->run(problem);
  std::size_t errors = outside(evaluated, expected.evaluated, expected.evaluated_bound);
  for (std::size_t s = 0; s < Problem::kSteps; ++s) {
    errors += outside(problem.logits[s], expected.logits[s], expected.logits_bound[s]);
  }
  return errors + weights_outside(engine->parameters(), expected);
}

std::vector<Case> cases() {
  std::vector<Case> all;
  const auto add = [&](auto change) { change(all.emplace_back()); };
  for (const std::size_t batch : {1U, 2U, 10U, 33U, 100U}) {
    for (const auto kind : {OptimizerKind::sgd, OptimizerKind::adam}) {
      add([&](Case& c) { c.batch = batch, c.optimizer = kind, c.pixels = 200; });
    }
  }
  for (const std::vector<int>& hidden : std::vector<std::vector<int>>{
           {}, {1}, {7}, {16}, {64}, {100}, {64, 64}, {1, 1}, {100, 3, 17}}) {
    add([&](Case& c) { c.hidden = hidden; });
    add([&](Case& c) { c.hidden = hidden, c.channels = 3, c.loss = LossKind::cross_entropy; });
  }
  for (const std::size_t pixels : {1U, 63U, 64U, 1000U, 4097U}) {
    add([&](Case& c) { c.pixels = pixels; });
    add([&](Case& c) { c.pixels = pixels, c.channels = 3, c.optimizer = OptimizerKind::adamw; });
  }
  for (const auto loss : {LossKind::bce, LossKind::bce_with_logits, LossKind::cross_entropy}) {
    for (const auto activation :
         {Activation::relu, Activation::leaky_relu, Activation::tanh, Activation::gelu}) {
      add([&](Case& c) { c.loss = loss, c.activation = activation; });
      add([&](Case& c) {
        c.loss = loss, c.activation = activation, c.dropout = 0.25;
        c.optimizer = OptimizerKind::adam;
      });
    }
  }
  add([](Case& c) { c.loss = LossKind::cross_entropy, c.classes = 5; });
  add([](Case& c) {
    c.loss = LossKind::cross_entropy, c.classes = 5;
    c.options = [](OptimizerSpec&, LossSpec& l) {
      l.class_weight = {0.5, 1, 2, 1.25, 0.75};
      l.label_smoothing = 0.1;
    };
  });
  add([](Case& c) {
    c.options = [](OptimizerSpec&, LossSpec& l) {
      l.class_weight = {0.7, 1.9}, l.pos_weight = 2.5;
    };
  });
  add([](Case& c) { c.weighted = true; });
  add([](Case& c) {
    c.loss = LossKind::cross_entropy, c.classes = 5, c.weighted = true;
    c.options = [](OptimizerSpec&, LossSpec& l) { l.class_weight = {0.5, 1, 2, 1.25, 0.75}; };
  });
  const auto optimizer = [&](OptimizerKind kind, std::function<void(OptimizerSpec&)> set) {
    add([&](Case& c) {
      c.optimizer = kind;
      c.options = [set](OptimizerSpec& o, LossSpec&) { set(o); };
    });
  };
  optimizer(OptimizerKind::sgd, [](OptimizerSpec& o) { o.momentum = 0.9; });
  optimizer(OptimizerKind::sgd, [](OptimizerSpec& o) { o.momentum = 0.9, o.dampening = 0.3; });
  optimizer(OptimizerKind::sgd, [](OptimizerSpec& o) { o.momentum = 0.8, o.nesterov = true; });
  optimizer(OptimizerKind::sgd,
            [](OptimizerSpec& o) { o.momentum = 0.8, o.nesterov = true, o.weight_decay = 0.05; });
  optimizer(OptimizerKind::sgd, [](OptimizerSpec& o) { o.weight_decay = 0.001; });
  optimizer(OptimizerKind::adam, [](OptimizerSpec& o) { o.weight_decay = 0.05; });
  optimizer(OptimizerKind::adam,
            [](OptimizerSpec& o) { o.beta1 = 0.8, o.beta2 = 0.95, o.eps = 1e-3; });
  optimizer(OptimizerKind::adamw, [](OptimizerSpec& o) { o.weight_decay = 0.5; });
  return all;
}

TEST(Arithmetic, ReferenceStaysWithinTheRoundingBound) {
  for (const Case& c : cases()) EXPECT_EQ(errors_of(c, "reference", ""), 0U) << c;
}

TEST(Arithmetic, FusedStaysWithinTheRoundingBoundOnEveryInstructionSet) {
  for (const kernel::Kernels* kernels : kernel::available_kernels()) {
    for (const Case& c : cases()) {
      EXPECT_EQ(errors_of(c, "fused", kernels->isa), 0U) << kernels->isa << ": " << c;
    }
  }
}

// The bound is of use: half of the weights' movements are known to 0.2 %, and an engine whose
// gradient is wrong by 1 %, or one of whose weights is wrong by 10 %, breaks it.
TEST(Arithmetic, TheBoundIsSharp) {
  for (const auto kind : {OptimizerKind::sgd, OptimizerKind::adam, OptimizerKind::adamw}) {
    Case c;
    c.activation = Activation::tanh;
    c.optimizer = kind;
    std::vector<double> sharpness = expect(Problem(c)).sharpness;
    std::sort(sharpness.begin(), sharpness.end());
    EXPECT_LT(sharpness[sharpness.size() / 2], 2e-3) << c;
    for (const char* engine : {"reference", "fused"}) {
      const auto gradient = [](Problem& p) {
        for (float& f : p.steps.back().coefficients) f *= 1.01F;
      };
      EXPECT_GT(errors_of(c, engine, "", gradient), 0U) << engine << ' ' << c;
      const auto weight = [](Problem& p) { p.start.layers[0].weight[17] *= 1.1F; };
      EXPECT_GT(errors_of(c, engine, "", weight), 0U) << engine << ' ' << c;
    }
  }
}

}  // namespace
}  // namespace bioptic
