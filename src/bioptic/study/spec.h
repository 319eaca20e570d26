// The study file, parsed and checked, and its expansion into trials.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bioptic/data/import.h"
#include "bioptic/data/phantom.h"
#include "bioptic/data/split.h"
#include "bioptic/data/window.h"
#include "bioptic/model/spec.h"
#include "bioptic/study/arm_pairs.h"
#include "bioptic/study/claim_spec.h"
#include "bioptic/study/inference.h"
#include "bioptic/train/trial.h"

namespace bioptic {

// [data]
struct DataSpec {
  std::string source = "phantom";  // or a path, relative to the study file's folder
  PhantomSpec phantom;
  std::optional<int> size, channels;  // unset: as the source
  Fit fit = Fit::stretch;
  std::string positive;  // class name; "" = the last by name
  SplitSpec split;
  WindowSpec window;
  std::string group;  // search expression; "" = every image its own
};

// What a seed changes; the rest stays as in seed 0.
struct Vary {
  bool split = true, init = true, order = true;
};

// seeds = 5: one number for all streams.  { split, init, order }: every combination.
struct SeedPlan {
  int count = 5;
  bool crossed = false;
  int split = 1, init = 1, order = 1;  // crossed
};

struct ArmSpec {
  std::string name;
  TrainSpec train;                  // shared settings with the arm's own on top
  std::optional<Vary> vary;         // where the arm overrides the study's
  std::optional<SplitBy> split_by;  // where the arm overrides the data's
  bool is_control = false;          // made by [shift] control, see SplitSpec::control
  std::string control;              // name of the arm that is this one's control, "" = none
  // What this arm sets itself, as "key = value" text, in file order (tables: how arms differ).
  std::vector<std::string> own;
  std::map<std::string, double> reported;
  int reported_figure = 0;  // 0 = none
  // loss.class_weight where it names classes; expand() turns it into train.loss.class_weight, which
  // goes by label.
  std::map<std::string, double> class_weight;
  int line = 0;                      // in the study file
  std::map<std::string, int> lines;  // of "loss", "vary", ...: the arm's own, else [train]'s
};

// [shift]: where the gap between validation and test comes from.
struct ShiftSpec {
  double holdout_fraction = 0.1;  // becomes SplitSpec::holdout_fraction
  bool control = false;           // train the control arm, too
};

enum class SaveModels { none, first, all };

struct StudySpec {
  std::filesystem::path file;
  std::string text;  // the file's content
  std::string name, question, description;
  SeedPlan seeds;
  std::optional<Vary> vary;  // unset: split, init and order (without split where validation
                             // is the source's)
  double margin = 0.01;
  std::optional<double> detect;  // unset: margin
  Inference inference = Inference::patients;
  PairPlan pairs;  // which arms are compared
  SaveModels save_models = SaveModels::first;
  DataSpec data;
  std::vector<ArmSpec> arms;         // in file order, [grid] expanded; never empty; then controls
  std::optional<ShiftSpec> shift;    // where the file has [shift]
  std::vector<ClaimSpec> claims;     // in file order; no part of any trial
  std::map<std::string, int> lines;  // of what the file sets: "study.vary", "data.size", ...
  std::vector<std::string> notes;    // sentences for the run and the report to repeat
};

// Throws InputError "file:line: ..." for anything wrong: syntax, unknown key (names the nearest
// known key), value out of range, an arm named twice, no arms, settings that contradict each other.
StudySpec parse_study(const std::filesystem::path& file);
// The same for a text; `file` stands in messages and gives the default name.
StudySpec parse_study_text(const std::string& text, const std::filesystem::path& file);

// What expansion needs to know of the prepared data.
struct StudyData {
  std::string dataset_hash;  // of the uint8 dataset
  std::vector<std::string> classes;
  bool val_from_source = false;  // SplitPlan::val_from_source
};

struct PlannedTrial {
  std::size_t arm = 0;  // index into StudySpec::arms
  int seed = 0;         // running number, by which trials pair
  std::string id;
  TrialSpec spec;
};

// Pure.  All arms of seed 0, then of seed 1, ..., so that an unfinished run has paired seeds.
// Throws InputError where the settings do not fit the data (bce with three classes, an explicit
// "split" in vary with the source's validation split, an unknown positive class).
std::vector<PlannedTrial> expand(const StudySpec& study, const StudyData& data,
                                 const std::string& engine, int numerics_version);

}  // namespace bioptic
