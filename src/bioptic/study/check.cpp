#include "bioptic/study/check.h"

#include <fmt/format.h>

#include <array>

#include "bioptic/base/counted.h"
#include "bioptic/base/error.h"
#include "bioptic/study/keys.h"

namespace bioptic::schema {
namespace {

// What a schedule cannot do without, with values to start from.
constexpr const char* kMilestones = "milestones = [10, 20]";
constexpr const char* kOneCycleMaxLr = "max_lr = 0.003";
constexpr const char* kCyclicBaseLr = "base_lr = 1e-4";
constexpr const char* kCyclicMaxLr = "max_lr = 1e-3";
constexpr const char* kCyclicUp = "up = 2";

struct ArmChecker {
  const ArmSpec& arm;
  Place place;

  [[noreturn]] void wrong(const std::string& key, const std::string& message) const {
    const auto line = arm.lines.find(key);
    fail(place, line == arm.lines.end() ? arm.line : line->second,
         fmt::format("arm '{}': {}", arm.name, message));
  }

  void check_optimizer() const {
    const OptimizerSpec& o = arm.train.optimizer;
    if (o.nesterov && (o.momentum <= 0 || o.dampening != 0)) {
      wrong("optimizer", "optimizer.nesterov needs momentum above 0 and dampening 0");
    }
  }

  void require(bool given, const char* what, const char* example) const {
    if (!given) {
      wrong("scheduler", fmt::format("scheduler kind '{}' needs {}, such as {}",
                                     scheduler_table().kind(arm.train.schedule), what, example));
    }
  }

  void check_scheduler() const {
    const ScheduleSpec& s = arm.train.schedule;
    const double lr = arm.train.optimizer.lr;
    const int epochs = arm.train.epochs;
    if (s.warmup_epochs >= epochs) {
      wrong("scheduler", fmt::format("scheduler.warmup = {} leaves nothing of {} epochs",
                                     toml_text(s.warmup_epochs), epochs));
    }
    switch (s.kind) {
      case ScheduleKind::multistep:
        require(!s.milestones.empty(), "milestones", kMilestones);
        if (s.milestones.back() >= epochs) {
          wrong("scheduler",
                fmt::format("scheduler.milestones: {} is not before the end of the run "
                            "({})",
                            toml_text(s.milestones.back()),
                            counted(static_cast<std::size_t>(epochs), "epoch")));
        }
        break;
      case ScheduleKind::cosine:
      case ScheduleKind::cosine_restarts:
        if (s.eta_min > lr) wrong("scheduler", "scheduler.eta_min is above the optimizer's lr");
        break;
      case ScheduleKind::one_cycle:
        require(s.max_lr > 0, "max_lr", kOneCycleMaxLr);
        if (s.three_phase && s.pct_start > 0.5) {
          wrong("scheduler",
                "scheduler.pct_start is above 0.5, but three_phase rises and falls in two "
                "shares of that size");
        }
        check_momentum();
        break;
      case ScheduleKind::cyclic:
        require(s.base_lr > 0, "base_lr", kCyclicBaseLr);
        require(s.max_lr > 0, "max_lr", kCyclicMaxLr);
        require(s.up_epochs > 0, "up, the epochs in which the rate rises", kCyclicUp);
        if (s.base_lr > s.max_lr) wrong("scheduler", "scheduler.base_lr is above max_lr");
        if (s.gamma != 1 && s.mode != CyclicMode::exp_range) {
          wrong("scheduler", "scheduler.gamma is used with mode = \"exp_range\" only");
        }
        check_momentum();
        break;
      case ScheduleKind::plateau:
        if (s.min_lr > lr) wrong("scheduler", "scheduler.min_lr is above the optimizer's lr");
        break;
      default:
        break;
    }
  }

  void check_momentum() const {
    const ScheduleSpec& s = arm.train.schedule;
    if (s.cycle_momentum && s.base_momentum > s.max_momentum) {
      wrong("scheduler", "scheduler.base_momentum is above max_momentum");
    }
  }
};

// `vary` as explicitly given, by the study or by one arm.
void check_one_vary(const StudySpec& study, const Vary& vary, int line, const std::string& where) {
  const Place place{study.file.string(), where, ""};
  if (!study.seeds.crossed) {
    if (study.seeds.count > 1 && !vary.split && !vary.init && !vary.order) {
      fail(place, line,
           fmt::format("{} is empty, so all {} seeds would be the same trial; name \"split\", "
                       "\"init\" or \"order\"",
                       place.name("vary"), study.seeds.count));
    }
    return;
  }
  const auto check = [&](bool varied, int count, const char* stream) {
    if (!varied && count > 1) {
      fail(
          place, line,
          fmt::format("{} leaves out \"{}\", but seeds.{} = {} asks for {} of them; set it to 1 or "
                      "vary it",
                      place.name("vary"), stream, stream, count, count));
    }
  };
  check(vary.split, study.seeds.split, "split");
  check(vary.init, study.seeds.init, "init");
  check(vary.order, study.seeds.order, "order");
}

int line_in(const std::map<std::string, int>& lines, const std::string& key, int otherwise) {
  const auto line = lines.find(key);
  return line == lines.end() ? otherwise : line->second;
}

}  // namespace

std::vector<std::string> needed_schedule_keys(std::string_view kind) {
  if (kind == "multistep") return {kMilestones};
  if (kind == "one_cycle" || kind == "onecycle") return {kOneCycleMaxLr};
  if (kind == "cyclic") return {kCyclicBaseLr, kCyclicMaxLr, kCyclicUp};
  return {};
}

void check_arm(const ArmSpec& arm, const std::string& file) {
  const ArmChecker checker{arm, {file, "", ""}};
  checker.check_optimizer();
  checker.check_scheduler();
}

void check_vary(const StudySpec& study) {
  if (study.vary) {
    check_one_vary(study, *study.vary, line_in(study.lines, "study.vary", 1), "[study]");
  }
  for (const ArmSpec& arm : study.arms) {
    if (arm.vary) {
      check_one_vary(study, *arm.vary, line_in(arm.lines, "vary", arm.line),
                     "[[arm]] '" + arm.name + "'");
    }
  }
}

void check_pairs(const StudySpec& study) {
  const bool both = !study.pairs.reference.empty() && !study.pairs.pairs.empty();
  const std::string key = study.pairs.pairs.empty() ? "reference" : "pairs";
  const Place place{study.file.string(), "[study]", ""};
  const int line = line_in(study.lines, "study." + key, 1);
  if (both) fail(place, line, "[study] pairs and reference are both given; keep one of them");
  std::vector<std::string> names;
  for (const ArmSpec& arm : study.arms) {
    if (!arm.is_control) names.push_back(arm.name);
  }
  try {
    pairs_of(names, study.pairs);
  } catch (const InputError& e) {
    fail(place, line, "[study] " + key + ": " + e.what());
  }
}

bool same_training(const ArmSpec& a, const ArmSpec& b) {
  const auto vary = [](const ArmSpec& arm) {
    return arm.vary ? std::optional(std::array{arm.vary->split, arm.vary->init, arm.vary->order})
                    : std::nullopt;
  };
  const auto text = [](const ArmSpec& arm) {
    TrainDraft draft;
    draft.spec = arm.train;
    draft.loss.spec = arm.train.loss;
    draft.loss.class_weight = arm.class_weight;
    return table_text(draft, train_keys());
  };
  return vary(a) == vary(b) && a.split_by == b.split_by && text(a) == text(b);
}

}  // namespace bioptic::schema
