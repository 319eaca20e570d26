// `--trace`: everything that another program needs to train the same trial, and the losses to hold
// it against.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "bioptic/engine/engine.h"
#include "bioptic/study/executor.h"

namespace bioptic {

// Collects a trial's steps and writes, as a whole, the folder
//   spec.json            the trial's specification, the dataset's path, classes, size, threads
//   initial.safetensors  weights before the first step
//   order.csv            step, rows (of the dataset, separated by spaces)
//   steps.csv            step, lr, momentum, loss (of the batch, before the update)
class TraceWriter {
 public:
  void add(std::int64_t number, const Step& step, double loss, std::span<const std::uint32_t> rows);
  void write(const std::filesystem::path& folder, const PlannedStudy& study,
             const PlannedTrial& trial, int threads) const;

 private:
  std::string order_ = "step,rows\n", steps_ = "step,lr,momentum,loss\n";
};

// True when the folder holds the trace of that trial.
bool has_trace(const std::filesystem::path& folder, const std::string& trial_id);

// <out>/<study>/trace/<arm>/seed<k>
std::filesystem::path trace_path(const std::filesystem::path& out, const StudySpec& study,
                                 const PlannedTrial& trial);

}  // namespace bioptic
