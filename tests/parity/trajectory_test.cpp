// Whole trainings: the fused engine ends at the same validation accuracy as the reference engine.
// Single trainings differ (Adam amplifies any rounding), so they are compared as populations: 20
// paired seeds at 64 x 64 pixels, two one-sided t tests (TOST) at 5 % with a margin of 0.01.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "bioptic/base/random.h"
#include "bioptic/engine/engine.h"

namespace bioptic {
namespace {

constexpr std::size_t kSide = 64, kInputs = kSide * kSide, kTrain = 300, kValidation = 500;
constexpr int kSeeds = 20, kEpochs = 10;

// Noisy images with a faint disc: somewhere left of the middle for label 0, right of it for label
// 1, overlapping, so that some cannot be told apart.
struct Images {
  std::vector<std::uint8_t> pixels;
  std::vector<std::int64_t> labels;
  PixelMap map;

  Images() : pixels((kTrain + kValidation) * kInputs) {
    RandomStream stream(1, "images");
    for (std::size_t n = 0; n < kTrain + kValidation; ++n) {
      const std::int64_t label = static_cast<std::int64_t>(stream.below(2));
      labels.push_back(label);
      const double x0 = (label == 1 ? 28 : 20) + 16 * stream.uniform();
      const double y0 = 24 + 16 * stream.uniform();
      const double bright = 100 + 20 * stream.uniform();
      for (std::size_t i = 0; i < kInputs; ++i) {
        const double dx = static_cast<double>(i % kSide) - x0;
        const double dy = static_cast<double>(i / kSide) - y0;
        const bool inside = dx * dx + dy * dy < 100;
        const double value = bright + 60 * (stream.uniform() - 0.5) + (inside ? 60 : 0);
        pixels[n * kInputs + i] = static_cast<std::uint8_t>(value);
      }
    }
  }
  Row row(std::size_t n) const { return {&pixels[n * kInputs], &map}; }
};

// One epoch in the order of its seed.
class Epoch : public StepSource {
 public:
  Epoch(const Images& images, std::uint64_t seed, int epoch, std::size_t batch) : batch_(batch) {
    RandomStream stream(seed, "order/" + std::to_string(epoch));
    for (std::size_t n = 0; n < kTrain; ++n) order_.push_back(n);
    for (std::size_t n = kTrain; n > 1; --n) std::swap(order_[n - 1], order_[stream.below(n)]);
    for (std::size_t begin = 0; begin < kTrain; begin += batch_) {
      Step& step = steps_.emplace_back();
      for (std::size_t k = begin; k < std::min(begin + batch_, kTrain); ++k) {
        step.rows.push_back(images.row(order_[k]));
        step.labels.push_back(images.labels[order_[k]]);
      }
      step.coefficients.assign(step.rows.size(), 1 / static_cast<float>(step.rows.size()));
      step.lr = 1e-3;
      step.momentum = 0.9;
      logits_.emplace_back(step.rows.size());
    }
    for (std::size_t s = 0; s < steps_.size(); ++s) steps_[s].logits = logits_[s];
  }
  const Step* next() override { return at_ < steps_.size() ? &steps_[at_++] : nullptr; }
  void done(const Step&) override {}

 private:
  std::size_t batch_, at_ = 0;
  std::vector<std::size_t> order_;
  std::vector<Step> steps_;
  std::vector<std::vector<float>> logits_;
};

// Logits of the validation images after the training.
std::vector<float> trained_logits(const Images& images, const char* name, std::size_t batch,
                                  std::uint64_t seed) {
  EngineConfig config;
  config.pixels_per_channel = kInputs;
  config.max_batch = batch;
  const auto engine = make_engine(name, config);
  engine->set_parameters(initial_parameters(layer_shapes(kInputs, config.model, 1), seed));
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    Epoch source(images, seed, epoch, batch);
    engine->run(source);
  }
  std::vector<Row> rows;
  for (std::size_t n = kTrain; n < kTrain + kValidation; ++n) rows.push_back(images.row(n));
  std::vector<float> logits(kValidation);
  engine->evaluate(rows, logits);
  return logits;
}

double accuracy(const Images& images, const std::vector<float>& logits) {
  int right = 0;
  for (std::size_t n = 0; n < kValidation; ++n) {
    right += (logits[n] > 0) == (images.labels[kTrain + n] == 1);
  }
  return right / static_cast<double>(kValidation);
}

TEST(Trajectory, FusedIsEquivalentToTheReferenceInValidationAccuracy) {
  const Images images;
  for (const std::size_t batch : {10U, 100U}) {
    double level = 0, sum = 0, squares = 0, apart = 0;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      const std::vector<float> reference_logits = trained_logits(images, "reference", batch, seed);
      const std::vector<float> fused_logits = trained_logits(images, "fused", batch, seed);
      const double reference = accuracy(images, reference_logits);
      const double d = accuracy(images, fused_logits) - reference;
      for (std::size_t n = 0; n < kValidation; ++n) {
        apart =
            std::max(apart, std::abs(static_cast<double>(fused_logits[n] - reference_logits[n])));
      }
      level += reference / kSeeds;
      sum += d;
      squares += d * d;
    }
    const double mean = sum / kSeeds;
    const double sd = std::sqrt((squares - kSeeds * mean * mean) / (kSeeds - 1));
    // 95 % quantile of Student's t with 19 degrees of freedom.
    const double half = 1.7291 * sd / std::sqrt(static_cast<double>(kSeeds));
    std::cout << "batch " << batch << ": reference " << level << ", fused - reference " << mean
              << ", sd " << sd << ", 90 % interval " << mean - half << " to " << mean + half
              << ", largest difference of a logit " << apart << '\n';
    EXPECT_GT(apart, 0);  // two engines, not one twice
    // Something was learned, and not everything: only then can the engines differ.
    EXPECT_GT(level, 0.6);
    EXPECT_LT(level, 0.98);
    EXPECT_GT(mean - half, -0.01);
    EXPECT_LT(mean + half, 0.01);
  }
}

}  // namespace
}  // namespace bioptic
