#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "bioptic/base/counted.h"
#include "bioptic/base/error.h"
#include "bioptic/base/json_text.h"
#include "bioptic/base/print.h"
#include "bioptic/cli/command.h"
#include "bioptic/cli/finite_number.h"
#include "bioptic/cli/overwrite.h"
#include "bioptic/report/arm_levels.h"
#include "bioptic/report/comparisons.h"
#include "bioptic/study/compare_arms.h"
#include "bioptic/study/compare_models.h"
#include "bioptic/study/compared_metrics.h"
#include "bioptic/study/comparison_sentence.h"
#include "bioptic/study/inverted_scores.h"
#include "bioptic/study/read_predictions.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Options {
  std::vector<std::string> files;
  CompareOptions compare;
  ReadPredictions read;
  std::string metric, figure;
  std::string inference = "patients", reference;
  bool json = false, force = false;
};

json number(double value) { return std::isfinite(value) ? json(value) : json(); }
json number(const std::optional<double>& value) { return value ? number(*value) : json(); }

json models_json(const std::vector<ModelComparison>& models) {
  json out = json::array();
  for (const ModelComparison& m : models) {
    out.push_back({{"a", m.a},
                   {"b", m.b},
                   {"seed", m.seed},
                   {"compares", "two trained models, not two settings"},
                   {"only_a_right", m.only_a_right},
                   {"only_b_right", m.only_b_right},
                   {"accuracy_difference", m.accuracy_difference},
                   {"mcnemar_p", m.mcnemar_p},
                   {"grouped_p", number(m.grouped_p)},
                   {"auroc_difference", number(m.auroc_difference)},
                   {"auroc_test", m.auroc_by_jackknife ? "jackknife over groups" : "DeLong"},
                   {"auroc_p", number(m.auroc_p)}});
  }
  return out;
}

// Of every metric, in its order.
std::vector<MetricLevels> levels_of(const PredictionTable& table, std::span<const Metric> metrics) {
  std::vector<MetricLevels> out;
  for (const Metric metric : metrics) {
    out.push_back({metric, arm_levels(table, metric_values(table, metric))});
  }
  return out;
}

json arms_json(const PredictionTable& table, std::span<const MetricLevels> levels) {
  json arms = json::array();
  for (const PredictedArm& arm : table.arms) {
    std::vector<std::int64_t> seeds;
    int collapsed = 0;
    std::size_t not_finite = 0;
    for (const PredictedTrial& t : arm.trials) {
      seeds.push_back(t.seed);
      collapsed += t.collapsed ? 1 : 0;
      not_finite += t.not_finite;
    }
    arms.push_back({{"name", arm.name},
                    {"seeds", seeds},
                    {"collapsed", collapsed},
                    {"not_finite", not_finite},
                    {"metrics", json::object()},
                    {"levels", json::object()}});
  }
  for (const MetricLevels& of : levels) {
    const std::string name(name_of(of.metric));
    for (std::size_t a = 0; a < table.arms.size(); ++a) {
      const ArmLevel& level = of.arms[a];
      // The mean over all seeds: of none where the metric is undefined in some.
      const bool all = static_cast<std::size_t>(level.summary.seeds) == level.values.size();
      arms[a]["metrics"][name] = all ? number(level.summary.mean) : json();
      arms[a]["levels"][name] = level_json(level);
    }
  }
  return arms;
}

void print_models(const std::vector<ModelComparison>& models) {
  if (models.empty()) return;
  print_out(
      "One seed an arm: the tests below compare two TRAINED MODELS, never two settings. Another\n"
      "training of either would be another model.\n");
  for (const ModelComparison& m : models) {
    print_out(
        "- {} and {} (seed {}): {} images only {} gets right, {} only {}; McNemar's exact p {}",
        m.a, m.b, m.seed, m.only_a_right, m.a, m.only_b_right, m.b, p_text(m.mcnemar_p));
    if (m.grouped_p) {
      print_out(" (it takes images for independent; over groups p {})", p_text(*m.grouped_p));
    }
    if (m.auroc_difference) {
      print_out("; AUROC {:+.4f}, {} p {}", *m.auroc_difference,
                m.auroc_by_jackknife ? "jackknife over groups" : "DeLong's",
                p_text(m.auroc_p.value_or(std::nan(""))));
    }
    print_out("\n");
  }
}

std::string as_sentence(std::string text) {
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text + ".";
}

std::vector<Metric> wanted_metrics(const PredictionTable& table, const std::string& name) {
  std::vector<Metric> there = compared_metrics(table);
  if (name.empty()) return there;
  if (const std::optional<Metric> metric = metric_named(name)) {
    if (const std::string why = why_left_out(table, *metric); !why.empty()) {
      throw InputError("--metric: " + why);
    }
  }
  std::vector<std::string_view> names;
  for (const Metric m : there) {
    if (name_of(m) == name) return {m};
    names.push_back(name_of(m));
  }
  throw InputError(fmt::format("--metric: there is no '{}' of these predictions{}", name,
                               suggestion(name, names)));
}

ArmPairs reference_pairs(const PredictionTable& table, const std::string& reference) try {
  return pairs_of(names_of_arms(table), {reference, {}});
} catch (const InputError& e) {
  throw InputError(std::string("--reference: ") + e.what());
}

int compare_command(const Options& o) {
  if (!o.figure.empty()) refuse_to_overwrite_figure(o.figure, o.force);
  const std::vector<fs::path> files(o.files.begin(), o.files.end());
  PredictionTable table = read_predictions(files, o.read);
  const std::vector<Metric> metrics = wanted_metrics(table, o.metric);
  CompareOptions options = o.compare;
  options.not_allowed = why_inverted(table);
  if (!options.not_allowed.empty()) {
    table.notes.insert(table.notes.begin(), as_sentence(options.not_allowed));
  }
  if (o.inference == "seeds") options.inference = Inference::seeds;
  ArmPairs pairs = reference_pairs(table, o.reference);
  options.pairs = std::move(pairs.pairs);
  if (!pairs.note.empty()) table.notes.push_back(std::move(pairs.note));
  const std::vector<MetricLevels> levels = levels_of(table, metrics);
  const std::vector<Comparison> comparisons = compare_arms(table, options, metrics);
  const auto other_images = std::find_if(comparisons.begin(), comparisons.end(),
                                         [](const Comparison& c) { return !c.resampled.empty(); });
  if (other_images != comparisons.end()) {
    table.notes.push_back(fmt::format(
        "The test images differ between the seeds: {}. The level of an arm is its mean over these "
        "test sets and has no interval. Every image that a seed does not test is taken as one that "
        "it was trained on.",
        other_images->resampled));
  }
  std::vector<ModelComparison> models;
  if (options.not_allowed.empty()) models = compare_models(table);
  if (std::find(metrics.begin(), metrics.end(), Metric::auroc) == metrics.end()) {
    for (ModelComparison& m : models) m.auroc_difference = m.auroc_p = std::nullopt;
  }
  if (!o.figure.empty()) {
    const std::optional<Figure> figure = forest_figure(comparisons);
    if (!figure) throw InputError("--figure: no pair of arms has an interval to draw");
    write_figure(*figure, o.figure);
  }
  if (o.json) {
    const json out = {{"files", o.files},
                      {"split", table.split},
                      {"classes", table.classes},
                      {"positive", table.classes.size() == 2 && table.positive_known
                                       ? json(table.classes[table.positive])
                                       : json()},
                      {"images", table.images.size()},
                      {"groups", table.groups},
                      {"margin", o.compare.margin},
                      {"detect", o.compare.detect},
                      {"arms", arms_json(table, levels)},
                      {"comparisons", comparisons_json(comparisons)},
                      {"models", models_json(models)},
                      {"notes", table.notes}};
    print_out("{}\n", json_text(out, 2));
    return 0;
  }
  print_out("{}, {}, {}{} of split {}\n\n", counted(table.arms.size(), "arm"),
            counted(table.arms[0].trials.size(), "seed"), counted(table.images.size(), "image"),
            table.grouped ? " of " + counted(table.groups, "group") : std::string(), table.split);
  print_out("{}\n{}\n", arm_levels_text(table, levels), comparisons_text(comparisons, true));
  print_models(models);
  for (const std::string& note : table.notes) print_out("note: {}\n", note);
  return 0;
}

}  // namespace

void register_compare(CLI::App& app, Command& run) {
  const auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand(
      "compare", "Compare settings from predictions that any program made (CSV files)");
  sub->add_option("FILE", o->files,
                  "CSV with columns image, label, seed, score (or score_<class>...), and as needed "
                  "arm (else the file's name), split, group, logit; several are joined")
      ->required();
  sub->add_option("--margin", o->compare.margin,
                  "differences within it count as none (0 = no margin)")
      ->check(number_between(0.0, 1.0))
      ->capture_default_str();
  sub->add_option("--detect", o->compare.detect, "true difference to plan seeds and cases for")
      ->check(number_between(1e-6, 1.0))
      ->capture_default_str();
  sub->add_option(
         "--inference", o->inference,
         "what verdicts speak for: patients (other seeds and other patients) or, if that is "
         "all that was ever asked, seeds (other seeds on these images only)")
      ->check(CLI::IsMember({"patients", "seeds"}))
      ->capture_default_str();
  sub->add_option("--reference", o->reference,
                  "the arm that every other is compared with (default: all pairs)")
      ->type_name("ARM");
  sub->add_flag("--common", o->read.common,
                "where arms have other seeds, use those that all share");
  sub->add_option("--split", o->read.split, "which rows, by their column split")
      ->capture_default_str();
  sub->add_option("--positive", o->read.positive,
                  "label that the score speaks for (default: the files' column, else 1 of 0 and 1 "
                  "or of -1 and 1, true, yes or positive; other labels have none)");
  sub->add_option("--threshold", o->read.threshold,
                  "positive where the score is above it (default: the files' column, else 0.5; "
                  "with --logits 0)")
      ->check(finite_number());
  sub->add_flag("--logits", o->read.logits,
                "the scores are logits (log odds), or others whose order counts");
  sub->add_option("--metric", o->metric, "this metric alone (default: all)");
  sub->add_option("--figure", o->figure, "write a forest plot to STEM.svg, .png and .pdf")
      ->type_name("STEM");
  sub->add_flag("--force", o->force, "with --figure: overwrite files of that name");
  sub->add_flag("--json", o->json, "as JSON");
  sub->callback([o, &run] { run = [o] { return compare_command(*o); }; });
}

}  // namespace bioptic
