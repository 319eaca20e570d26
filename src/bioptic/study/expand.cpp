// A study as the list of its trials.
#include <fmt/format.h>

#include <algorithm>

#include "bioptic/base/counted.h"
#include "bioptic/base/error.h"
#include "bioptic/study/check.h"
#include "bioptic/study/spec.h"

namespace bioptic {
namespace {

[[noreturn]] void wrong(const StudySpec& study, int line, const std::string& message) {
  throw InputError(line > 0 ? fmt::format("{}:{}: {}", study.file.string(), line, message)
                            : fmt::format("{}: {}", study.file.string(), message));
}

int line_in(const std::map<std::string, int>& lines, const std::string& key, int otherwise) {
  const auto line = lines.find(key);
  return line == lines.end() ? otherwise : line->second;
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
  return text;
}

int label_of(const StudySpec& study, const StudyData& data, const std::string& name, int line,
             const std::string& what) {
  const auto found = std::find(data.classes.begin(), data.classes.end(), name);
  if (found == data.classes.end()) {
    wrong(study, line,
          fmt::format("{} names the class '{}', which the data do not have; they have {}", what,
                      name, quoted_list(data.classes)));
  }
  return static_cast<int>(found - data.classes.begin());
}

int positive_label(const StudySpec& study, const StudyData& data) {
  if (!study.data.positive.empty()) {
    return label_of(study, data, study.data.positive, line_in(study.lines, "data.positive", 0),
                    "[data] positive");
  }
  const auto last = std::max_element(data.classes.begin(), data.classes.end());
  return static_cast<int>(last - data.classes.begin());
}

// The arm's settings with everything in them that depends on the classes, checked against them.
TrainSpec settle_classes(const StudySpec& study, const ArmSpec& arm, const StudyData& data) {
  TrainSpec train = arm.train;
  const std::size_t classes = data.classes.size();
  const int loss_line = line_in(arm.lines, "loss", arm.line);
  if (train.loss.kind != LossKind::cross_entropy && classes != 2) {
    wrong(study, loss_line,
          fmt::format("arm '{}': the loss '{}' is for two classes, the data have {}; use "
                      "loss = \"cross_entropy\"",
                      arm.name, name_of(train.loss.kind), classes));
  }
  if (!arm.class_weight.empty()) {
    train.loss.class_weight.assign(classes, 1.0);
    for (const auto& [name, weight] : arm.class_weight) {
      const int label = label_of(study, data, name, loss_line,
                                 fmt::format("arm '{}': loss.class_weight", arm.name));
      train.loss.class_weight[static_cast<std::size_t>(label)] = weight;
    }
  }
  if (!train.loss.class_weight.empty() && train.loss.class_weight.size() != classes) {
    wrong(study, loss_line,
          fmt::format("arm '{}': loss.class_weight has {}, the data have {} ({})", arm.name,
                      counted(train.loss.class_weight.size(), "value"),
                      counted(static_cast<std::size_t>(classes), "class"),
                      quoted_list(data.classes)));
  }
  // Weights that are all 1 are none: the same trial, the same id.
  std::vector<double>& weights = train.loss.class_weight;
  if (std::all_of(weights.begin(), weights.end(), [](double w) { return w == 1; })) weights.clear();
  if (classes != 2 &&
      (train.threshold.kind != ThresholdKind::fixed || train.threshold.value != 0.5)) {
    wrong(study, line_in(arm.lines, "threshold", arm.line),
          fmt::format("arm '{}': a threshold is for two classes, the data have {}; leave it out",
                      arm.name, classes));
  }
  return train;
}

// What the arm's seeds change, given where validation comes from.
Vary settle_vary(const StudySpec& study, const ArmSpec& arm, const StudyData& data) {
  const std::optional<Vary>& given = arm.vary ? arm.vary : study.vary;
  if (data.val_from_source) {
    const char* why =
        "validation is the source's own split, which no seed changes; leave \"split\" out, or draw "
        "validation with [data] val = \"draw\"";
    if (given && given->split) {
      wrong(study,
            arm.vary ? line_in(arm.lines, "vary", arm.line) : line_in(study.lines, "study.vary", 0),
            (arm.vary ? fmt::format("[[arm]] '{}' vary", arm.name) : std::string("[study] vary")) +
                " names \"split\", but " + why);
    }
    if (study.seeds.crossed && study.seeds.split > 1) {
      wrong(study, line_in(study.lines, "study.seeds", 0),
            fmt::format("[study] seeds.split = {}, but {}", study.seeds.split, why));
    }
    if (!given) return {false, true, true};
  }
  return given.value_or(Vary{});
}

SplitSpec splits_of(const StudySpec& study, const ArmSpec& arm) {
  SplitSpec split = study.data.split;
  if (arm.split_by) split.split_by = *arm.split_by;
  if (arm.is_control) {
    split.control = true;
    split.split_by = SplitBy::group;
  }
  return split;
}

// Seed k is one number for all streams, or the k-th combination, order varying fastest.
TrialSeeds seeds_of(const SeedPlan& plan, int k, const Vary& vary) {
  int split = k, init = k, order = k;
  if (plan.crossed) {
    order = k % plan.order;
    init = k / plan.order % plan.init;
    split = k / (plan.order * plan.init);
  }
  TrialSeeds seeds;
  if (vary.split) seeds.split = static_cast<std::uint64_t>(split);
  if (vary.init) seeds.init = static_cast<std::uint64_t>(init);
  if (vary.order) seeds.order = static_cast<std::uint64_t>(order);
  return seeds;
}

}  // namespace

std::vector<PlannedTrial> expand(const StudySpec& study, const StudyData& data,
                                 const std::string& engine, int numerics_version) {
  schema::check_vary(study);  // again: --seeds may have changed the plan
  const int positive = positive_label(study, data);
  std::vector<TrainSpec> settings;
  std::vector<Vary> varied;
  for (const ArmSpec& arm : study.arms) {
    settings.push_back(settle_classes(study, arm, data));
    varied.push_back(settle_vary(study, arm, data));
    if (arm.split_by && data.val_from_source) {
      wrong(study, line_in(arm.lines, "split_by", arm.line),
            fmt::format("arm '{}' sets split_by, but validation is the source's own split; leave "
                        "split_by out, or draw validation with [data] val = \"draw\"",
                        arm.name));
    }
  }
  const SeedPlan& plan = study.seeds;
  const int seeds = plan.crossed ? plan.split * plan.init * plan.order : plan.count;
  std::vector<PlannedTrial> trials;
  for (int seed = 0; seed < seeds; ++seed) {
    for (std::size_t arm = 0; arm < study.arms.size(); ++arm) {
      PlannedTrial trial;
      trial.arm = arm;
      trial.seed = seed;
      trial.spec.train = settings[arm];
      trial.spec.split = splits_of(study, study.arms[arm]);
      trial.spec.group_pattern = study.data.group;
      trial.spec.positive = positive;
      trial.spec.seeds = seeds_of(plan, seed, varied[arm]);
      trial.spec.dataset_hash = data.dataset_hash;
      trial.spec.engine = engine;
      trial.spec.numerics_version = numerics_version;
      trial.id = trial_id(trial.spec);
      trials.push_back(std::move(trial));
    }
  }
  return trials;
}

}  // namespace bioptic
