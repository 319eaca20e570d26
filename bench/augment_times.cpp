// What augmentation adds to a training step.  JSON on standard output.
//
//   augment_times DATASET [--batch B] [--threads T] [--rounds N] [--isa NAME]
//
// In every round one epoch is trained without augmentation and one with each of several settings,
// in turn, because the machine's speed changes from minute to minute.  A setting's "step_ms" is the
// median over rounds of the median step, "added_ms" the median over rounds of the difference to the
// same round's step without augmentation.  "alone_ms" is the time that changing one batch takes by
// itself.  Model and optimizer are the report's: hidden layers of 64 and 64, Adam.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bioptic/base/error.h"
#include "bioptic/base/parallel.h"
#include "bioptic/kernel/augment.h"
#include "bioptic/train/augment.h"
#include "bioptic/train/trial.h"

namespace bioptic {
namespace {

using Clock = std::chrono::steady_clock;

struct Setting {
  const char* name;
  AugmentSpec spec;
  std::vector<double> steps, added;  // ms, by round
};

std::vector<Setting> settings() {
  AugmentSpec position, tone, noise, all;
  position.shift = 0.05, position.rotate = 10, position.scale = 0.1, position.flip = true;
  tone.brightness = 0.1, tone.contrast = 0.1;
  noise.noise = 4;
  all = position;
  all.brightness = all.contrast = 0.1;
  AugmentSpec everything = all;
  everything.noise = 4;
  return {{"none", {}, {}, {}},
          {"shift, rotate, scale, flip", position, {}, {}},
          {"brightness, contrast", tone, {}, {}},
          {"noise", noise, {}, {}},
          {"all but noise", all, {}, {}},
          {"all", everything, {}, {}}};
}

double milliseconds(Clock::time_point from, Clock::time_point to) {
  return 1e3 * std::chrono::duration<double>(to - from).count();
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// The median step of one epoch, in ms.
double median_step(const TrialSpec& spec, const Dataset& dataset, const Groups& groups,
                   const SplitPlan& plan, TrialControl control) {
  std::vector<double> steps;
  Clock::time_point last = Clock::now();
  control.on_step = [&](std::int64_t number, const Step&, double, std::span<const std::uint32_t>) {
    const Clock::time_point now = Clock::now();
    if (number >= 5) steps.push_back(milliseconds(last, now));  // the first warm up
    last = now;
  };
  run_trial(spec, dataset, groups, plan, control);
  return median(steps);
}

// Changing one batch by itself, the median of several, in ms.
double alone(const AugmentSpec& spec, const Dataset& dataset, std::size_t batch, int threads,
             const std::string& isa) {
  if (!spec.any()) return 0;
  const DatasetInfo& info = dataset.info();
  Augmenter augmenter(spec, static_cast<std::size_t>(info.channels),
                      static_cast<std::size_t>(info.height), static_cast<std::size_t>(info.width),
                      0, isa);
  ThreadPool pool(threads);
  std::vector<std::uint8_t> out(batch * augmenter.pixels_per_image());
  std::vector<double> times;
  for (int epoch = 1; epoch <= 40; ++epoch) {
    std::vector<const std::uint8_t*> pixels;
    std::vector<AugmentedImage> images;
    for (std::size_t i = 0; i < batch; ++i) {
      const std::size_t row = (static_cast<std::size_t>(epoch) * batch + i) % dataset.size();
      pixels.push_back(dataset.image8(row).data());
      images.push_back({static_cast<std::uint32_t>(row), epoch, 0});
    }
    const Clock::time_point begin = Clock::now();
    augmenter.apply(pixels, images, pool, out.data());
    if (epoch > 5) times.push_back(milliseconds(begin, Clock::now()));
  }
  return median(times);
}

int run(int argc, char** argv) {
  CLI::App app{"What augmentation adds to a training step"};
  std::string data, isa;
  int threads = available_processors(), rounds = 5, batch = 30;
  app.add_option("DATASET", data)->required();
  app.add_option("--batch", batch)->check(CLI::Range(1, 100000));
  app.add_option("--threads", threads)->check(CLI::Range(1, 1024));
  app.add_option("--rounds", rounds)->check(CLI::Range(1, 1000));
  app.add_option("--isa", isa);
  CLI11_PARSE(app, argc, argv);

  const Dataset dataset = Dataset::open(data);
  TrialSpec spec;
  spec.train.epochs = 1;
  spec.train.batch_size = batch;
  if (dataset.info().classes.size() > 2) spec.train.loss.kind = LossKind::cross_entropy;
  const Groups groups = find_groups(dataset, "");
  const SplitPlan plan = plan_splits(dataset, groups, spec.split);
  TrialControl control;
  control.threads = threads;
  control.isa = isa;

  std::vector<Setting> all = settings();
  for (int round = 0; round < rounds; ++round) {
    for (Setting& setting : all) {
      spec.train.augment = setting.spec;
      setting.steps.push_back(median_step(spec, dataset, groups, plan, control));
      setting.added.push_back(setting.steps.back() - all.front().steps.back());
    }
  }
  nlohmann::json list = nlohmann::json::array();
  for (const Setting& setting : all) {
    list.push_back({{"augment", setting.name},
                    {"step_ms", median(setting.steps)},
                    {"added_ms", median(setting.added)},
                    {"alone_ms",
                     alone(setting.spec, dataset, static_cast<std::size_t>(batch), threads, isa)}});
  }
  std::cout << nlohmann::json{{"settings", list},
                              {"batch", batch},
                              {"height", dataset.info().height},
                              {"width", dataset.info().width},
                              {"channels", dataset.info().channels},
                              {"threads", threads},
                              {"rounds", rounds},
                              {"isa", kernel::choose_augment_kernels(isa).isa}}
                   .dump(2)
            << "\n";
  return 0;
}

}  // namespace
}  // namespace bioptic

int main(int argc, char** argv) {
  try {
    return bioptic::run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "augment_times: error: " << e.what() << "\n";
    return 1;
  }
}
