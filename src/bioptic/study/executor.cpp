#include "bioptic/study/executor.h"

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <mutex>
#include <new>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/base/exception_text.h"
#include "bioptic/base/files.h"
#include "bioptic/base/parallel.h"
#include "bioptic/data/unchanged.h"
#include "bioptic/kernel/kernels.h"
#include "bioptic/model/safetensors.h"
#include "bioptic/study/collapse.h"
#include "bioptic/study/environment.h"
#include "bioptic/study/model_images.h"
#include "bioptic/study/model_seal.h"
#include "bioptic/study/trace.h"
#include "bioptic/train/weights.h"

namespace bioptic {
namespace fs = std::filesystem;
namespace {

// How the images were fitted to their size: as the dataset was imported, which need not be by this
// study.
std::string fit_of(const nlohmann::json& preprocessing) {
  const std::string fit = preprocessing.value("fit", "");
  return fit == "pad" || fit == "crop" ? fit : "stretch";
}

// The id of the trial whose model a file holds; "unreadable" for anything else.
std::string trial_of_model(const fs::path& path) {
  try {
    const std::map<std::string, std::string> metadata = read_safetensors_metadata(path);
    const auto id = metadata.find("trial");
    if (id != metadata.end() && id->second.size() == 64) return id->second;
  } catch (const InputError&) {
  }
  return "unreadable";
}

// A model of this very trial is in its place (not of other settings under the same names).
bool has_model(const fs::path& path, const PlannedTrial& trial) {
  return fs::exists(path) && trial_of_model(path) == trial.id;
}

// Every model under `out`, by trial.
std::map<std::string, fs::path> saved_models(const fs::path& out) {
  std::map<std::string, fs::path> models;
  for (const auto& study : fs::directory_iterator(out)) {
    const fs::path folder = study.path() / "models";
    if (!fs::is_directory(folder)) continue;
    for (const auto& file : fs::directory_iterator(folder)) {
      if (file.path().extension() == ".safetensors") models[trial_of_model(file)] = file;
    }
  }
  return models;
}

std::string environment_json(const Environment& e) {
  return nlohmann::json{{"bioptic", e.version},     {"compiler", e.compiler},
                        {"processor", e.processor}, {"processors", std::to_string(e.processors)},
                        {"system", e.system},       {"host", e.host}}
      .dump();
}

// Everything that `eval` and `predict` need, as the file format wants it: text by key.
// images: traits_of() the study's dataset.
std::map<std::string, std::string> model_metadata(const PlannedStudy& study,
                                                  const PlannedTrial& trial,
                                                  const TrialResult& result,
                                                  std::span<const ImageTraits> images) {
  const DatasetInfo& info = study.data.dataset.info();
  const TrainSpec& train = trial.spec.train;
  auto preprocessing = nlohmann::json::parse(info.preprocessing, nullptr, false);
  if (!preprocessing.is_object()) preprocessing = nlohmann::json::object();
  std::string classes;
  for (const std::string& name : info.classes) classes += (classes.empty() ? "" : "\n") + name;
  const bool fitted = train.normalisation.kind != NormalisationKind::pixel;
  std::map<std::string, std::string> metadata{
      // A program that does not know of normalisation would predict wrongly: it is to refuse.
      {"bioptic_model", fitted ? "2" : "1"},
      {"classes", classes},
      {"positive", info.classes[static_cast<std::size_t>(trial.spec.positive)]},
      {"channels", std::to_string(info.channels)},
      {"height", std::to_string(info.height)},
      {"width", std::to_string(info.width)},
      {"fit", fit_of(preprocessing)},
      fitted ? std::pair("normalisation", result.normalisation)
             : std::pair("pixel_scale", std::string("1/255")),
      {"preprocessing", preprocessing.dump()},
      // Of the dataset as it was imported, before any window.
      {"dataset_sha256", preprocessing.value("window_of", info.content_hash)},
      {"validation", study.data.plan_of(trial.spec).val_from_source ? "source" : "drawn"},
      {"split", canonical_json(trial.spec.split)},
      {"group", trial.spec.group_pattern},
      {"train", canonical_json(train)},
      {"threshold", fmt::format("{}", result.threshold)},
      {"threshold_rule", bioptic::name_of(train.threshold.kind)},
      {"study", study.spec.name},
      {"arm", study.spec.arms[trial.arm].name},
      {"seed", std::to_string(trial.seed)},
      {"trial", trial.id},
      {"weights_sha256", result.weights_sha256}};
  const SplitPlan& plan = study.data.plan_of(trial.spec);
  const Splits splits = draw_splits(study.data.dataset, study.data.groups, trial.spec.split, plan,
                                    trial.spec.seeds.split);
  metadata.merge(image_entries(study.data.dataset, trial.spec.split, splits, plan.holdout, images));
  if (train.loss.balanced) {
    metadata["class_weight"] =
        nlohmann::json(
            balanced_class_weights(count_classes(study.data.dataset, splits.train), info.classes))
            .dump();
  }
  seal(metadata);
  return metadata;
}

// Weights and moments are megabytes, allocated anew for every trial on threads of its own, with
// small blocks that live longer in between.  The heaps of glibc keep what was freed below those:
// 0.5 to 1.3 MB a trial.  Milliseconds a trial.
void return_free_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

struct Work {
  const PlannedStudy& study;
  Store& store;
  const ExecutorOptions& options;
  UnchangedDataset dataset;
  // Guards all below, the store and the callbacks: trials run at once.
  std::mutex mutex;
  double done = 0, total = 0;                                             // epochs
  std::map<std::string, std::chrono::steady_clock::time_point> reported;  // by trial
  std::vector<ImageTraits> images;  // of the dataset; measured when the first model is saved
  std::exception_ptr error;         // of the first trial that could not go on
  ExecutorOutcome outcome;

  bool stopped() const { return options.stop != nullptr && *options.stop; }
  void make(const PlannedTrial& trial, bool found, const std::string& environment);
  TrialResult train(const PlannedTrial& trial, TraceWriter* trace);
  void report_running(const PlannedTrial& trial, int epoch);
  void save_model_of(const PlannedTrial& trial, const TrialResult& result);
  bool copy_model_of(const PlannedTrial& trial, const std::map<std::string, fs::path>& saved);
};

// For `bioptic status` alone: a write a second is enough, and one that fails does no harm (a full
// disk shows itself when the trial is committed).
void Work::report_running(const PlannedTrial& trial, int epoch) {
  const auto now = std::chrono::steady_clock::now();
  if (epoch > 0 && now - reported[trial.id] < std::chrono::seconds(1)) return;
  reported[trial.id] = now;
  try {
    store.set_running({trial.id, static_cast<long>(::getpid()), epoch, trial.spec.train.epochs});
  } catch (const Failure&) {
  }
}

TrialResult Work::train(const PlannedTrial& trial, TraceWriter* trace) {
  const std::string where = fmt::format("{}, seed {}", study.spec.arms[trial.arm].name, trial.seed);
  int epochs_done = 0;
  {
    const std::lock_guard lock(mutex);
    report_running(trial, 0);
  }
  TrialControl control;
  control.threads = options.threads;
  control.isa = options.isa;
  control.on_epoch = [&](const EpochRecord& record, int epochs) {
    const std::lock_guard lock(mutex);
    epochs_done = record.epoch;
    done += 1;
    if (options.progress) {
      options.progress(done, total,
                       fmt::format("{}: epoch {} of {}, validation {:.1f} %", where, record.epoch,
                                   epochs, 100 * record.val_accuracy));
    }
    report_running(trial, record.epoch);
    return !stopped() && !error;
  };
  if (trace != nullptr) {
    control.on_step = [trace](std::int64_t number, const Step& step, double loss,
                              std::span<const std::uint32_t> rows) {
      trace->add(number, step, loss, rows);
    };
  }
  TrialResult result;
  try {
    result = run_trial(trial.spec, study.data.dataset_of(trial.spec), study.data.groups,
                       study.data.plan_of(trial.spec), control);
  } catch (const Interrupted&) {
    throw;
  } catch (const std::exception& e) {
    result.status = TrialStatus::failed;
    result.error = exception_text(e);
  }
  const std::lock_guard lock(mutex);
  done += trial.spec.train.epochs - epochs_done;  // stopped early
  if (options.note && result.status != TrialStatus::done) {
    options.note(
        result.status == TrialStatus::failed
            ? fmt::format("{}: failed: {}", where, result.error)
            : fmt::format("{}: collapsed ({})", where, collapse_words(result, trial.spec.train)));
  }
  return result;
}

// Trains a trial, writes its files and commits it.  `found`: the store has it, its files are
// missing.
void Work::make(const PlannedTrial& trial, bool found, const std::string& environment) {
  return_free_memory();
  TraceWriter trace;
  const TrialResult result = train(trial, options.trace ? &trace : nullptr);
  const std::lock_guard lock(mutex);
  dataset.require();
  if (result.status != TrialStatus::failed) {
    if (found) {
      const std::optional<TrialResult> before = store.trial(trial.id, false);
      if (before && before->weights_sha256 != result.weights_sha256) {
        throw Failure(fmt::format(
            "{} seed {} was trained again for its files and gave other weights ({} before, {} "
            "now); the same bits are promised: please report this with the store",
            study.spec.arms[trial.arm].name, trial.seed, before->weights_sha256.substr(0, 12),
            result.weights_sha256.substr(0, 12)));
      }
    }
    if (options.trace) {
      trace.write(trace_path(options.out, study.spec, trial), study, trial, options.threads);
    }
    if (saves_model(options.save_models, study, trial)) save_model_of(trial, result);
  }
  if (!found) {
    store.save_trial(trial.id,
                     {canonical_json(trial.spec),
                      trial.spec.engine == "fused" ? kernel::choose_kernels(options.isa).isa : "",
                      environment, options.threads},
                     result);
  }
  ++outcome.trained;
  outcome.failed += result.status == TrialStatus::failed ? 1 : 0;
  outcome.collapsed += result.status == TrialStatus::collapsed ? 1 : 0;
}

void Work::save_model_of(const PlannedTrial& trial, const TrialResult& result) {
  const fs::path path = model_path(options.out, study.spec, trial);
  if (fs::exists(path)) {
    const MappedFile readable(path);  // throws: what cannot be read now is not to be moved away
    const std::string other = trial_of_model(path);
    if (other == trial.id) return;
    // Of other settings under the same names: kept beside, by its trial's id.
    fs::rename(path, path.parent_path() / fmt::format("{}.{}.safetensors", path.stem().string(),
                                                      other.substr(0, 12)));
  }
  if (images.empty()) {
    ThreadPool pool(std::max(1, options.threads));
    images = traits_of(study.data.dataset, pool);
  }
  write_file(path, to_safetensors(result.weights, trial.spec.train.model.dropout > 0,
                                  model_metadata(study, trial, result, images)));
}

// A finished trial whose model another study has saved, or this one under other settings since:
// the same weights, written for this study.  False when there is none.
bool Work::copy_model_of(const PlannedTrial& trial, const std::map<std::string, fs::path>& saved) {
  const auto it = saved.find(trial.id);
  if (it == saved.end()) return false;
  TrialResult result = store.trial(trial.id, false).value();
  const SavedModel saved_model = read_safetensors(it->second);
  if (!broken_seal(saved_model.metadata).empty()) return false;
  result.weights = saved_model.parameters;
  if (const auto fitted = saved_model.metadata.find("normalisation");
      fitted != saved_model.metadata.end()) {
    result.normalisation = fitted->second;
  }
  if (parameters_sha256(result.weights) != result.weights_sha256) return false;
  save_model_of(trial, result);
  return true;
}

}  // namespace

std::string file_name(const std::string& name) {
  std::string out;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '-' || c == '=';
    out += plain ? c : '_';
  }
  return out.empty() || out[0] == '.' ? "_" + out : out;
}

std::string arm_file_name(const StudySpec& study, std::size_t arm) {
  std::set<std::string> taken;
  std::string name;
  for (std::size_t a = 0; a <= arm; ++a) {
    const std::string own = file_name(study.arms[a].name);
    name = own;
    for (int k = 2; !taken.insert(name).second; ++k) name = fmt::format("{}-{}", own, k);
  }
  return name;
}

fs::path model_path(const fs::path& out, const StudySpec& study, const PlannedTrial& trial) {
  return out / study.name / "models" /
         fmt::format("{}-seed{}.safetensors", arm_file_name(study, trial.arm), trial.seed);
}

bool saves_model(SaveModels save, const PlannedStudy& study, const PlannedTrial& trial) {
  if (save == SaveModels::none) return false;
  if (save == SaveModels::all) return true;
  for (const PlannedTrial& other : study.trials) {
    if (other.arm == trial.arm && other.seed < trial.seed) return false;
  }
  return true;
}

ExecutorOutcome execute(const PlannedStudy& study, Store& store, const ExecutorOptions& options) {
  // A trial is to be made when the store lacks it, or lacks its trace or model that is asked for.
  const auto finished = [&](const PlannedTrial& trial) {
    const std::optional<TrialStatus> status = store.status(trial.id);
    return status && *status != TrialStatus::failed;
  };
  const auto lacks_trace = [&](const PlannedTrial& trial) {
    return options.trace && !has_trace(trace_path(options.out, study.spec, trial), trial.id);
  };
  const auto lacks_model = [&](const PlannedTrial& trial) {
    return saves_model(options.save_models, study, trial) &&
           !has_model(model_path(options.out, study.spec, trial), trial);
  };
  Work work{study, store, options, UnchangedDataset(study.data.dataset), {}, 0, 0, {}, {}, {}, {}};
  const std::map<std::string, fs::path> saved = saved_models(options.out);
  std::vector<std::pair<const PlannedTrial*, bool>> missing;  // trial, whether the store has it
  std::vector<const PlannedTrial*> twins;  // two arms of the same settings are one trial
  std::set<std::string> begun;
  for (const PlannedTrial& trial : study.trials) {
    const bool found = finished(trial);
    if (found && lacks_model(trial)) work.copy_model_of(trial, saved);
    if (found && !lacks_model(trial) && !lacks_trace(trial)) {
      ++work.outcome.found;
    } else if (!begun.insert(trial.id).second) {
      twins.push_back(&trial);
    } else {
      missing.emplace_back(&trial, found);
      work.total += trial.spec.train.epochs;
    }
  }
  const std::string environment = environment_json(this_environment());
  std::atomic<std::size_t> next{0};
  const auto job = [&] {
    try {
      for (std::size_t i = next++; i < missing.size(); i = next++) {
        if (work.stopped()) throw Interrupted("stopped between two trials");
        work.make(*missing[i].first, missing[i].second, environment);
      }
    } catch (...) {
      const std::lock_guard lock(work.mutex);
      if (!work.error) work.error = std::current_exception();
      next = missing.size();
    }
  };
  std::vector<std::thread> others;
  const auto jobs = std::min(missing.size(), static_cast<std::size_t>(std::max(1, options.jobs)));
  try {
    for (std::size_t j = 1; j < jobs; ++j) others.emplace_back(job);
  } catch (const std::system_error&) {
    // The system gives no more threads: the jobs there are do it all.
  } catch (const std::bad_alloc&) {
    // Nor memory for them.
  }
  job();
  for (std::thread& other : others) other.join();
  if (work.error) std::rethrow_exception(work.error);
  for (const PlannedTrial* twin : twins) {
    const bool found = finished(*twin);  // not if it failed
    if (found && lacks_model(*twin)) work.copy_model_of(*twin, saved_models(options.out));
    if (found && !lacks_model(*twin) && !lacks_trace(*twin)) {
      ++work.outcome.found;
    } else {
      work.make(*twin, found, environment);
    }
  }
  return work.outcome;
}

}  // namespace bioptic
