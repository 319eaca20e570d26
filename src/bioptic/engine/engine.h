// The seam between what is trained and the arithmetic that trains it.  Initial weights, batch
// order, dropout masks and learning rates are decided outside, so that engines differ only in
// arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bioptic/base/parallel.h"
#include "bioptic/kernel/row.h"
#include "bioptic/model/parameters.h"
#include "bioptic/model/spec.h"

namespace bioptic {

// One optimizer step: a batch and what the optimizer is to do with it.
struct Step {
  std::vector<Row> rows;             // B >= 1
  std::vector<std::int64_t> labels;  // B
  std::vector<float> coefficients;   // B: d(batch loss)/d(sample_loss of sample i), usually 1/B
  // Dropout: for every hidden layer B x width factors, 0 or 1/(1-p), row-major; empty = no dropout.
  std::vector<std::vector<float>> masks;
  double lr = 0;
  double momentum = 0;      // momentum (sgd) or beta1 (adam, adamw) of this step
  std::span<float> logits;  // B x outputs, filled by the engine before done() is called
};

// Hands out the steps of a stretch (usually one epoch).
class StepSource {
 public:
  virtual ~StepSource() = default;
  // The next step, or null at the end of the stretch.  It stays valid until done() was called with
  // it.  An engine holds at most two steps at a time.
  virtual const Step* next() = 0;
  // The step's logits are written and its update is applied; its rows are no longer read.
  virtual void done(const Step& step) = 0;
};

// What an engine is made for.
struct EngineConfig {
  std::size_t channels = 1, pixels_per_channel = 0;  // inputs = channels * pixels_per_channel
  int classes = 2;
  ModelSpec model;
  LossSpec loss;
  OptimizerSpec optimizer;
  bool cycles_momentum = false;  // sgd: Step::momentum is not 0 although optimizer.momentum may be
  std::size_t max_batch = 1;     // largest B of a step
  int threads = 1;
  // Threads to work with instead of `threads` of its own; they may do other work inside
  // StepSource::next() and done().  Outlives the engine.
  ThreadPool* pool = nullptr;
  std::string isa;  // fused: "", "portable", "avx2", "avx512"; "" = the best there is
};

class Engine {
 public:
  virtual ~Engine() = default;
  // "reference" or "fused", and the number that changes whenever stored bits would.
  virtual std::string_view name() const = 0;
  virtual int numerics_version() const = 0;

  // Sets the weights and forgets the optimizer's state (step count 0, moments 0).
  virtual void set_parameters(const Parameters& parameters) = 0;
  virtual Parameters parameters() const = 0;

  // Pulls steps until the source ends.  Logits are those of the weights before the step's update
  // (dropout applied).  The optimizer's state carries over to the next stretch.
  virtual void run(StepSource& source) = 0;

  // Logits, N x outputs, without dropout; weights unchanged.
  virtual void evaluate(std::span<const Row> rows, std::span<float> logits) = 0;
};

// Throws InputError for an unknown name or instruction set, naming the known ones.
std::unique_ptr<Engine> make_engine(std::string_view name, const EngineConfig& config);

// The numerics version of the engine of that name without making one.
int engine_numerics_version(std::string_view name);

}  // namespace bioptic
