#include "bioptic/study/choose_jobs.h"

#include <unistd.h>

#include <algorithm>

#include "bioptic/base/parallel.h"

namespace bioptic {
namespace {

// Weights, two moments and a copy of the weights for the best epoch or the result.
double bytes_of_trial(const PlannedStudy& study, const PlannedTrial& trial) {
  const Dataset& dataset = study.data.dataset;
  const int outputs =
      output_count(trial.spec.train.loss.kind, static_cast<int>(dataset.info().classes.size()));
  double parameters = 0;
  for (const LayerShape& shape :
       layer_shapes(dataset.pixels_per_image(), trial.spec.train.model, outputs)) {
    parameters += static_cast<double>(shape.in * shape.out + shape.out);
  }
  return 4 * 4 * parameters;
}

double free_bytes() {
  return static_cast<double>(::sysconf(_SC_AVPHYS_PAGES)) *
         static_cast<double>(::sysconf(_SC_PAGESIZE));
}

// Seconds of one trial while `jobs` of them run at once.
double seconds_of_trial(const PlannedStudy& study, const PlannedTrial& trial,
                        const TrialControl& control, int jobs) {
  std::vector<double> seconds(static_cast<std::size_t>(jobs));
  const auto measure = [&](std::size_t job) {
    seconds[job] = estimate_seconds(trial.spec, study.data.dataset_of(trial.spec),
                                    study.data.groups, study.data.plan_of(trial.spec), control);
  };
  ThreadPool(jobs).run(seconds.size(), measure);  // what one throws is thrown here
  return *std::max_element(seconds.begin(), seconds.end());
}

}  // namespace

std::vector<Division> measure_divisions(const PlannedStudy& study, const PlannedTrial& trial,
                                        std::size_t missing, int processors,
                                        const std::string& isa) {
  std::vector<Division> divisions;
  const double room = free_bytes() / 2, each = bytes_of_trial(study, trial);
  for (int jobs = 1; jobs <= processors; ++jobs) {
    if (processors % jobs != 0 || static_cast<std::size_t>(jobs) > missing) continue;
    if (jobs > 1 && each * jobs > room) break;
    Division division{jobs, processors / jobs, 0};
    TrialControl control;
    control.threads = division.threads;
    control.isa = isa;
    const auto at_once = static_cast<std::size_t>(jobs);
    const std::size_t rounds = (missing + at_once - 1) / at_once;
    division.seconds = static_cast<double>(rounds) * seconds_of_trial(study, trial, control, jobs);
    divisions.push_back(division);
  }
  std::stable_sort(divisions.begin(), divisions.end(),
                   [](const Division& a, const Division& b) { return a.seconds < b.seconds; });
  return divisions;
}

}  // namespace bioptic
