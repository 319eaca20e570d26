// Claims against the arms they speak of.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "bioptic/base/counted.h"
#include "bioptic/base/error.h"
#include "bioptic/study/check.h"
#include "bioptic/study/keys.h"

namespace bioptic::schema {
namespace {

// Every setting of an arm that is a number, by its name: "batch_size", "optimizer.lr".
std::map<std::string, double> numeric_settings(const ArmSpec& arm) {
  TrainDraft draft;
  draft.spec = arm.train;
  draft.loss.spec = arm.train.loss;
  std::map<std::string, double> settings;
  for (const Key<TrainDraft>& key : train_keys()) {
    const std::string text = key.value.text(draft);
    if (text.empty()) continue;
    const Node node = parse_value(text);
    if (is_number(node)) settings[std::string(key.name)] = node.number;
    for (const Entry& inner : node.entries) {
      if (is_number(inner.value)) {
        settings[std::string(key.name) + "." + inner.key] = inner.value.number;
      }
    }
  }
  return settings;
}

// A loss that is the mean of -log(probability of the label) and nothing else: the two forms of
// binary cross-entropy and cross-entropy are then one and the same function of the probabilities.
bool is_log_loss(const ArmSpec& arm) {
  const LossSpec& loss = arm.train.loss;
  return arm.class_weight.empty() && loss.class_weight.empty() && !loss.balanced &&
         loss.pos_weight.value_or(1) == 1 && loss.label_smoothing == 0;
}

struct ClaimChecker {
  const StudySpec& study;
  ClaimSpec& claim;
  std::string name;  // "[[claim]] 'B1'", "[[claim]] 'C1' part 2"

  [[noreturn]] void wrong(const std::string& message) const {
    fail({study.file.string(), "", ""}, claim.line, name + ": " + message);
  }

  const ArmSpec& arm_named(const std::string& wanted) const {
    std::vector<std::string_view> names;
    for (const ArmSpec& arm : study.arms) {
      if (arm.is_control) continue;  // trained on other splits, so compared with nothing
      if (arm.name == wanted) return arm;
      names.push_back(arm.name);
    }
    wrong(fmt::format("there is no arm '{}'{}", wanted, suggestion(wanted, names)));
  }

  void check_arms() {
    const ClaimKind kind = claim.kind;
    if (claim.arms.empty() &&
        (kind == ClaimKind::trend || kind == ClaimKind::shape || kind == ClaimKind::gap)) {
      for (const ArmSpec& arm : study.arms) {
        if (!arm.is_control) claim.arms.push_back(arm.name);
      }
    }
    for (const std::string& arm : claim.arms) arm_named(arm);
    const bool pair = kind == ClaimKind::difference || kind == ClaimKind::index;
    if (pair && claim.arms.size() != 2) {
      wrong(fmt::format("kind '{}' needs arms = [\"first\", \"second\"]; there are {}",
                        name_of(kind), claim.arms.size()));
    }
    if ((kind == ClaimKind::order || kind == ClaimKind::trend) && claim.arms.size() < 2) {
      wrong(fmt::format("kind '{}' needs two arms or more", name_of(kind)));
    }
  }

  void check_setting() {
    if (claim.kind != ClaimKind::trend) return;
    if (claim.setting.empty())
      wrong("kind 'trend' needs setting, such as setting = \"batch_size\"");
    claim.values.clear();
    for (const std::string& name_of_arm : claim.arms) {
      const std::map<std::string, double> settings = numeric_settings(arm_named(name_of_arm));
      const auto found = settings.find(claim.setting);
      if (found == settings.end()) {
        std::vector<std::string_view> names;
        for (const auto& [known, value] : settings) names.push_back(known);
        wrong(fmt::format("arm '{}' has no numeric setting '{}'{}", name_of_arm, claim.setting,
                          suggestion(claim.setting, names)));
      }
      if (found->second <= 0) {
        wrong(
            fmt::format("{} = {} in arm '{}': a trend runs over the setting's logarithm, so "
                        "every value must be above 0",
                        claim.setting, toml_text(found->second), name_of_arm));
      }
      claim.values.push_back(found->second);
    }
    if (std::set<double>(claim.values.begin(), claim.values.end()).size() < 2) {
      wrong(fmt::format("{} is {} in all of its arms, so nothing can follow it", claim.setting,
                        toml_text(claim.values.front())));
    }
  }

  void check_split() {
    if (claim.kind == ClaimKind::gap) {
      if (claim.metric == "loss") {
        wrong("the gap of a loss is that of metric = \"log_loss\", which every split has");
      }
      return;
    }
    const bool curve = speaks_of_curve(claim);
    if (claim.split.empty()) claim.split = curve ? "val" : "test";
    const bool training = claim.split == "train" || claim.split == "train_running";
    if (curve && (claim.split == "test" || claim.split == "holdout")) {
      wrong(
          fmt::format("there is no curve of the {} split, which is evaluated once, after "
                      "training; name \"val\", \"train\" or \"train_running\"",
                      claim.split));
    }
    const bool logged = claim.metric == "accuracy" || claim.metric == "loss";
    if (!logged && (training || (curve && claim.metric != "auroc"))) {
      wrong(fmt::format("{} has no {}{}; {}", claim.split, claim.metric, curve ? " by epoch" : "",
                        training ? "it has accuracy and loss" : "it has accuracy, loss and auroc"));
    }
    if (claim.split != "train") return;
    for (const std::string& arm : claim.arms) {
      if (!arm_named(arm).train.train_eval) {
        wrong(
            fmt::format("split = \"train\" is the training split evaluated at the end of every "
                        "epoch, which arm '{}' does not do; set train_eval = true in [train]",
                        arm));
      }
    }
  }

  void check_loss() const {
    if (claim.metric != "loss" || claim.arms.size() < 2) return;
    const LossSpec& first = arm_named(claim.arms.front()).train.loss;
    for (const std::string& other : claim.arms) {
      const ArmSpec& arm = arm_named(other);
      const LossSpec& loss = arm.train.loss;
      const bool same = loss.kind == first.kind && loss.pos_weight == first.pos_weight &&
                        loss.class_weight == first.class_weight &&
                        loss.balanced == first.balanced &&
                        loss.label_smoothing == first.label_smoothing &&
                        arm.class_weight == arm_named(claim.arms.front()).class_weight;
      const TrainSpec& one = arm_named(claim.arms.front()).train;
      if (claim.split == "train_running" &&
          (arm.train.sampler != one.sampler || arm.train.sample_weight != one.sample_weight)) {
        wrong(
            fmt::format("the running losses of '{}' and '{}' are means over differently drawn or "
                        "weighted images (sampler, sample_weight); name split = \"val\", or "
                        "\"train\" with train_eval = true",
                        claim.arms.front(), other));
      }
      if (!same && !(is_log_loss(arm) && is_log_loss(arm_named(claim.arms.front())))) {
        wrong(
            fmt::format("the losses of '{}' and '{}' are different functions of the predictions "
                        "(weights or smoothing), so their values cannot be compared; name "
                        "metric = \"accuracy\" or \"auroc\"",
                        claim.arms.front(), other));
      }
    }
  }

  void check_window() const {
    if (claim.kind == ClaimKind::gap) return;
    const bool given = claim.first_epoch > 1 || claim.last_epoch > 0;
    if (!speaks_of_curve(claim)) {
      if (given) wrong("burn_in and window are for curves; give value = \"mean\" or an index");
      return;
    }
    const int least = claim.kind == ClaimKind::shape           ? 3
                      : claim.value == CurveValue::noise_level ? 4
                      : claim.value == CurveValue::step_spread ? 3
                      : claim.value == CurveValue::mean        ? 1
                                                               : 2;
    for (const std::string& name_of_arm : claim.arms) {
      const int epochs = arm_named(name_of_arm).train.epochs;
      if (claim.last_epoch > epochs) {
        wrong(fmt::format("window ends at epoch {}, but arm '{}' is trained for {}",
                          claim.last_epoch, name_of_arm, epochs));
      }
      const int last = claim.last_epoch > 0 ? claim.last_epoch : epochs;
      if (last - claim.first_epoch + 1 < least) {
        wrong(fmt::format("{} of the {} of arm '{}' are left; it needs {} or more",
                          std::max(0, last - claim.first_epoch + 1),
                          counted(static_cast<std::size_t>(epochs), "epoch"), name_of_arm, least));
      }
    }
  }

  void check_margins() const {
    if (claim.kind == ClaimKind::shape) {
      if (claim.margin && *claim.margin >= 0.5) {
        wrong("margin of a shape is of the share of seeds about 1/2, so it is below 0.5");
      }
      if (claim.detect && *claim.detect >= 0.5) {
        wrong("detect of a shape is the distance of its share of seeds from 1/2, so below 0.5");
      }
    }
  }

  void check() {
    if (claim.kind == ClaimKind::all_of) {
      check_parts();
      return;
    }
    check_arms();
    check_setting();
    check_split();
    check_loss();
    check_window();
    check_margins();
  }

  void check_parts() {
    if (claim.parts.empty()) wrong("kind 'all_of' needs [[claim.part]] sections, two or more");
    for (std::size_t i = 0; i < claim.parts.size(); ++i) {
      ClaimSpec& part = claim.parts[i];
      ClaimChecker inner{study, part, name + fmt::format(" part {}", i + 1)};
      if (!part.id.empty()) inner.wrong("a part has no id: the claim as a whole is judged");
      if (part.kind == ClaimKind::all_of) inner.wrong("a part cannot be an all_of itself");
      if (part.because_of_shift) inner.wrong("because belongs to a claim of its own");
      inner.check();
    }
  }
};

}  // namespace

void check_claims(StudySpec& study) {
  std::map<std::string, int> seen;
  for (ClaimSpec& claim : study.claims) {
    ClaimChecker checker{study, claim, "[[claim]]"};
    if (claim.id.empty()) checker.wrong("this claim has no id; add id = \"...\"");
    checker.name = "[[claim]] '" + claim.id + "'";
    if (claim.sentence.empty()) checker.wrong("no sentence; add sentence = \"...\"");
    const auto [first, fresh] = seen.emplace(claim.id, claim.line);
    if (!fresh) {
      checker.wrong(
          fmt::format("another claim has this id (in line {}); give each its own", first->second));
    }
    if (claim.kind == ClaimKind::shape || claim.kind == ClaimKind::all_of) claim.higher = true;
    checker.check();
  }
}

}  // namespace bioptic::schema
