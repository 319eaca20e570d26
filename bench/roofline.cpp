// How near a training step comes to this machine's limits.  JSON on standard output.
//
//   roofline [--threads T] [--isa NAME] [--rounds N] [--steps N] [--pixels N] [--batch B,...]
//            [--hidden H,...] [--openblas LIBRARY]
//
// limit = max(bytes / bandwidth, operations / peak): w, m and v of the first layer read and written
// once (24 bytes a weight), and two products of 2 B D H operations.  Memory's speed changes from
// second to second where neighbours share it, so both limits and the step are measured in turn, in
// every round, on the same threads; each round gives one fraction, and their median is reported.
// Beside the two limits stand independent measures of the same things: a STREAM-like triad, and
// sgemm at n = 4096 of OpenBLAS (the one inside NumPy from PyPI, see scripts/peers).
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bioptic/base/random.h"
#include "bioptic/engine/engine.h"
#include "bioptic/kernel/kernels.h"
#include "machine_limits.h"

namespace bioptic {
namespace {

// Steps over random rows of a set of images, as training makes them.
class RandomSteps : public StepSource {
 public:
  RandomSteps(const std::vector<std::uint8_t>& images, std::size_t pixels, std::size_t batch,
              std::size_t count)
      : images_(images), pixels_(pixels), batch_(batch), left_(count), stream_(1, "bench rows") {}

  const Step* next() override {
    if (left_-- == 0) return nullptr;
    Step& step = steps_[left_ % 3];
    step.rows.resize(batch_);
    step.labels.assign(batch_, 0);
    step.coefficients.assign(batch_, 1.0F / static_cast<float>(batch_));
    for (std::size_t i = 0; i < batch_; ++i) {
      step.rows[i] = {&images_[stream_.below(images_.size() / pixels_) * pixels_], &map_};
      step.labels[i] = static_cast<std::int64_t>(i % 2);
    }
    step.lr = 1e-4;
    step.momentum = 0.9;
    logits_[left_ % 3].resize(batch_);
    step.logits = logits_[left_ % 3];
    return &step;
  }
  void done(const Step&) override { ends.push_back(std::chrono::steady_clock::now()); }

  std::vector<std::chrono::steady_clock::time_point> ends;

 private:
  const std::vector<std::uint8_t>& images_;
  std::size_t pixels_, batch_, left_;
  RandomStream stream_;
  PixelMap map_;
  Step steps_[3];
  std::vector<float> logits_[3];
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double median_step_seconds(Engine& engine, std::size_t pixels, std::size_t batch,
                           const std::vector<std::uint8_t>& images, std::size_t steps) {
  constexpr std::size_t kWarm = 5;
  RandomSteps source(images, pixels, batch, steps + kWarm);
  engine.run(source);
  std::vector<double> times;
  for (std::size_t i = kWarm; i < source.ends.size(); ++i) {
    times.push_back(std::chrono::duration<double>(source.ends[i] - source.ends[i - 1]).count());
  }
  return median(times);
}

struct Round {
  double bandwidth, triad, peak, step_s, limit_s;
  double fraction() const { return limit_s / step_s; }
};

double median_of(const std::vector<Round>& rounds, const std::function<double(const Round&)>& f) {
  std::vector<double> values;
  for (const Round& round : rounds) values.push_back(f(round));
  return median(values);
}

int run(int argc, char** argv) {
  CLI::App app{"How near a training step comes to this machine's limits"};
  int threads = available_processors();
  std::string isa, openblas;
  std::size_t rounds = 9, steps = 40, pixels = 65536;
  std::vector<std::size_t> batches = {10, 30, 100};
  std::vector<int> widths = {64, 128, 256, 512};
  app.add_option("--threads", threads)->check(CLI::Range(1, 1024));
  app.add_option("--isa", isa);
  app.add_option("--rounds", rounds)->check(CLI::Range(1, 1000));
  app.add_option("--steps", steps)->check(CLI::Range(1, 100000));
  app.add_option("--pixels", pixels)->check(CLI::Range(1, 1 << 24));
  app.add_option("--batch", batches)->delimiter(',');
  app.add_option("--hidden", widths)->delimiter(',');
  app.add_option("--openblas", openblas, "libscipy_openblas64_*.so of NumPy from PyPI");
  CLI11_PARSE(app, argc, argv);

  ThreadPool pool(threads);
  constexpr int kBestOf = 10;
  std::vector<std::uint8_t> images(2400 * pixels);
  RandomStream stream(1, "bench images");
  for (auto& p : images) p = static_cast<std::uint8_t>(stream.bits32());

  nlohmann::json out;
  out["threads"] = threads;
  out["isa"] = kernel::choose_kernels(isa).isa;
  out["pixels"] = pixels;
  if (!openblas.empty()) {
    // In turn, so that both see the machine at its best.
    constexpr std::size_t kSize = 4096;
    double peak = 0, sgemm = 0;
    for (int i = 0; i < kBestOf; ++i) {
      peak = std::max(peak, bench::multiply_add_peak(pool, 3));
      sgemm = std::max(sgemm, bench::sgemm_speed(openblas, threads, kSize));
    }
    out["peak_Gflop_s"] = peak / 1e9;
    out["sgemm_Gflop_s"] = sgemm / 1e9;
    std::cerr << "peak " << peak / 1e9 << " Gflop/s, sgemm " << sgemm / 1e9 << " Gflop/s\n";
  }
  for (const int hidden : widths) {
    const std::size_t weights = pixels * static_cast<std::size_t>(hidden);
    for (const std::size_t batch : batches) {
      EngineConfig config;
      config.pixels_per_channel = pixels;
      config.model.hidden = {hidden, 64};
      config.max_batch = batch;
      config.threads = threads;
      config.isa = isa;
      const std::unique_ptr<Engine> engine = make_engine("fused", config);
      engine->set_parameters(initial_parameters(layer_shapes(pixels, config.model, 1), 1));
      const double bytes = 24.0 * static_cast<double>(weights);
      const double operations = 4.0 * static_cast<double>(batch) * static_cast<double>(weights);
      std::vector<Round> measured;
      for (std::size_t i = 0; i < rounds; ++i) {
        Round r{};
        r.bandwidth = bench::read_modify_write_bandwidth(pool, weights, kBestOf);
        r.triad = bench::triad_bandwidth(pool, weights, kBestOf);
        r.peak = bench::multiply_add_peak(pool, kBestOf);
        r.step_s = median_step_seconds(*engine, pixels, batch, images, steps);
        r.limit_s = std::max(bytes / r.bandwidth, operations / r.peak);
        measured.push_back(r);
      }
      const auto [low, high] = std::minmax_element(
          measured.begin(), measured.end(),
          [](const Round& a, const Round& b) { return a.fraction() < b.fraction(); });
      const double fraction = median_of(measured, &Round::fraction);
      const double bandwidth = median_of(measured, [](const Round& r) { return r.bandwidth; });
      const double triad = median_of(measured, [](const Round& r) { return r.triad; });
      const double peak = median_of(measured, [](const Round& r) { return r.peak; });
      const double step_ms = 1e3 * median_of(measured, [](const Round& r) { return r.step_s; });
      const double limit_ms = 1e3 * median_of(measured, [](const Round& r) { return r.limit_s; });
      out["steps"].push_back(
          {{"hidden", hidden},
           {"batch", batch},
           {"rounds", rounds},
           {"step_ms", step_ms},
           {"limit_ms", limit_ms},
           {"fraction", fraction},
           {"fraction_low", low->fraction()},
           {"fraction_high", high->fraction()},
           {"limited_by", bytes / bandwidth > operations / peak ? "bytes" : "operations"},
           {"bandwidth_GB_s", bandwidth / 1e9},
           {"triad_GB_s", triad / 1e9},
           {"peak_Gflop_s", peak / 1e9}});
      std::cerr << "hidden " << hidden << ", batch " << batch << ": " << step_ms << " ms, limit "
                << limit_ms << " ms, fraction " << fraction << " [" << low->fraction() << ", "
                << high->fraction() << "]\n";
    }
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
    std::cerr << "roofline: error: " << e.what() << "\n";
    return 1;
  }
}
