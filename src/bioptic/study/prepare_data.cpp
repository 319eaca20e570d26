#include "bioptic/study/prepare_data.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/sha256.h"
#include "bioptic/base/temporary_folder.h"
#include "bioptic/data/group_search.h"
#include "bioptic/data/import.h"
#include "bioptic/data/phantom.h"
#include "bioptic/data/window.h"
#include "bioptic/study/weights_said.h"
#include "bioptic/train/normaliser.h"

namespace bioptic {
namespace fs = std::filesystem;
namespace {

// An environment variable, null when it is not set or empty.
const char* set_variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? nullptr : value;
}

// A cache folder that can be written.
fs::path cache_folder(const fs::path& out) {
  std::vector<fs::path> places;
  if (const char* set = set_variable("BIOPTIC_CACHE")) {
    places.emplace_back(set);
  } else if (const char* xdg = set_variable("XDG_CACHE_HOME")) {
    places.push_back(fs::path(xdg) / "bioptic");
  } else if (const char* home = set_variable("HOME")) {
    places.push_back(fs::path(home) / ".cache" / "bioptic");
  }
  places.push_back(out / ".cache");
  for (const fs::path& place : places) {
    std::error_code error;
    fs::create_directories(place, error);
    if (!error && ::access(place.c_str(), W_OK) == 0) return place;
  }
  throw InputError("no folder for cached datasets can be written; set BIOPTIC_CACHE to one");
}

// Held while something is put into the cache: a second run that wants the same data waits for the
// first one's instead of making them again, and what a killed one left behind can be cleared.
class CacheLock {
 public:
  explicit CacheLock(const fs::path& cache) {
    const fs::path file = cache / ".bioptic.lock";
    fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0 || ::flock(fd_, LOCK_EX) != 0) {
      throw Failure(file.string() + ": cannot be locked: " + std::strerror(errno));
    }
  }
  ~CacheLock() { ::close(fd_); }
  CacheLock(const CacheLock&) = delete;
  CacheLock& operator=(const CacheLock&) = delete;

 private:
  int fd_ = -1;
};

// The folder `name` in the cache, made first by `make` where it is not there.
fs::path cached(const fs::path& cache, const std::string& name,
                const std::function<void(const fs::path&)>& make) {
  fs::path folder = cache / name;
  if (fs::exists(folder)) return folder;
  const CacheLock lock(cache);
  remove_stale_temporaries(cache);
  if (!fs::exists(folder)) make(folder);
  return folder;
}

// Every dataset that is trained on is held against its recorded SHA-256, so that a trial's id,
// which has that hash in it, says which pixels it saw.
Dataset open_cached(const fs::path& folder) {
  try {
    return Dataset::open(folder, true);
  } catch (const InputError& e) {
    throw InputError(fmt::format(
        "{} (a folder of the cache: remove {}, and the next run makes it "
        "again)",
        e.what(), (folder.filename() == "dataset" ? folder.parent_path() : folder).string()));
  }
}

Dataset phantom_dataset(const PhantomSpec& spec, const fs::path& cache,
                        const PrepareOptions& options) {
  const std::string key =
      fmt::format("phantom {} train {} test {} shift {} seed {} size {}", kPhantomVersion,
                  spec.train, spec.test, spec.shift, spec.seed, spec.size);
  const std::string name = "phantom-" + sha256_hex(key).substr(0, 16);
  return open_cached(cached(cache, name, [&](const fs::path& folder) {
    make_phantom(spec, folder, options.threads, [&](std::size_t done, std::size_t total) {
      if (options.progress) options.progress("Making the phantom", done, total);
    });
  }));
}

Dataset imported_dataset(const fs::path& source, const DataSpec& data, const fs::path& cache,
                         const PrepareOptions& options, std::vector<std::string>& notes) {
  ImportOptions import;
  import.size = data.size;
  import.channels = data.channels;
  import.fit = data.fit;
  import.threads = options.threads;
  // The dataset, and beside it what the import had to say, for the runs that find it here.
  const std::string name = "import-" + source_hash(source, import).substr(0, 16);
  const fs::path folder = cached(cache, name, [&](const fs::path& place) {
    TemporaryFolder temporary(place);
    const ImportReport report = import_source(source, temporary.path() / "dataset", import,
                                              [&](std::size_t done, std::size_t total) {
                                                if (options.progress)
                                                  options.progress("Importing", done, total);
                                              });
    write_file(temporary.path() / "notes.txt", fmt::format("{}", fmt::join(report.notes, "\n")));
    temporary.become(place);
  });
  std::istringstream lines(read_file(folder / "notes.txt"));
  for (std::string line; std::getline(lines, line);) notes.push_back(line);
  return open_cached(folder / "dataset");
}

void check_fits(const Dataset& dataset, const StudySpec& study) {
  const DatasetInfo& info = dataset.info();
  const DataSpec& data = study.data;
  const auto asked = [&](const char* key) { return study.lines.contains(key); };
  if (asked("data.size") && data.size && (info.width != *data.size || info.height != *data.size)) {
    throw InputError(fmt::format(
        "{}: its images are {} x {}, and {} asks for size = {}; set size = {} under [data], or "
        "import the source again with --size {}",
        dataset.folder().string(), info.width, info.height, study.file.string(), *data.size,
        info.width, *data.size));
  }
  if (asked("data.channels") && data.channels && info.channels != *data.channels) {
    throw InputError(fmt::format(
        "{}: its images have {} channels, and {} asks for channels = {}; set channels = {} under "
        "[data], or import the source again with {}",
        dataset.folder().string(), info.channels, study.file.string(), *data.channels,
        info.channels, *data.channels == 1 ? "--grey" : "--rgb"));
  }
}

// 16 bit to 8 by the study's window, fitted on what the source does not call test.
Dataset windowed(const Dataset& dataset, const StudySpec& study, const Groups& groups,
                 const fs::path& cache, std::vector<std::string>& notes) {
  const SplitPlan plan = plan_splits(dataset, groups, study.data.split);
  std::vector<std::uint32_t> rows = plan.pool;
  rows.insert(rows.end(), plan.fixed_val.begin(), plan.fixed_val.end());
  const Window window = find_window(dataset, rows, study.data.window);
  notes.push_back(fmt::format(
      "16-bit values {} to {} became 0 to 255 ({}).", window.low, window.high,
      study.data.window.kind == WindowKind::fixed        ? "window as set"
      : study.data.window.kind == WindowKind::percentile ? "0.5 to 99.5 % of the training pixels"
                                                         : "smallest to largest training pixel"));
  const std::string key =
      fmt::format("window {} {} {}", dataset.info().content_hash, window.low, window.high);
  return open_cached(
      cached(cache, "window-" + sha256_hex(key).substr(0, 16),
             [&](const fs::path& folder) { window_dataset(dataset, window, folder); }));
}

// The images of every CLAHE that an arm asks for.
std::vector<EqualizedData> equalized_data(const Dataset& dataset, const StudySpec& study,
                                          const fs::path& cache, const PrepareOptions& options) {
  std::vector<EqualizedData> all;
  for (const ArmSpec& arm : study.arms) {
    if (arm.train.normalisation.kind != NormalisationKind::clahe) continue;
    const Clahe clahe = clahe_of(arm.train.normalisation);
    if (std::any_of(all.begin(), all.end(),
                    [&](const EqualizedData& known) { return known.clahe == clahe; })) {
      continue;
    }
    const std::string key = fmt::format("clahe {} of {} clip limit {} tiles {}", kClaheVersion,
                                        dataset.info().content_hash, clahe.clip_limit, clahe.tiles);
    const fs::path folder =
        cached(cache, "clahe-" + sha256_hex(key).substr(0, 16), [&](const fs::path& place) {
          equalize_dataset(dataset, clahe, place, options.threads,
                           [&](std::size_t done, std::size_t total) {
                             if (options.progress) options.progress("Equalizing", done, total);
                           });
        });
    all.push_back({clahe, open_cached(folder)});
  }
  return all;
}

// Nobody is to take results on simulated images for those of their own.
std::string unnamed_source_note(const StudySpec& study) {
  const bool data = std::any_of(study.lines.begin(), study.lines.end(),
                                [](const auto& line) { return line.first.starts_with("data."); });
  return fmt::format(
      "Simulated images (the phantom), no real ones: this study names no {}. Set [data] source, or "
      "give --data, to train on your own.",
      data ? "[data] source" : "[data]");
}

int positive_label(const DatasetInfo& info, const std::string& name) {
  if (name.empty()) return static_cast<int>(info.classes.size()) - 1;
  const auto found = std::find(info.classes.begin(), info.classes.end(), name);
  if (found != info.classes.end()) return static_cast<int>(found - info.classes.begin());
  const std::vector<std::string_view> known(info.classes.begin(), info.classes.end());
  throw InputError("positive = \"" + name + "\" is no class of the data" + suggestion(name, known));
}

}  // namespace

const Dataset& PreparedData::dataset_of(const TrialSpec& trial) const {
  if (trial.train.normalisation.kind != NormalisationKind::clahe) return dataset;
  const Clahe clahe = clahe_of(trial.train.normalisation);
  for (const EqualizedData& data : equalized) {
    if (data.clahe == clahe) return data.dataset;
  }
  throw std::logic_error("the images of a trial's CLAHE were not prepared");
}

StudyData PreparedData::study_data() const {
  return {dataset.info().content_hash, dataset.info().classes, plan.val_from_source};
}

PreparedData prepare_data(const StudySpec& study, const PrepareOptions& options) {
  PreparedData prepared;
  prepared.notes = study.notes;
  const fs::path cache = cache_folder(options.out);
  const bool phantom = !options.data && study.data.source == "phantom";
  fs::path path = options.data.value_or(fs::path(study.data.source));
  if (!options.data && path.is_relative()) path = study.file.parent_path() / path;

  if (phantom) {
    const PhantomSpec& spec = study.data.phantom;
    prepared.source =
        fmt::format("simulated images: phantom (train {}, test {}, shift {}, seed {})", spec.train,
                    spec.test, spec.shift, spec.seed);
    if (!study.lines.contains("data.source")) prepared.notes.push_back(unnamed_source_note(study));
    prepared.dataset = phantom_dataset(spec, cache, options);
  } else if (is_dataset(path)) {
    prepared.source = path.lexically_normal().string();
    prepared.dataset = Dataset::open(path, true);
    check_fits(prepared.dataset, study);
  } else {
    prepared.source = path.lexically_normal().string();
    prepared.dataset = imported_dataset(path, study.data, cache, options, prepared.notes);
  }

  prepared.groups = find_groups(prepared.dataset, study.data.group);
  for (std::string& note : search_notes(prepared.dataset, study.data.group, prepared.groups)) {
    prepared.notes.push_back(std::move(note));
  }
  if (prepared.dataset.info().dtype == PixelType::uint16) {
    prepared.dataset = windowed(prepared.dataset, study, prepared.groups, cache, prepared.notes);
  }
  prepared.equalized = equalized_data(prepared.dataset, study, cache, options);
  prepared.plan = plan_splits(prepared.dataset, prepared.groups, study.data.split);
  prepared.notes.insert(prepared.notes.end(), prepared.plan.notes.begin(),
                        prepared.plan.notes.end());
  if (study.shift && study.shift->control) {
    SplitSpec pooled = study.data.split;
    pooled.control = true;
    prepared.control_plan = plan_splits(prepared.dataset, prepared.groups, pooled);
    const std::vector<std::string>& notes = prepared.control_plan->notes;
    const auto control = std::find_if(notes.begin(), notes.end(), [](const std::string& note) {
      return note.starts_with("Control:");
    });
    prepared.notes.insert(prepared.notes.end(), control, notes.end());
  }
  for (std::string& note : sample_weight_notes(study, prepared.dataset)) {
    prepared.notes.push_back(std::move(note));
  }
  prepared.positive = positive_label(prepared.dataset.info(), study.data.positive);
  return prepared;
}

}  // namespace bioptic
