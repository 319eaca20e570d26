// The time of the two products of a step on their own.  JSON on standard output.
//
//   kernel_times [--batch B,...] [--isa NAME,...] [--rounds N]
//
// One thread, Adam, the same block of 32 inputs x 64 outputs again and again, so that all data but
// a large batch's stay in the first-level cache: what the registers and units of the processor
// allow.  Nanoseconds per 16 weights, medians of rounds that take all forms in turn; beside them
// the time that the multiply-adds alone need at the measured peak.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bioptic/base/aligned.h"
#include "bioptic/base/flush_to_zero.h"
#include "bioptic/base/random.h"
#include "bioptic/kernel/kernels.h"
#include "machine_limits.h"

namespace bioptic {
namespace {

constexpr std::size_t kIn = 32, kOut = 64;
constexpr double kVectors = kIn * kOut / 16.0;

AlignedBuffer<float> random_floats(std::size_t n, const std::string& name, float scale) {
  AlignedBuffer<float> values(n);
  RandomStream stream(1, name);
  for (std::size_t i = 0; i < n; ++i) values[i] = scale * stream.uniform_float();
  return values;
}

// Nanoseconds per 16 weights.
double time_of(const std::function<void()>& block) {
  constexpr int kTimes = 300;
  for (int i = 0; i < 20; ++i) block();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kTimes; ++i) block();
  const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
  return time.count() / kTimes / kVectors;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Form {
  const kernel::Kernels* kernels;
  std::size_t batch;
  std::vector<double> update_ns, multiply_ns;
};

void measure(Form& form) {
  const std::size_t batch = form.batch;
  const auto x = random_floats(batch * kernel::kTile, "x", 1);
  const auto delta = random_floats(batch * kOut, "delta", 1e-3F);
  // Laid out as in training: large arrays, which start on a huge page.
  constexpr std::size_t kLarge = std::size_t{1} << 20;
  auto w = random_floats(kLarge, "w", 0.01F), m = random_floats(kLarge, "m", 1e-4F);
  auto v = random_floats(kLarge, "v", 1e-6F), z = random_floats(batch * kOut, "z", 1);
  kernel::OptimizerStep step;
  step.beta1_rest = 0.1F, step.beta2_rest = 0.001F, step.root = 1e4F, step.floor = 1e-4F;
  constexpr std::size_t kNoneAhead = 0;
  form.update_ns.push_back(time_of([&] {
    form.kernels->update(x.data(), kernel::kTile, batch, delta.data(), kOut, kIn, kOut, step,
                         w.data(), m.data(), v.data(), kNoneAhead);
  }));
  form.multiply_ns.push_back(time_of([&] {
    form.kernels->multiply(x.data(), kernel::kTile, batch, w.data(), kIn, kOut, z.data(), kOut,
                           kNoneAhead);
  }));
}

int run(int argc, char** argv) {
  CLI::App app{"The time of the two products of a step on their own"};
  std::vector<std::size_t> batches = {10, 30, 100};
  std::vector<std::string> isas = {"avx2", "avx512"};
  std::size_t rounds = 9;
  app.add_option("--batch", batches)->delimiter(',');
  app.add_option("--isa", isas)->delimiter(',');
  app.add_option("--rounds", rounds)->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);

  const FlushToZero flush;
  std::vector<Form> forms;
  for (const std::size_t batch : batches) {
    for (const std::string& isa : isas)
      forms.push_back({&kernel::choose_kernels(isa), batch, {}, {}});
  }
  ThreadPool pool(1);
  std::vector<double> peaks;
  for (std::size_t i = 0; i < rounds; ++i) {
    peaks.push_back(bench::multiply_add_peak(pool, 3));
    for (Form& form : forms) measure(form);
  }
  nlohmann::json out;
  for (const Form& form : forms) {
    const double batch = static_cast<double>(form.batch);
    out.push_back({{"isa", form.kernels->isa},
                   {"batch", form.batch},
                   {"update_ns", median(form.update_ns)},
                   {"multiply_ns", median(form.multiply_ns)},
                   {"multiply_adds_ns", 32e9 * batch / median(peaks)}});
  }
  std::cout << out.dump(2) << "\n";
  return 0;
}

}  // namespace
}  // namespace bioptic

int main(int argc, char** argv) {
  try {
    return bioptic::run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "kernel_times: error: " << e.what() << "\n";
    return 1;
  }
}
