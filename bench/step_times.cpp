// The time of every step of one trial, as `bioptic run` trains it.  JSON on standard output.
//
//   step_times STUDY.toml --data DATASET [--steps N] [--threads T] [--isa NAME] [--engine NAME]
//
// Trains the first arm's seed 0 and stops after N steps; a step includes making the batch, reading
// its logits and the running loss.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bioptic/base/error.h"
#include "bioptic/base/parallel.h"
#include "bioptic/engine/engine.h"
#include "bioptic/kernel/kernels.h"
#include "bioptic/study/prepare_data.h"
#include "bioptic/study/spec.h"
#include "bioptic/train/trial.h"

namespace bioptic {
namespace {

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

int run(int argc, char** argv) {
  using Clock = std::chrono::steady_clock;
  CLI::App app{"The time of every step of one trial"};
  std::string study_file, data, isa, engine = "fused";
  int threads = available_processors();
  std::size_t steps = 60;
  app.add_option("STUDY", study_file)->required();
  app.add_option("--data", data)->required();
  app.add_option("--steps", steps)->check(CLI::Range(10, 1000000));
  app.add_option("--threads", threads)->check(CLI::Range(1, 1024));
  app.add_option("--isa", isa);
  app.add_option("--engine", engine);
  CLI11_PARSE(app, argc, argv);

  const StudySpec study = parse_study(study_file);
  PrepareOptions prepare;
  prepare.data = data;
  prepare.out = ".";
  const PreparedData prepared = prepare_data(study, prepare);
  const std::vector<PlannedTrial> trials =
      expand(study, prepared.study_data(), engine, engine_numerics_version(engine));

  std::vector<double> step_seconds, evaluation_seconds;
  Clock::time_point last = Clock::now();
  TrialControl control;
  control.threads = threads;
  control.isa = isa;
  control.on_step = [&](std::int64_t, const Step&, double, std::span<const std::uint32_t>) {
    const Clock::time_point now = Clock::now();
    step_seconds.push_back(std::chrono::duration<double>(now - last).count());
    last = now;
  };
  control.on_epoch = [&](const EpochRecord&, int) {
    const Clock::time_point now = Clock::now();
    evaluation_seconds.push_back(std::chrono::duration<double>(now - last).count());
    last = now;
    return step_seconds.size() < steps;
  };
  try {
    run_trial(trials.front().spec, prepared.dataset, prepared.groups, prepared.plan, control);
  } catch (const Interrupted&) {  // enough steps
  }
  step_seconds.erase(step_seconds.begin(), step_seconds.begin() + 5);  // the first warm up
  std::cout << nlohmann::json{{"step_ms", 1e3 * median(step_seconds)},
                              {"evaluation_ms", 1e3 * median(evaluation_seconds)},
                              {"steps", step_seconds.size()},
                              {"threads", threads},
                              {"isa", kernel::choose_kernels(isa).isa}}
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
    std::cerr << "step_times: error: " << e.what() << "\n";
    return 1;
  }
}
