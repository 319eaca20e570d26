// Trains what is missing.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "bioptic/store/store.h"
#include "bioptic/study/prepare_data.h"
#include "bioptic/study/spec.h"

namespace bioptic {

// One study with its data and its trials, ready to run.
struct PlannedStudy {
  StudySpec spec;
  PreparedData data;
  std::vector<PlannedTrial> trials;
};

struct ExecutorOptions {
  std::filesystem::path out;
  int jobs = 1;     // trials at once
  int threads = 1;  // of each
  std::string isa;
  bool trace = false;
  SaveModels save_models = SaveModels::first;
  const std::atomic<bool>* stop = nullptr;  // set by a signal handler
  // Epochs done of all epochs of this study's missing trials, and where it stands in words.  These
  // two are called by one thread at a time.
  std::function<void(double done, double total, const std::string& where)> progress;
  std::function<void(const std::string& line)> note;  // a trial ended badly, ...
};

struct ExecutorOutcome {
  int trained = 0, found = 0, collapsed = 0, failed = 0;  // trials of this study
};

// Every trial that the store does not hold as finished, begun in order, `jobs` at once; each is
// committed when it is done.  A model is in place before its trial is committed.  What a trial
// gives does not depend on jobs or threads.  Throws Interrupted when `stop` was set: then nothing
// of the trials in flight is kept.
ExecutorOutcome execute(const PlannedStudy& study, Store& store, const ExecutorOptions& options);

// Where a trial's model is saved: <out>/<study>/models/<arm>-seed<k>.safetensors.
std::filesystem::path model_path(const std::filesystem::path& out, const StudySpec& study,
                                 const PlannedTrial& trial);
// Whether it is, by save_models: "first" = the first seed of every arm.
bool saves_model(SaveModels save, const PlannedStudy& study, const PlannedTrial& trial);

// Name as a part of a file name: letters, digits, '.', '_', '-', '='; anything else becomes '_'.
std::string file_name(const std::string& name);
// That of an arm, with "-2" behind where one before it is written alike: "a 1" after "a_1".
std::string arm_file_name(const StudySpec& study, std::size_t arm);

}  // namespace bioptic
