#include "bioptic/study/arm_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "bioptic/study/arm_levels.h"
#include "bioptic/study/model_metrics.h"

namespace bioptic {
namespace {

using Images = StudyImages;

// What training itself recorded; predictions add the rest.
std::map<std::string, double> recorded_metrics(const TrialResult& result) {
  std::map<std::string, double> m = {
      {"train_loss", result.train_loss}, {"train_accuracy", result.train_accuracy},
      {"val_loss", result.val_loss},     {"val_accuracy", result.val_accuracy},
      {"test_loss", result.test_loss},   {"test_accuracy", result.test_accuracy}};
  const auto selected = std::find_if(
      result.history.begin(), result.history.end(),
      [&](const EpochRecord& record) { return record.epoch == result.selected_epoch; });
  if (selected != result.history.end() && selected->train_eval_loss) {
    m["train_eval_loss"] = *selected->train_eval_loss;
    m["train_eval_accuracy"] = *selected->train_eval_accuracy;
  }
  std::erase_if(m, [](const auto& entry) { return std::isnan(entry.second); });
  return m;
}

struct SplitLabels {
  std::vector<std::int64_t> labels;
  std::vector<int> groups;
};

SplitLabels labels_of(const SplitPredictions& split, const Images& images) {
  SplitLabels out;
  std::vector<std::string_view> names;
  std::deque<std::string> made;  // of images without a group
  for (const std::uint32_t row : split.rows) {
    const StudyImage image = images.at(row);
    out.labels.push_back(image.label);
    names.push_back(image.group.empty() ? made.emplace_back("#" + std::string(image.id))
                                        : image.group);
  }
  out.groups = number_groups(names);
  return out;
}

const SplitPredictions* find_split(const TrialSummary& trial, const std::string& name) {
  for (const SplitPredictions& split : trial.result.predictions) {
    if (split.split == name) return &split;
  }
  return nullptr;
}

// Whether every trial predicted the same images: only then do patients mean something for the mean
// over seeds.
bool same_images(const ArmSummary& arm, const std::string& split) {
  const SplitPredictions* first = nullptr;
  for (const TrialSummary& trial : arm.trials) {
    const SplitPredictions* own = find_split(trial, split);
    if (own == nullptr || (first != nullptr && own->rows != first->rows)) return false;
    first = own;
  }
  return first != nullptr;
}

// Seeds and patients for the accuracy: the crossed t on correct or not, as comparisons use it.
std::optional<Estimate> crossed_accuracy(const ArmSummary& arm, const Reading& reading,
                                         const SplitLabels& split, const std::string& name) {
  std::vector<double> right;
  for (const TrialSummary& trial : arm.trials) {
    const SplitPredictions& own = *find_split(trial, name);
    for (std::size_t i = 0; i < split.labels.size(); ++i) {
      right.push_back(predicted_label(reading.loss.kind, reading.classes, reading.positive,
                                      trial.result.threshold,
                                      &own.logits[i * reading.outputs()]) == split.labels[i]
                          ? 1
                          : 0);
    }
  }
  const std::vector<std::size_t> group_of(split.groups.begin(), split.groups.end());
  return crossed_mean(right, arm.trials.size(), group_of);
}

void over_seeds_and_patients(ArmSummary& arm, const Reading& reading, const SplitLabels& split,
                             const std::string& name, const std::vector<ModelMetrics>& models) {
  for (const auto& [metric, one] : models.front().jackknifed) {
    std::vector<const JackknifedMetric*> of_seed;
    of_seed.reserve(models.size());
    for (const ModelMetrics& m : models) of_seed.push_back(&m.jackknifed.at(metric));
    const std::optional<Estimate> estimate = metric == "accuracy"
                                                 ? crossed_accuracy(arm, reading, split, name)
                                                 : seeds_and_patients(of_seed);
    const auto summary = arm.metrics.find(fmt::format("{}_{}", name, metric));
    if (summary != arm.metrics.end()) add_patients(summary->second, estimate, range_of(metric));
  }
}

void over_seeds(ArmSummary& arm) {
  std::map<std::string, std::vector<double>> values;
  for (const TrialSummary& trial : arm.trials) {
    for (const auto& [name, value] : trial.metrics) values[name].push_back(value);
  }
  for (const auto& [name, of_seed] : values) {
    arm.metrics[name] = level_over_seeds(of_seed, range_of(name.substr(name.find('_') + 1)));
  }
}

}  // namespace

std::vector<std::string> measure_arm(ArmSummary& arm, const Reading& reading, const Images& images,
                                     const std::vector<std::string>& class_names) {
  std::vector<std::string> notes;
  std::map<std::string, std::vector<ModelMetrics>> models;  // by split
  for (TrialSummary& trial : arm.trials) {
    trial.metrics = recorded_metrics(trial.result);
    for (const SplitPredictions& split : trial.result.predictions) {
      const SplitLabels of = labels_of(split, images);
      ModelMetrics m = model_metrics(reading, of.labels, split.logits, of.groups,
                                     trial.result.threshold, class_names);
      if (split.split == "holdout") {  // the hold-out's is not recorded
        const Reading own{trial.loss, reading.classes, reading.positive};
        const double loss = mean_loss(own, of.labels, split.logits);
        if (!std::isnan(loss)) trial.metrics[split.split + "_loss"] = loss;
      }
      for (const auto& [name, value] : m.values) {
        trial.metrics.try_emplace(split.split + "_" + name, value);
      }
      for (const auto& [name, i] : m.intervals) trial.intervals[split.split + "_" + name] = i;
      for (const auto& [name, i] : m.group_intervals) {
        trial.group_intervals[split.split + "_" + name] = i;
      }
      if (m.not_finite > 0) {
        notes.push_back(fmt::format(
            "{} seed {}: {} of {} scores of the {} split are not finite; they count as wrong.",
            arm.name, trial.seed, m.not_finite, split.rows.size(), split.split));
      }
      models[split.split].push_back(std::move(m));
    }
  }
  over_seeds(arm);
  for (const auto& [name, of_seed] : models) {
    std::vector<double>& confusion = arm.confusion[name];
    confusion.assign(of_seed.front().confusion.size(), 0);
    for (const ModelMetrics& m : of_seed) {
      for (std::size_t c = 0; c < confusion.size(); ++c) {
        confusion[c] += static_cast<double>(m.confusion[c]) / static_cast<double>(of_seed.size());
      }
    }
    if (!same_images(arm, name)) continue;
    over_seeds_and_patients(arm, reading, labels_of(*find_split(arm.trials.front(), name), images),
                            name, of_seed);
  }
  return notes;
}

}  // namespace bioptic
