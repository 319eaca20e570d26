// Level, power and coverage of the rules behind a verdict over simulated studies, at full size.
//   verdict_simulation [--repetitions 10000] [--seeds 5,10,30] [--markdown] [--few-groups]
// JSON on standard output; with --markdown the table of docs/statistics.md.  --few-groups prints
// the table of splits in which few patients hold most of the images instead.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "bioptic/stats/few_groups_simulation.h"
#include "bioptic/stats/verdict_simulation.h"

namespace {

using bioptic::simulation::Law;
using bioptic::simulation::Outcome;
using bioptic::simulation::Rule;
using nlohmann::json;

struct Scenario {
  const char* name;
  Law law;
  bool auroc;
};

std::vector<Scenario> scenarios() {
  Law null, independent, whole, no_interaction, peaks, effect, collapse;
  independent.correlation = 0;
  whole.correlation = 1;
  no_interaction.interaction = 0;
  peaks.low_peak_share = 0.3;
  effect.difference = 0.04;
  collapse.collapse_share_a = 0.1;
  return {{"no difference", null, true},
          {"no difference, images of a group independent", independent, false},
          {"no difference, images of a group alike", whole, false},
          {"no difference, images favour no arm", no_interaction, false},
          {"no difference, both arms two-peaked", peaks, false},
          {"4 points", effect, true},
          {"no difference, only A sometimes collapses", collapse, false}};
}

json as_json(const Scenario& scenario, const Outcome& out) {
  json rules = json::object();
  const auto rate = [&](int count) { return static_cast<double>(count) / out.repetitions; };
  for (const Rule& rule : out.rules) {
    rules[rule.name] = {{"different", rate(rule.rejected)}};
    if (!rule.has_interval) continue;
    rules[rule.name]["coverage"] = rate(rule.covered);
    rules[rule.name]["useless"] = rate(rule.useless);
    rules[rule.name]["different_given_true_variance"] = rate(rule.at_true_variance);
  }
  return {{"scenario", scenario.name},
          {"seeds", out.seeds},
          {"repetitions", out.repetitions},
          {"floored", rate(out.floored)},
          {"verdict_different", rate(out.different)},
          {"rules", rules}};
}

std::string row(const json& j) {
  const auto number = [&](const char* rule, const char* key) -> std::string {
    if (!j.at("rules").contains(rule)) return "";
    return fmt::format("{:.3f}", j.at("rules").at(rule).at(key).get<double>());
  };
  std::string out =
      fmt::format("| {} | {} |", j.at("scenario").get<std::string>(), j.at("seeds").get<int>());
  for (const char* key : {"different", "coverage", "different_given_true_variance"}) {
    out += " " + number("crossed t", key) + " |";
  }
  out += fmt::format(" {:.3f} |", j.at("floored").get<double>());
  out +=
      " " + number("reader study", "different") + " | " + number("reader study", "coverage") + " |";
  out += fmt::format(" {} ({}) |", number("crossed t without floors", "different"),
                     number("crossed t without floors", "useless"));
  for (const char* rule : {"images as cases", "paired t over seeds", "McNemar pooled over seeds",
                           "one run each, 2 points"}) {
    out += " " + number(rule, "different") + " |";
  }
  return out + "\n";
}

// Before and after: degrees of freedom of all groups, and of the effective ones.
void print_few_groups(const std::vector<int>& seeds, int repetitions, double interaction,
                      bool with_auroc) {
  fmt::print(
      "| patients | S | metric | effective number | all groups' df | effective df | verdict |\n"
      "|---|---|---|---|---|---|---|\n");
  std::uint64_t stream = 0;
  for (const bioptic::simulation::Layout& layout : bioptic::simulation::few_group_layouts()) {
    for (const int s : seeds) {
      for (const bioptic::simulation::FewGroupsRule& rule :
           bioptic::simulation::simulate_few_groups(layout, s, repetitions, interaction, with_auroc,
                                                    stream)) {
        fmt::print("| {} | {} | {} | {:.1f} | {:.3f} | {:.3f} | {} |\n", layout.name, s,
                   rule.metric, rule.effective, static_cast<double>(rule.plain) / repetitions,
                   static_cast<double>(rule.mended) / repetitions,
                   rule.allowed ? "given" : "not allowed");
      }
      ++stream;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Level, power and coverage of the rules behind a verdict");
  int repetitions = 10000;
  std::vector<int> seeds = {5, 10, 30};
  std::string only;
  bool markdown = false, few_groups = false, with_auroc = false;
  double interaction = 0.7;
  app.add_option("--repetitions", repetitions)->check(CLI::Range(2, 10000000));
  app.add_option("--seeds", seeds)->delimiter(',')->check(CLI::Range(2, 1000));
  app.add_option("--only", only, "scenarios whose name holds this");
  app.add_flag("--markdown", markdown, "the table instead of JSON");
  app.add_flag("--few-groups", few_groups, "the table of splits with few patients");
  app.add_option("--interaction", interaction, "of arm and patient, for --few-groups");
  app.add_flag("--auroc", with_auroc, "AUROC too, for --few-groups");
  CLI11_PARSE(app, argc, argv);
  if (few_groups) {
    print_few_groups(seeds, repetitions, interaction, with_auroc);
    return 0;
  }
  json all = json::array();
  std::uint64_t stream = 0;
  for (const Scenario& scenario : scenarios()) {
    if (std::string_view(scenario.name).find(only) == std::string_view::npos) continue;
    for (const int s : seeds) {
      all.push_back(as_json(scenario, bioptic::simulation::simulate(scenario.law, s, repetitions,
                                                                    scenario.auroc, stream++)));
      fmt::print(stderr, "{}, S = {}\n", scenario.name, s);
    }
  }
  if (!markdown) {
    fmt::print("{}\n", all.dump(2));
    return 0;
  }
  fmt::print(
      "| truth | S | crossed t | its coverage | given the true variance | floored | reader study "
      "(AUROC) | its coverage | the same with a floor | its coverage | without floors (no "
      "interval) | images as cases | paired t over "
      "seeds | McNemar "
      "pooled | one run each, 2 points "
      "|\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const json& j : all) fmt::print("{}", row(j));
  return 0;
}
