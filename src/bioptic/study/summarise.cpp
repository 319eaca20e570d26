#include "bioptic/study/summarise.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "bioptic/base/counted.h"
#include "bioptic/base/error.h"
#include "bioptic/base/json_integer.h"
#include "bioptic/base/nesting.h"
#include "bioptic/study/arm_metrics.h"
#include "bioptic/study/check_stored.h"
#include "bioptic/study/judge_claims.h"
#include "bioptic/study/settings.h"
#include "bioptic/study/shift_evidence.h"
#include "bioptic/study/spec.h"
#include "bioptic/study/study_comparisons.h"
#include "bioptic/study/summarise_gap.h"
#include "bioptic/study/summarise_variance.h"
#include "bioptic/study/weights_said.h"
#include "bioptic/train/evaluation.h"

namespace bioptic {
namespace {

std::string threshold_words(const ThresholdSpec& threshold) {
  switch (threshold.kind) {
    case ThresholdKind::fixed:
      return fmt::format("{}", threshold.value);
    case ThresholdKind::youden:
      return "Youden's index on validation";
    case ThresholdKind::sensitivity:
      return fmt::format("sensitivity {} on validation", threshold.value);
  }
  return "";
}

DatasetInfo info_from_json(const std::string& text) {
  if (nested_too_deeply(text)) {
    throw Failure("the store's description of a dataset is damaged: it is nested too deeply");
  }
  const nlohmann::json j = nlohmann::json::parse(text);
  DatasetInfo info;
  info.dtype = PixelType::uint8;
  info.images = integer<std::size_t>(j.at("images"));
  info.channels = integer<int>(j.at("channels"));
  info.height = integer<int>(j.at("height"));
  info.width = integer<int>(j.at("width"));
  info.classes = j.at("classes").get<std::vector<std::string>>();
  info.groups_from = j.at("groups_from").get<std::string>();
  info.preprocessing = j.at("preprocessing").dump();
  info.provenance = j.at("provenance").dump();
  info.content_hash = j.at("content_sha256").get<std::string>();
  return info;
}

// What the trials were made with, which need not be the machine that makes the report.
class Environments {
 public:
  void add(const TrialOrigin& origin) {
    const auto environment =
        nlohmann::json::parse(origin.environment).get<std::map<std::string, std::string>>();
    for (const auto& [key, value] : environment) values_[key].insert(value);
    values_["threads"].insert(std::to_string(origin.threads));
    if (!origin.isa.empty()) values_["instruction set"].insert(origin.isa);
  }
  // Several values of a key are all named.
  std::map<std::string, std::string> text() const {
    std::map<std::string, std::string> out;
    for (const auto& [key, values] : values_) {
      if (key != "host") out[key] = fmt::format("{}", fmt::join(values, "; "));
    }
    return out;
  }

 private:
  std::map<std::string, std::set<std::string>> values_;
};

// Different groups of a split's images ("": of all).
std::size_t count_groups(const StudyImages& images, std::string_view split) {
  std::vector<std::string_view> groups;
  for (const StudyImage& image : images) {
    if (split.empty() || image.split == split) groups.push_back(image.group);
  }
  std::sort(groups.begin(), groups.end());
  return static_cast<std::size_t>(std::unique(groups.begin(), groups.end()) - groups.begin());
}

std::vector<ArmSummary*> all_arms(StudySummary& summary) {
  std::vector<ArmSummary*> arms;
  for (ArmSummary& arm : summary.arms) arms.push_back(&arm);
  for (ArmSummary& arm : summary.controls) arms.push_back(&arm);
  return arms;
}

ArmSummary* find_arm(StudySummary& summary, const std::string& name) {
  for (ArmSummary* const arm : all_arms(summary)) {
    if (arm->name == name) return arm;
  }
  return nullptr;
}

// What the store has of a study.
struct Stored {
  StudySpec spec;
  StudySummary summary;
  std::map<std::string, std::vector<int>> missing;  // seeds by arm
};

Stored read_stored(const Store& store, const std::string& name) {
  const std::optional<StoredStudy> stored = store.study(name);
  if (!stored) {
    const std::vector<StoredStudy> all = store.studies();
    std::vector<std::string_view> known;
    known.reserve(all.size());
    for (const StoredStudy& s : all) known.push_back(s.name);
    throw InputError("no study '" + name + "' in the store" + suggestion(name, known));
  }
  Stored out;
  out.spec = parse_study_text(stored->toml, stored->file);
  const StudySpec& spec = out.spec;
  StudySummary& summary = out.summary;
  summary.name = stored->name;
  summary.question = spec.question;
  summary.file = stored->file;
  summary.toml = stored->toml;
  summary.command = stored->command;
  summary.margin = spec.margin;
  summary.detect = spec.detect.value_or(spec.margin);
  summary.inference = spec.inference;
  summary.pairs = spec.pairs;
  summary.engine = stored->engine;
  summary.dataset_path = stored->dataset_path;
  summary.dataset_hash = stored->dataset_hash;
  summary.dataset = info_from_json(stored->dataset_info);
  summary.positive = stored->positive;
  summary.groups_from = stored->groups_from;
  for (std::size_t at = 0; at < stored->notes.size();) {
    const std::size_t end = std::min(stored->notes.find('\n', at), stored->notes.size());
    summary.notes.push_back(stored->notes.substr(at, end - at));
    at = end + 1;
  }
  store.each_image(name, [&](const StoredImage& image) {
    summary.images.add({image.id, image.split, image.group, image.label});
    (image.split == "test"      ? summary.test_images
     : image.split == "val"     ? summary.val_images
     : image.split == "holdout" ? summary.holdout_images
                                : summary.train_images) += 1;
  });
  check_stored_study(summary);
  summary.groups = count_groups(summary.images, "");
  summary.test_groups = count_groups(summary.images, "test");

  Environments environments;

  const auto classes = static_cast<int>(summary.dataset.classes.size());
  for (const ArmSpec& arm_spec : spec.arms) {
    ArmSummary& arm = (arm_spec.is_control ? summary.controls : summary.arms).emplace_back();
    arm.control = arm_spec.control;
    arm.val_by_group = arm_spec.is_control ||
                       arm_spec.split_by.value_or(spec.data.split.split_by) == SplitBy::group;
    arm.name = arm_spec.name;
    arm.settings = settings_text(arm_spec.train);
    for (const std::string& own : arm_spec.own)
      arm.differs += (arm.differs.empty() ? "" : ", ") + own;
    arm.reported = arm_spec.reported;
    arm.reported_figure = arm_spec.reported_figure;
    arm.loss = arm_spec.train.loss.kind;
    arm.augment = arm_spec.train.augment;
    arm.outputs = output_count(arm.loss, classes);
    arm.threshold = threshold_words(arm_spec.train.threshold);
    arm.chosen = chosen_by_validation(arm_spec.train);
    if (arm_spec.train.select) arm.selected_by = name_of(*arm_spec.train.select);
  }
  for (const StoredPlace& place : store.places(name)) {
    ArmSummary* const arm = find_arm(summary, place.arm);
    if (arm == nullptr) continue;  // an arm that the file no longer has
    std::optional<TrialResult> result = store.trial(place.trial_id);
    if (!result) {
      ++arm->missing;
      out.missing[arm->name].push_back(place.seed);
      continue;
    }
    if (result->status == TrialStatus::failed) {
      ++arm->failed;
      summary.notes.push_back(
          fmt::format("{} seed {} failed: {}", place.arm, place.seed, result->error));
      continue;
    }
    check_stored_trial(place.trial_id, *result, summary.images.size(), arm->outputs);
    if (result->status == TrialStatus::collapsed) ++arm->collapsed;
    const TrialOrigin origin = store.origin(place.trial_id).value();
    environments.add(origin);
    TrialSummary& trial = arm->trials.emplace_back();
    trial.loss = trained_loss(
        train_spec_from_json(nlohmann::json::parse(origin.spec_json).at("train").dump()), *result,
        summary.images, summary.positive, summary.dataset.classes);
    trial.id = place.trial_id;
    trial.arm = place.arm;
    trial.seed = place.seed;
    trial.seeds = place.seeds;
    trial.result = std::move(*result);
  }
  for (ArmSummary* const arm : all_arms(summary)) {
    std::sort(arm->trials.begin(), arm->trials.end(),
              [](const TrialSummary& a, const TrialSummary& b) { return a.seed < b.seed; });
  }
  summary.environment = environments.text();
  summary.environment["engine"] = stored->engine;
  return out;
}

void measure_arms(Stored& stored) {
  StudySummary& summary = stored.summary;
  const StudySpec& spec = stored.spec;
  std::map<std::string, std::vector<int>>& missing = stored.missing;
  const auto classes = static_cast<int>(summary.dataset.classes.size());
  for (ArmSummary* const each : all_arms(summary)) {
    ArmSummary& arm = *each;
    const auto arm_spec = std::find_if(spec.arms.begin(), spec.arms.end(),
                                       [&](const ArmSpec& a) { return a.name == arm.name; });
    const Reading reading{arm_spec->train.loss, classes, summary.positive};
    for (std::string& note : measure_arm(arm, reading, summary.images, summary.dataset.classes)) {
      summary.notes.push_back(std::move(note));
    }
    summary.unfinished = summary.unfinished || arm.missing + arm.failed > 0;
    if (missing.contains(arm.name)) {
      summary.notes.push_back(fmt::format(
          "Unfinished: arm {} is summarised over {}; {} {} {} missing.", arm.name,
          counted(arm.trials.size(), "seed"), noun_of(missing[arm.name].size(), "seed"),
          fmt::join(missing[arm.name], ", "), missing[arm.name].size() == 1 ? "is" : "are"));
    }
  }
}

[[noreturn]] void fail_damaged(const std::string& name, const nlohmann::json::exception& e) {
  throw Failure(fmt::format("the store's record of study '{}' is damaged: {}", name, e.what()));
}

}  // namespace

StudySummary read_trials(const Store& store, const std::string& name) try {
  return read_stored(store, name).summary;
} catch (const nlohmann::json::exception& e) {
  fail_damaged(name, e);
}

StudySummary summarise(const Store& store, const std::string& name, const Dataset* images) try {
  Stored stored = read_stored(store, name);
  measure_arms(stored);
  const StudySpec& spec = stored.spec;
  StudySummary summary = std::move(stored.summary);
  for (std::string& note : balanced_notes(summary, spec)) summary.notes.push_back(std::move(note));
  if (std::string note = unequal_weights_note(summary); !note.empty()) {
    summary.notes.push_back(std::move(note));
  }
  summary.comparisons = compare_study(summary);
  std::vector<std::string> names;
  for (const ArmSummary& arm : summary.arms) names.push_back(arm.name);
  if (std::string note = pairs_of(names, summary.pairs).note; !note.empty()) {
    summary.notes.push_back(std::move(note));
  }
  summarise_variance(summary);
  summarise_gap(summary, images);
  const std::optional<ShiftEvidence> shift = shift_evidence(summary.gap, spec.claims);
  summary.claims = judge_claims(summary, spec.claims, shift ? &*shift : nullptr);
  return summary;
} catch (const nlohmann::json::exception& e) {
  fail_damaged(name, e);
}

std::string unplaced_words(const Store& store) {
  const std::size_t count = store.unplaced_trials();
  if (count == 0) return "";
  return fmt::format(
      "{} in the store {} to no study now (settings were changed, fewer seeds asked for, or "
      "another "
      "study took the name): no report shows {}, and the same settings and seeds find {} again.",
      counted(count, "trial"), count == 1 ? "belongs" : "belong", count == 1 ? "it" : "them",
      count == 1 ? "it" : "them");
}

StudyProgress progress_of(const Store& store, const std::string& name, bool alive) {
  StudyProgress progress;
  progress.name = name;
  std::set<std::string> running;
  if (alive) {
    for (const RunningTrial& trial : store.running()) running.insert(trial.trial_id);
  }
  double seconds = 0;
  for (const StoredPlace& place : store.places(name)) {
    const std::optional<TrialResult> result = store.trial(place.trial_id, false);
    if (!result) {
      ++(running.contains(place.trial_id) ? progress.running : progress.missing);
      continue;
    }
    switch (result->status) {
      case TrialStatus::done:
        ++progress.done;
        break;
      case TrialStatus::collapsed:
        ++progress.collapsed;
        break;
      case TrialStatus::failed:
        ++progress.failed;
        break;
    }
    if (result->status != TrialStatus::failed) seconds += result->wall_seconds;
  }
  const int finished = progress.done + progress.collapsed;
  progress.seconds_left =
      finished == 0 ? std::numeric_limits<double>::quiet_NaN()
                    : seconds / finished * (progress.running + progress.missing + progress.failed);
  return progress;
}

}  // namespace bioptic
