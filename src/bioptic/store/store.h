// Every trial, in one SQLite file for all studies of a folder.  A trial is in the store entirely or
// not at all; finished ones are never changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bioptic/train/trial.h"

namespace bioptic {

// Holds <out>/.bioptic.lock while it lives: one writer at a time.
class WriterLock {
 public:
  // Makes `out`.  Throws InputError naming the other process when the lock is held.
  explicit WriterLock(const std::filesystem::path& out);
  ~WriterLock();
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

  // Process that holds the lock on `out` now, 0 when none does.
  static long holder(const std::filesystem::path& out);
  // Throws the constructor's InputError when the lock is held; takes and writes nothing.
  static void require_free(const std::filesystem::path& out);

 private:
  int fd_ = -1;
};

// One study as it was last run.
struct StoredStudy {
  std::string name, file, toml, command, engine;
  std::string dataset_path, dataset_hash, dataset_info;  // info: JSON of DatasetInfo
  std::string notes;                                     // one per line
  std::string groups_from;
  int positive = 1;
  int threads = 1;
};

// One image of a study's dataset, with its split as seed 0 draws it.
struct StoredImage {
  std::string id, source, split, group;
  std::int64_t label = 0;
};

// One place in a study: which trial an arm has for a seed.
struct StoredPlace {
  std::string arm;
  int seed = 0;
  TrialSeeds seeds;
  std::string trial_id;
};

// What is known of a trial's making, apart from its result.
struct TrialOrigin {
  std::string spec_json, isa;
  std::string environment;  // JSON object of texts: version, compiler, processor, system, host
  int threads = 1;
};

struct RunningTrial {
  std::string trial_id;
  long pid = 0;
  int epoch = 0, epochs = 0;
};

// Every function throws Failure with the file's name where SQLite fails, and where a record is not
// what was written (see row_checksum.h) or has a name that no study file could give it.
class Store {
 public:
  // Opens or makes <out>/bioptic.sqlite; the caller holds the WriterLock.
  static Store open_to_write(const std::filesystem::path& out);
  // Does not change what is stored; a folder that cannot be written will do.  Throws InputError
  // when there is none.
  static Store open_to_read(const std::filesystem::path& out);
  // The same, and nothing where there is none, or one in which no run has written yet: a run that
  // was stopped at once leaves it, and the next goes on in it.
  static std::optional<Store> open_if_there(const std::filesystem::path& out);
  Store(Store&&) noexcept;
  ~Store();

  std::vector<StoredStudy> studies() const;  // in order of their first run
  std::optional<StoredStudy> study(const std::string& name) const;
  // Calls `take` with every image, by row of the dataset: they may be very many.
  void each_image(const std::string& study,
                  const std::function<void(const StoredImage&)>& take) const;
  std::vector<StoredPlace> places(const std::string& study) const;  // in order of training
  std::vector<RunningTrial> running() const;
  // Trials that no study has a place for any more: its arms were changed, its seeds made fewer, or
  // another study took its name.
  std::size_t unplaced_trials() const;

  std::optional<TrialStatus> status(const std::string& trial_id) const;
  // Without weights.  `predictions`: also those (they are the bulk).
  std::optional<TrialResult> trial(const std::string& trial_id, bool predictions = true) const;
  std::optional<TrialOrigin> origin(const std::string& trial_id) const;

  // Replaces what the study points to; trials stay.  `image` gives the images, row 0 to images - 1.
  void save_study(const StoredStudy& study, std::size_t images,
                  const std::function<StoredImage(std::size_t row)>& image,
                  const std::vector<StoredPlace>& places);
  // One transaction, synced.  A failed trial may be replaced; a finished one may not.
  void save_trial(const std::string& trial_id, const TrialOrigin& origin,
                  const TrialResult& result);
  void set_running(const RunningTrial& running);
  void clear_running();
  // Throws Failure where the file was removed or replaced since it was opened to write.
  // save_trial() does so too.
  void require_in_place() const;

  // Everything that is stored, held against its checksums.
  struct Verified {
    std::vector<std::string> damage;  // sentences, one for each thing that is damaged
    std::size_t whole = 0;            // records that are what was written
    std::size_t without = 0;          // studies and trials of older programs: no checksum
  };
  Verified verify() const;

  struct State;

 private:
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace bioptic
