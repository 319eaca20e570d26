// The meaning of a training step: the reference engine's net in double against PyTorch in float64,
// 1e-10 relative per tensor over ten steps, for every loss, optimizer, activation and schedule.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "bioptic/engine/reference/reference_net.h"
#include "bioptic/model/loss.h"
#include "bioptic/model/schedule.h"
#include "bioptic/train/weights.h"
#include "golden.h"

namespace bioptic {
namespace {

constexpr double kTolerance = 1e-10;

// A problem of a golden case: images, labels and a net at its initial weights.
struct Problem {
  TrainSpec train;
  EngineConfig config;
  std::size_t inputs = 0;
  std::vector<PixelMap> maps;
  std::vector<std::uint8_t> inverted, pixels;
  std::vector<std::int64_t> labels;
  std::vector<double> weights;  // of the images; empty = all 1

  Problem(const TrainSpec& spec, std::size_t channels, std::size_t pixels_per_channel, int classes,
          std::size_t images)
      : train(spec), inputs(channels * pixels_per_channel) {
    config.channels = channels;
    config.pixels_per_channel = pixels_per_channel;
    config.classes = classes;
    config.model = spec.model;
    config.loss = spec.loss;
    config.optimizer = spec.optimizer;
    maps.resize(channels);
    pixels = golden::stored_images(images, inputs);
    labels = golden::labels(images, classes);
    std::vector<std::size_t> counts(static_cast<std::size_t>(classes));
    for (const std::int64_t label : labels) ++counts[static_cast<std::size_t>(label)];
    train.loss = settled_loss(spec.loss, 1, counts, std::vector<std::string>(counts.size()));
    config.loss = train.loss;
    if (!spec.sample_weight) return;
    weights = golden::uniform(3, images);
    for (double& w : weights) w = 0.25 + 2 * w;
  }

  ReferenceNet<double> net() const {
    return {config, golden::initial_tensors(layer_shapes(
                        inputs, train.model, output_count(train.loss.kind, config.classes)))};
  }
  Row row(std::size_t i) const { return {&pixels[i * inputs], maps.data()}; }
};

// A batch and its loss.
struct Batch {
  std::vector<Row> rows;
  std::vector<std::int64_t> labels;
  std::vector<double> weights;

  void add(const Problem& problem, std::size_t image) {
    rows.push_back(problem.row(image));
    labels.push_back(problem.labels[image]);
    weights.push_back(problem.weights.empty() ? 1 : problem.weights[image]);
  }
  std::vector<double> coefficients(const LossSpec& loss) const {
    std::vector<double> all = weights;
    for (double& c : all) c /= loss_denominator(loss, labels);
    return all;
  }
  double loss(const LossSpec& spec, std::span<const double> logits) const {
    const std::size_t outputs = logits.size() / labels.size();
    double sum = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      sum += weights[i] *
             sample_loss<double>(spec, logits.subspan(i * outputs, outputs), labels[i], {});
    }
    return sum / loss_denominator(spec, labels);
  }
};

std::vector<const ReferenceNet<double>::Tensor*> tensors_of(const ReferenceNet<double>& net) {
  std::vector<const ReferenceNet<double>::Tensor*> tensors;
  for (const auto& layer : net.layers()) {
    tensors.push_back(&layer.weight);
    tensors.push_back(&layer.bias);
  }
  return tensors;
}

void check_case(const nlohmann::json& c, const golden::File& file) {
  constexpr std::size_t kImages = 23;
  Problem problem(golden::spec_of(c), c.at("channels").get<std::size_t>(),
                  c.at("pixels").get<std::size_t>(), c.at("classes").get<int>(), kImages);
  for (std::size_t p = 0; p < 256; ++p) {
    problem.inverted.push_back(static_cast<std::uint8_t>(255 - p));
  }
  for (std::size_t ch = 0; ch < problem.maps.size(); ++ch) {
    problem.maps[ch] = {c.at("maps")[ch][0].get<float>(), c.at("maps")[ch][1].get<float>(),
                        c.at("invert").get<bool>() ? problem.inverted.data() : nullptr};
  }
  const auto batch_size = static_cast<std::size_t>(problem.train.batch_size);
  const std::size_t steps_per_epoch = (kImages + batch_size - 1) / batch_size;
  const OptimizerSpec& optimizer = problem.train.optimizer;
  const Schedule schedule(problem.train.schedule, optimizer,
                          static_cast<std::int64_t>(steps_per_epoch), problem.train.epochs);
  const double own_momentum =
      optimizer.kind == OptimizerKind::sgd ? optimizer.momentum : optimizer.beta1;
  ReferenceNet<double> net = problem.net();
  golden::Values expected(file.of(c));
  std::vector<double> watched;

  for (std::size_t step = 0; step < 10; ++step) {
    if (step > 0 && step % steps_per_epoch == 0) watched.push_back(1);
    Batch batch;
    const std::size_t begin = step % steps_per_epoch * batch_size;
    for (std::size_t i = begin; i < std::min(begin + batch_size, kImages); ++i) {
      batch.add(problem, i);
    }
    const auto masks = golden::dropout_masks(step, batch.rows.size(), problem.train.model);
    const ScheduleValue value = schedule.at(static_cast<std::int64_t>(step), watched);
    const double momentum = value.momentum.value_or(own_momentum);
    net.forward(batch.rows, &masks);
    const double loss = expected.next();
    EXPECT_NEAR(batch.loss(problem.train.loss, net.logits()), loss, kTolerance * loss) << step;
    const double lr = expected.next();
    EXPECT_NEAR(value.lr, lr, kTolerance * lr) << step;
    const double their_momentum = expected.next();
    EXPECT_NEAR(momentum, their_momentum, kTolerance) << step;
    EXPECT_LE(golden::relative_difference(net.logits(), expected.next(net.logits().size())),
              kTolerance)
        << "logits of step " << step;
    net.backward(batch.labels, batch.coefficients(problem.train.loss), masks);
    net.update(value.lr, momentum);
  }
  const auto tensors = tensors_of(net);
  const auto compare = [&](const char* what, auto member) {
    for (std::size_t k = 0; k < tensors.size(); ++k) {
      const std::vector<double>& ours = tensors[k]->*member;
      EXPECT_LE(golden::relative_difference(ours, expected.next(ours.size())), kTolerance)
          << what << " of tensor " << k;
    }
  };
  using Tensor = ReferenceNet<double>::Tensor;
  compare("gradient", &Tensor::gradient);
  compare("weights", &Tensor::value);
  if (optimizer.kind != OptimizerKind::sgd) {
    compare("first moment", &Tensor::m);
    compare("second moment", &Tensor::v);
  } else if (optimizer.momentum != 0) {
    compare("momentum", &Tensor::m);
  }
  EXPECT_EQ(expected.left(), 0U);
}

TEST(Semantics, TenStepsOfEveryCaseAgreeWithPyTorch) {
  const golden::File file = golden::read("semantics");
  ASSERT_GE(file.cases.size(), 50U);
  for (const auto& c : file.cases) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    check_case(c, file);
  }
}

// 24 steps of Adam and a cosine over three epochs, with a validation after each.
TEST(Semantics, WholeSmallTrainingAgreesWithPyTorch) {
  const golden::File file = golden::read("whole_training");
  const auto& c = file.cases.at(0);
  constexpr std::size_t kTrain = 60, kValidation = 20, kBatch = 8;
  const Problem problem(golden::spec_of(c), 1, 256, 2, kTrain + kValidation);
  // The scale 1/255 as float32, which is what both sides read.
  ReferenceNet<double> net = problem.net();
  const Schedule schedule(problem.train.schedule, problem.train.optimizer, 8, 3);
  golden::Values expected(file.of(c));
  std::int64_t step = 0;
  for (std::size_t epoch = 0; epoch < 3; ++epoch) {
    for (std::size_t begin = 0; begin < kTrain; begin += kBatch) {
      Batch batch;
      for (std::size_t i = begin; i < std::min(begin + kBatch, kTrain); ++i) {
        batch.add(problem, (17 * i + 7 * epoch) % kTrain);
      }
      net.forward(batch.rows, nullptr);
      const double loss = expected.next();
      EXPECT_NEAR(batch.loss(problem.train.loss, net.logits()), loss, kTolerance * loss) << step;
      net.backward(batch.labels, batch.coefficients(problem.train.loss), {});
      net.update(schedule.at(step, {}).lr, problem.train.optimizer.beta1);
      ++step;
    }
    Batch validation;
    for (std::size_t i = kTrain; i < kTrain + kValidation; ++i) validation.add(problem, i);
    net.forward(validation.rows, nullptr);
    const double loss = expected.next();
    EXPECT_NEAR(validation.loss(problem.train.loss, net.logits()), loss, kTolerance * loss);
  }
  for (const auto* tensor : tensors_of(net)) {
    EXPECT_LE(golden::relative_difference(tensor->value, expected.next(tensor->value.size())),
              kTolerance);
  }
  EXPECT_EQ(expected.left(), 0U);
}

// bce is defined by float32, where the sigmoid runs out of bits: it is 1 above z = 16.64, and a
// wrong example has loss 100 and gradient 0; below z = -27 the backward's 1e-12 acts.
TEST(Semantics, BceInFloatAgreesWithPyTorchWhereTheSigmoidSaturates) {
  LossSpec spec;
  spec.kind = LossKind::bce;
  for (const auto& c : golden::read("bce_float32").cases) {
    const float z = c.at("z").get<float>();
    const auto label = c.at("label").get<std::int64_t>();
    float gradient = -1;
    const float loss = sample_loss<float>(spec, std::span(&z, 1), label, std::span(&gradient, 1));
    // Both sides round the exponential, the sigmoid, the logarithm and the products once each: at
    // most four roundings of half an ulp.  (An exponential off by an ulp is lost in 1 + e^-z.)
    const auto tolerance = [](float value) { return 4 * 0x1p-24F * std::fabs(value); };
    const float their_loss = c.at("loss").get<float>(), theirs = c.at("gradient").get<float>();
    EXPECT_NEAR(loss, their_loss, tolerance(their_loss)) << c;
    EXPECT_NEAR(gradient, theirs, tolerance(theirs)) << c;
  }
}

}  // namespace
}  // namespace bioptic
