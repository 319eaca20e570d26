// How near a training step comes to this machine's limits.  JSON on standard output.
//
//   roofline [--threads T] [--isa NAME] [--steps N] [--pixels N] [--batch B,...] [--hidden H,...]
//
// limit = max(bytes / bandwidth, operations / peak): w, m and v of the first layer read and written
// once (24 bytes a weight), and two products of 2 B D H operations; both limits are measured in the
// same run as the step, on the same threads.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
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

double median_step_seconds(const EngineConfig& config, const std::vector<std::uint8_t>& images,
                           std::size_t steps) {
  const std::unique_ptr<Engine> engine = make_engine("fused", config);
  engine->set_parameters(
      initial_parameters(layer_shapes(config.pixels_per_channel, config.model, 1), 1));
  RandomSteps source(images, config.pixels_per_channel, config.max_batch, steps + 5);
  engine->run(source);
  std::vector<double> times;
  for (std::size_t i = 5; i < source.ends.size(); ++i) {  // the first warm up
    times.push_back(std::chrono::duration<double>(source.ends[i] - source.ends[i - 1]).count());
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2),
                   times.end());
  return times[times.size() / 2];
}

int run(int argc, char** argv) {
  CLI::App app{"How near a training step comes to this machine's limits"};
  int threads = available_processors();
  std::string isa;
  std::size_t steps = 60, pixels = 65536;
  std::vector<std::size_t> batches = {10, 30, 100};
  std::vector<int> widths = {64, 128, 256, 512};
  app.add_option("--threads", threads)->check(CLI::Range(1, 1024));
  app.add_option("--isa", isa);
  app.add_option("--steps", steps)->check(CLI::Range(1, 100000));
  app.add_option("--pixels", pixels)->check(CLI::Range(1, 1 << 24));
  app.add_option("--batch", batches)->delimiter(',');
  app.add_option("--hidden", widths)->delimiter(',');
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
  for (const int hidden : widths) {
    const std::size_t weights = pixels * static_cast<std::size_t>(hidden);
    for (const std::size_t batch : batches) {
      const double bandwidth = bench::read_modify_write_bandwidth(pool, weights, kBestOf);
      const double triad = bench::triad_bandwidth(pool, weights, kBestOf);
      const double peak = bench::multiply_add_peak(pool, kBestOf);
      EngineConfig config;
      config.pixels_per_channel = pixels;
      config.model.hidden = {hidden, 64};
      config.max_batch = batch;
      config.threads = threads;
      config.isa = isa;
      const double seconds = median_step_seconds(config, images, steps);
      const double bytes = 24.0 * static_cast<double>(weights);
      const double operations = 4.0 * static_cast<double>(batch) * static_cast<double>(weights);
      const double limit = std::max(bytes / bandwidth, operations / peak);
      out["steps"].push_back(
          {{"hidden", hidden},
           {"batch", batch},
           {"step_ms", 1e3 * seconds},
           {"limit_ms", 1e3 * limit},
           {"fraction", limit / seconds},
           {"limited_by", bytes / bandwidth > operations / peak ? "bytes" : "operations"},
           {"bandwidth_GB_s", bandwidth / 1e9},
           {"triad_GB_s", triad / 1e9},
           {"peak_Gflop_s", peak / 1e9}});
      std::cerr << "hidden " << hidden << ", batch " << batch << ": " << 1e3 * seconds << " ms, "
                << limit / seconds << " of the limit\n";
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
