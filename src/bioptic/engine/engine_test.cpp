// The promise of the same bits, and the corners that are easily slow or wrong.
#include "bioptic/engine/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "bioptic/base/random.h"
#include "bioptic/kernel/kernels.h"

namespace bioptic {
namespace {

// Random images and labels, and a source of steps over them.
struct Problem {
  EngineConfig config;
  std::vector<std::uint8_t> pixels;
  std::vector<PixelMap> maps;  // of all images, or channels of each in turn
  std::vector<std::int64_t> labels;
  std::size_t images = 23;  // with batches of 7: a last, smaller batch of 2
  std::size_t batch = 7;

  Problem() {
    config.channels = 3;
    config.pixels_per_channel = 19 * 19;  // tiles of 64 with a remainder
    config.classes = 3;
    config.model.hidden = {37, 16};
    config.model.dropout = 0.25;
    config.loss.kind = LossKind::cross_entropy;
    config.optimizer.lr = 1e-2;
    config.max_batch = batch;
    maps = {{1.0F / 255, 0, nullptr}, {1.0F / 128, -1, nullptr}, {0.01F, -0.5F, nullptr}};
    fill();
  }
  std::size_t inputs() const { return config.channels * config.pixels_per_channel; }
  void fill() {
    RandomStream stream(1, "problem");
    pixels.resize(images * inputs());
    for (auto& p : pixels) p = static_cast<std::uint8_t>(stream.below(256));
    labels.resize(images);
    for (auto& l : labels) l = static_cast<std::int64_t>(stream.below(3));
  }
  Row row(std::size_t i) const {
    const std::size_t own = maps.size() > config.channels ? i * config.channels : 0;
    return {&pixels[i * inputs()], &maps[own]};
  }
  std::vector<Row> rows() const {
    std::vector<Row> all;
    for (std::size_t i = 0; i < images; ++i) all.push_back(row(i));
    return all;
  }
};

class Source : public StepSource {
 public:
  Source(const Problem& problem, std::vector<float>& logits) : problem_(problem), logits_(logits) {}
  const Step* next() override {
    if (begin_ >= problem_.images) return nullptr;
    Step& step = steps_[count_++ % 2];
    const std::size_t n = std::min(problem_.batch, problem_.images - begin_);
    step = Step{};
    RandomStream stream(count_, "mask");
    for (std::size_t i = 0; i < n; ++i) {
      step.rows.push_back(problem_.row(begin_ + i));
      step.labels.push_back(problem_.labels[begin_ + i]);
      step.coefficients.push_back(1.0F / static_cast<float>(n));
    }
    if (problem_.config.model.dropout > 0) {
      for (const int width : problem_.config.model.hidden) {
        auto& mask = step.masks.emplace_back(n * static_cast<std::size_t>(width));
        for (float& m : mask) m = stream.uniform() < 0.25 ? 0.0F : 4.0F / 3;
      }
    }
    step.lr = problem_.config.optimizer.lr;
    const OptimizerSpec& optimizer = problem_.config.optimizer;
    step.momentum = optimizer.kind == OptimizerKind::sgd ? optimizer.momentum : optimizer.beta1;
    buffers_[count_ % 2].assign(n * 3, 0);
    step.logits = buffers_[count_ % 2];
    begin_ += n;
    return &step;
  }
  void done(const Step& step) override {
    logits_.insert(logits_.end(), step.logits.begin(), step.logits.end());
    ++released_;
  }
  std::size_t released() const { return released_; }

 private:
  const Problem& problem_;
  std::vector<float>& logits_;
  Step steps_[2];
  std::vector<float> buffers_[2];
  std::size_t begin_ = 0, count_ = 0, released_ = 0;
};

struct Outcome {
  std::string weights;
  std::vector<float> logits, evaluated;
  bool operator==(const Outcome&) const = default;
};

Outcome train(const Problem& problem, const std::string& engine_name, int epochs = 3) {
  const auto engine = make_engine(engine_name, problem.config);
  engine->set_parameters(initial_parameters(
      layer_shapes(problem.inputs(), problem.config.model,
                   output_count(problem.config.loss.kind, problem.config.classes)),
      5));
  Outcome outcome;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    Source source(problem, outcome.logits);
    engine->run(source);
    EXPECT_EQ(source.released(), 4U);
  }
  outcome.evaluated.resize(problem.images * 3);
  engine->evaluate(problem.rows(), outcome.evaluated);
  outcome.weights = parameters_sha256(engine->parameters());
  return outcome;
}

TEST(FusedEngine, SameBitsOnAnyNumberOfThreads) {
  Problem problem;
  const Outcome one = train(problem, "fused");
  for (const int threads : {2, 3, 4, 8}) {
    problem.config.threads = threads;
    EXPECT_EQ(train(problem, "fused"), one) << threads;
  }
}

// A source that works with the engine's threads, as augmentation does, and hands out pixels that
// live until done().
class CopyingSource : public Source {
 public:
  CopyingSource(const Problem& problem, ThreadPool& pool, std::vector<float>& logits)
      : Source(problem, logits), pool_(pool), size_(problem.inputs()) {}
  const Step* next() override {
    const Step* const plain = Source::next();
    if (plain == nullptr) return nullptr;
    const std::size_t slot = count_++ % 2;
    steps_[slot] = *plain;
    std::vector<std::uint8_t>& pixels = pixels_[slot];
    pixels.resize(plain->rows.size() * size_);
    pool_.run(plain->rows.size(), [&](std::size_t i) {
      std::copy_n(plain->rows[i].pixels, size_, &pixels[i * size_]);
      steps_[slot].rows[i].pixels = &pixels[i * size_];
    });
    return &steps_[slot];
  }
  void done(const Step& step) override {
    for (const Row& row : step.rows) {  // whoever reads on sees another image
      std::fill_n(const_cast<std::uint8_t*>(row.pixels), size_, std::uint8_t{255});
    }
    Source::done(step);
  }

 private:
  ThreadPool& pool_;
  std::size_t size_, count_ = 0;
  Step steps_[2];
  std::vector<std::uint8_t> pixels_[2];
};

TEST(FusedEngine, SharesItsThreadsWithTheSourceOfItsSteps) {
  Problem problem;
  const Outcome plain = train(problem, "fused", 1);
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    problem.config.pool = &pool;
    const auto engine = make_engine("fused", problem.config);
    engine->set_parameters(
        initial_parameters(layer_shapes(problem.inputs(), problem.config.model,
                                        output_count(problem.config.loss.kind, 3)),
                           5));
    std::vector<float> logits;
    CopyingSource source(problem, pool, logits);
    engine->run(source);
    EXPECT_EQ(logits, plain.logits) << threads;
    EXPECT_EQ(parameters_sha256(engine->parameters()), plain.weights) << threads;
  }
}

TEST(FusedEngine, SameBitsOnEveryInstructionSet) {
  Problem problem;
  problem.config.threads = 2;
  const Outcome best = train(problem, "fused");
  for (const kernel::Kernels* kernels : kernel::available_kernels()) {
    problem.config.isa = kernels->isa;
    EXPECT_EQ(train(problem, "fused"), best) << kernels->isa;
  }
}

// A first layer wider than one panel of the kernels, and batches larger than one chunk of rows.
Problem wide_problem() {
  Problem problem;
  problem.config.model.hidden = {150, 20};
  problem.images = 250;
  problem.batch = problem.config.max_batch = 70;  // the last of four has 40
  problem.fill();
  return problem;
}

// Parts of many tiles that cross from one channel into the next.
Problem large_problem() {
  Problem problem;
  problem.config.pixels_per_channel = 83 * 83;  // 108 tiles a channel, the last of 41 pixels
  problem.config.model.hidden = {8};
  problem.fill();
  return problem;
}

TEST(FusedEngine, WideLayersAndLargeBatchesHaveTheSameBitsToo) {
  Problem problem = wide_problem();
  const Outcome one = train(problem, "fused");
  for (const kernel::Kernels* kernels : kernel::available_kernels()) {
    problem.config.isa = kernels->isa;
    problem.config.threads = 3;
    EXPECT_EQ(train(problem, "fused"), one) << kernels->isa;
  }
}

// Tables per channel go through the same arithmetic as plain pixels.
TEST(FusedEngine, IdentityTableChangesNothing) {
  Problem problem;
  const Outcome plain = train(problem, "fused");
  std::vector<std::uint8_t> identity(256);
  for (std::size_t i = 0; i < 256; ++i) identity[i] = static_cast<std::uint8_t>(i);
  for (PixelMap& map : problem.maps) map.table = identity.data();
  EXPECT_EQ(train(problem, "fused"), plain);
}

// Images with maps and tables of their own are the images that those make of them, read plainly:
// every row of a batch goes through its own.
TEST(FusedEngine, EveryImageHasItsOwnMaps) {
  Problem own, plain;
  RandomStream stream(4, "tables");
  std::vector<std::array<std::uint8_t, 256>> tables(own.images * 3);
  own.maps.clear();
  for (std::size_t i = 0; i < tables.size(); ++i) {
    for (auto& t : tables[i]) t = static_cast<std::uint8_t>(stream.below(256));
    own.maps.push_back(plain.maps[i % 3]);
    own.maps.back().table = i % 5 == 0 ? nullptr : tables[i].data();
    if (i % 5 == 0) continue;
    std::uint8_t* first = &plain.pixels[i * plain.config.pixels_per_channel];
    std::transform(first, first + plain.config.pixels_per_channel, first,
                   [&](std::uint8_t p) { return tables[i][p]; });
  }
  for (const std::string engine : {"fused", "reference"}) {
    EXPECT_EQ(train(own, engine), train(plain, engine)) << engine;
  }
  // Scales and offsets that differ between the rows, too.
  for (std::size_t i = 0; i < own.maps.size(); ++i) {
    own.maps[i].scale *= 1 + static_cast<float>(i % 7) / 8;
    own.maps[i].offset -= static_cast<float>(i % 4) / 16;
  }
  own.config.optimizer.kind = OptimizerKind::sgd;
  own.config.optimizer.lr = 0.05;
  const Outcome fused = train(own, "fused", 1), reference = train(own, "reference", 1);
  EXPECT_NE(fused.logits, train(plain, "fused", 1).logits);
  // As in FollowsTheReferenceEngine, with inputs of size up to 4 instead of 2.
  const double tolerance = 10 * 66 * 1083 * 0x1p-24;
  for (std::size_t i = 0; i < fused.logits.size(); ++i) {
    EXPECT_NEAR(fused.logits[i], reference.logits[i], tolerance) << i;
  }
}

// The two engines see the same steps; after a few steps of plain SGD, which does not amplify
// rounding, they differ by rounding only.
TEST(FusedEngine, FollowsTheReferenceEngine) {
  for (Problem problem : {Problem(), wide_problem(), large_problem()}) {
    problem.config.optimizer.kind = OptimizerKind::sgd;
    problem.config.optimizer.lr = 0.05;
    const Outcome fused = train(problem, "fused", 1), reference = train(problem, "reference", 1);
    ASSERT_EQ(fused.logits.size(), reference.logits.size());
    // A logit is a sum over 1,083 inputs of size <= 2 times weights <= 0.03: sum |x||w| is below
    // 33, and gamma_1083 = 1083 * 2^-24; two more small layers and 4 steps leave a factor of 10.
    const double tolerance = 10 * 33 * 1083 * 0x1p-24;
    for (std::size_t i = 0; i < fused.logits.size(); ++i) {
      EXPECT_NEAR(fused.logits[i], reference.logits[i], tolerance) << i;
    }
  }
}

TEST(FusedEngine, NoHiddenLayerIsLogisticRegression) {
  Problem problem;
  problem.config.model.hidden = {};
  problem.config.model.dropout = 0;
  const Outcome one = train(problem, "fused");
  problem.config.threads = 2;
  EXPECT_EQ(train(problem, "fused"), one);
  for (const float z : one.evaluated) EXPECT_TRUE(std::isfinite(z));
}

TEST(Engine, UnknownNameIsAnError) {
  try {
    make_engine("fuse", EngineConfig{});
    FAIL();
  } catch (const std::exception& e) {
    EXPECT_NE(std::string(e.what()).find("'fused'"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace bioptic
