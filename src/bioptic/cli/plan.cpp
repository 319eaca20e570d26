#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/print.h"
#include "bioptic/cli/command.h"
#include "bioptic/cli/finite_number.h"
#include "bioptic/cli/overwrite.h"
#include "bioptic/report/plan.h"
#include "bioptic/stats/effective_groups.h"
#include "bioptic/stats/planned_comparison.h"
#include "bioptic/store/store.h"
#include "bioptic/study/arm_pairs.h"
#include "bioptic/study/metric_values.h"
#include "bioptic/study/seed_independence.h"
#include "bioptic/study/summarise.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

struct Options {
  Plan plan;
  std::string from, metric = "accuracy", figure;
  std::optional<double> sd_seeds, sd_cases, sd_rest;
  std::vector<std::string> arms;
  std::optional<int> seeds, cases;
  bool json = false, force = false;
};

// OUT (of one study) or OUT/STUDY.
StudySummary open_run(fs::path path) {
  if (!path.has_filename()) path = path.parent_path();
  fs::path out = path;
  std::string name;
  if (!fs::exists(out / "bioptic.sqlite")) {
    name = path.filename().string();
    out = path.has_parent_path() ? path.parent_path() : fs::path(".");
  }
  if (!fs::exists(out / "bioptic.sqlite")) {
    throw InputError(fmt::format(
        "--from {}: {}; give the --out folder of bioptic run, or OUT/STUDY", path.string(),
        fs::exists(path) ? "holds no runs (no bioptic.sqlite, nor in the folder above)"
                         : "does not exist"));
  }
  const Store store = Store::open_to_read(out);
  if (name.empty()) {
    const std::vector<StoredStudy> studies = store.studies();
    if (studies.size() != 1) {
      std::vector<std::string> names;
      for (const StoredStudy& s : studies) names.push_back((out / s.name).string());
      throw InputError(fmt::format("{} holds {} studies; say which: {}", out.string(),
                                   studies.size(), fmt::join(names, ", ")));
    }
    name = studies.front().name;
  }
  return read_trials(store, name);
}

std::size_t arm_index(const PredictionTable& table, const std::string& name) {
  std::vector<std::string_view> names;
  for (std::size_t a = 0; a < table.arms.size(); ++a) {
    if (table.arms[a].name == name) return a;
    names.push_back(table.arms[a].name);
  }
  throw InputError(fmt::format("--arms: no arm is called '{}'{}", name, suggestion(name, names)));
}

// The pairs that the study compares, or all of the arms that are asked for.
ArmPairs pairs_to_plan(const Options& o, const StudySummary& summary,
                       const PredictionTable& table) {
  if (o.arms.empty()) return pairs_of(names_of_arms(table), summary.pairs);
  std::set<std::size_t> only;  // in the study's order, each once
  for (const std::string& name : o.arms) only.insert(arm_index(table, name));
  const std::vector<std::size_t> arms(only.begin(), only.end());
  std::vector<std::string> names;
  for (const std::size_t a : arms) names.push_back(table.arms[a].name);
  ArmPairs pairs = pairs_of(names, {});
  for (ArmPair& pair : pairs.pairs) pair = {arms[pair.a], arms[pair.b]};
  return pairs;
}

// Every pair of arms on the test split is a pilot of its own; the plan is for the pair that asks
// for most.  A mean over the pairs would promise its power to the quieter ones alone.
void take_parts(const Options& o, Plan& plan) {
  const StudySummary summary = open_run(o.from);
  if (const std::string why = why_seeds_depend(summary); !why.empty()) {
    throw InputError(fmt::format("{}: no pilot for a plan: {}", o.from, why));
  }
  const PredictionTable table = prediction_table(summary, "test");
  const std::optional<Metric> metric = metric_named(o.metric);
  if (!metric || !has_points(*metric)) {
    throw InputError("--metric is '" + o.metric +
                     "'; expected accuracy, auroc, balanced_accuracy, sensitivity or specificity");
  }
  const MetricValues values = metric_values(table, *metric);
  const ArmPairs pairs = pairs_to_plan(o, summary, table);
  int collapsed = 0;
  double most = -1;  // seeds asked for; then the variance as it is, upper limit
  double largest = -1;
  std::string reason = "there is one arm";
  for (const auto& [a, b] : pairs.pairs) {
    std::vector<double> weights(table.arms.size(), 0);
    weights[a] = 1;
    weights[b] = -1;
    const ContrastResult r = contrast(table, values, weights);
    if (!r.parts || !r.few_cases.empty()) {
      reason = r.few_cases.empty() ? r.e2.reason : r.few_cases;
      continue;
    }
    const int seeds = o.seeds.value_or(static_cast<int>(r.seeds.size()));
    const int cases = o.cases.value_or(static_cast<int>(r.groups));
    const PowerRule rule = {kAlpha, r.effective.of_variance / static_cast<double>(r.groups)};
    const auto comparison = PlannedComparison::crossed(*r.parts, rule);
    const Plan::Pair pair = {table.arms[a].name, table.arms[b].name,
                             comparison.seeds_needed(cases, plan.detect),
                             comparison.groups_needed(seeds, plan.detect)};
    const double asked = pair.seeds.safe.value_or(kMostSeeds + 1);
    const double variance = comparison.variance(seeds, cases, Of::high);
    if (asked > most || (asked == most && variance > largest)) {
      most = asked;
      largest = variance;
      plan.parts = *r.parts;
      plan.rule = rule;
      plan.present_seeds = seeds;
      plan.present_cases = cases;
      plan.decides = plan.pairs.size();
    }
    plan.pairs.push_back(pair);
  }
  for (const ArmSummary& arm : summary.arms) collapsed += arm.collapsed;
  if (plan.pairs.empty()) {
    throw InputError(fmt::format("{}: no pair of arms tells how its difference varies: {}", o.from,
                                 reason.empty() ? "two seeds an arm are the least" : reason));
  }
  const Plan::Pair& pair = plan.pairs[plan.decides];
  plan.source = fmt::format(
      "From {} ({}, {:.0f} seeds, {:.0f} cases), by {}'{}' and '{}':\nstandard deviation {:.4f} "
      "from seeds, {:.4f} from cases, {:.4f} from both together.{}{}",
      summary.name, words_of(*metric), plan.parts.pilot->seeds, plan.parts.pilot->groups,
      plan.pairs.size() == 1
          ? ""
          : fmt::format("that of the {} pairs of arms which asks for most, ", plan.pairs.size()),
      pair.a, pair.b, std::sqrt(plan.parts.seeds), std::sqrt(plan.parts.groups),
      std::sqrt(plan.parts.error),
      plan.parts.pilot->seeds < kLeastSeedsForVerdict ? " So few seeds tell little of the first."
                                                      : "",
      collapsed > 0 ? " Collapsed trainings are counted, and widen it." : "");
  if (!pairs.note.empty()) plan.source += "\n" + pairs.note;
}

void take_given(const Options& o, Plan& plan) {
  if (!o.sd_seeds || !o.sd_cases) {
    throw InputError(
        "say how the difference varies: --from RUN_DIR, or both --sd-seeds and --sd-cases");
  }
  const double rest = o.sd_rest.value_or(0);
  plan.parts = {*o.sd_seeds * *o.sd_seeds, *o.sd_cases * *o.sd_cases, rest * rest};
  plan.present_seeds = 10;
  plan.present_cases = 400;
  plan.source = fmt::format(
      "As given: standard deviation of a paired difference {} from seeds, {} from cases, {} from "
      "both together.",
      *o.sd_seeds, *o.sd_cases, rest);
  if (!o.sd_rest) plan.source += "\nWithout --sd-rest the last is taken for 0: a lower bound.";
}

int plan_command(const Options& o) {
  if (!o.figure.empty()) refuse_to_overwrite_figure(o.figure, o.force);
  Plan plan = o.plan;
  if (!o.from.empty()) {
    if (o.sd_seeds || o.sd_cases || o.sd_rest) {
      throw InputError(
          "--from measures the deviations; it does not go with --sd-seeds, --sd-cases "
          "or --sd-rest");
    }
    take_parts(o, plan);
  } else {
    take_given(o, plan);
  }
  if (o.seeds) plan.present_seeds = *o.seeds;
  if (o.cases) plan.present_cases = *o.cases;
  if (std::find(plan.seeds.begin(), plan.seeds.end(), plan.present_seeds) == plan.seeds.end()) {
    plan.seeds.insert(std::upper_bound(plan.seeds.begin(), plan.seeds.end(), plan.present_seeds),
                      plan.present_seeds);
  }
  for (const double times : {0.5, 1.0, 2.0, 4.0, 10.0}) {
    const int cases = static_cast<int>(std::lround(times * plan.present_cases));
    if (cases >= kLeastEffectiveGroups) plan.cases.push_back(cases);
  }
  if (!o.figure.empty()) {
    const fs::path stem = o.figure;
    write_figure(plan_figure(plan), stem);
  }
  print_out("{}", o.json ? plan_json(plan).dump(2) + "\n" : plan_text(plan));
  return 0;
}

}  // namespace

void register_plan(CLI::App& app, Command& run) {
  const auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand(
      "plan", "How many seeds and test patients a comparison needs, from a run or from deviations");
  sub->add_option("--detect", o->plan.detect, "true difference to find (0.02 = two points)")
      ->check(number_between(1e-6, 1.0))
      ->required();
  sub->add_option("--from", o->from, "a run's OUT or OUT/STUDY: measure the deviations on it")
      ->type_name("RUN_DIR");
  sub->add_option("--metric", o->metric, "with --from: accuracy, auroc, ...")
      ->capture_default_str();
  sub->add_option(
         "--arms", o->arms,
         "with --from: all pairs of these arms (default: the pairs that the study compares)")
      ->delimiter(',');
  const CLI::Validator sd = number_between(0.0, 10.0);
  sub->add_option("--sd-seeds", o->sd_seeds, "standard deviation of the difference between seeds")
      ->check(sd);
  sub->add_option("--sd-cases", o->sd_cases, "... between cases (patients)")->check(sd);
  sub->add_option("--sd-rest", o->sd_rest, "... of a case and seed together (default: 0)")
      ->check(sd);
  sub->add_option("--seeds", o->seeds, "seeds to count cases for (default: the run's, else 10)")
      ->check(CLI::Range(2, kMostSeeds));
  sub->add_option("--cases", o->cases, "cases to count seeds for (default: the run's, else 400)")
      ->check(CLI::Range(static_cast<int>(kLeastEffectiveGroups), kMostGroups));
  sub->add_option("--figure", o->figure, "draw power against seeds to STEM.svg, .png and .pdf")
      ->type_name("STEM");
  sub->add_flag("--force", o->force, "with --figure: overwrite files of that name");
  sub->add_flag("--json", o->json, "as JSON");
  sub->callback([o, &run] { run = [o] { return plan_command(*o); }; });
}

}  // namespace bioptic
