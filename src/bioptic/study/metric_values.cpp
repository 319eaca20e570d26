#include "bioptic/study/metric_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "bioptic/base/counted.h"
#include "bioptic/stats/reader_study.h"
#include "bioptic/study/effective_cases.h"
#include "bioptic/study/repeated_trainings.h"
#include "bioptic/study/resampled_contrast.h"

namespace bioptic {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
// Differences of numbers near x are right to a few roundings of x: below this part of x they are 0.
// Without it a difference that is the same in every seed would seem to vary in the last bit.
constexpr double kRoundingPart = kRoundingOfDifference;

struct MetricWords {
  Metric metric;
  std::string_view name, words;
};
constexpr std::array<MetricWords, 7> kMetrics = {{
    {Metric::accuracy, "accuracy", "accuracy"},
    {Metric::auroc, "auroc", "AUROC"},
    {Metric::balanced_accuracy, "balanced_accuracy", "balanced accuracy"},
    {Metric::sensitivity, "sensitivity", "sensitivity"},
    {Metric::specificity, "specificity", "specificity"},
    {Metric::brier, "brier", "Brier score"},
    {Metric::log_loss, "log_loss", "log loss"},
}};

const MetricWords& entry(Metric metric) { return kMetrics.at(static_cast<std::size_t>(metric)); }

std::vector<std::size_t> labels_of(const PredictionTable& table, const PredictedTrial& trial) {
  std::vector<std::size_t> labels;
  labels.reserve(trial.images.size());
  for (const std::size_t i : trial.images) labels.push_back(table.images[i].label);
  return labels;
}

// Groups of a trial's images, numbered in the order of the images.
struct LocalGroups {
  std::vector<std::size_t> of_image;
  std::size_t count = 0;
};
LocalGroups groups_of(const PredictionTable& table, std::span<const std::size_t> images) {
  constexpr auto kNone = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> number(table.groups, kNone);
  LocalGroups out;
  out.of_image.reserve(images.size());
  for (const std::size_t i : images) {
    std::size_t& k = number[table.images[i].group];
    if (k == kNone) k = out.count++;
    out.of_image.push_back(k);
  }
  return out;
}

double mean_where(const std::vector<double>& values, const std::vector<std::size_t>& labels,
                  std::optional<std::size_t> label) {
  double sum = 0, n = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (label && labels[i] != *label) continue;
    sum += values[i];
    n += 1;
  }
  return n == 0 ? kNan : sum / n;
}

double log_likelihood_loss(double p) {
  constexpr double kLeast = std::numeric_limits<double>::epsilon();
  return -std::log(std::clamp(p, kLeast, 1 - kLeast));
}

// -log of the probability of what is true, from its log odds z.
double logistic_loss(double z) {
  static const double kMost = std::log((1 - std::numeric_limits<double>::epsilon()) /
                                       std::numeric_limits<double>::epsilon());
  z = std::clamp(z, -kMost, kMost);
  return z > 0 ? std::log1p(std::exp(-z)) : -z + std::log1p(std::exp(z));
}

// The metric of one image; rates count right predictions.
double image_value(const PredictionTable& table, const PredictedTrial& trial, Metric metric,
                   std::size_t i, std::size_t label) {
  const std::size_t columns = table.columns();
  const bool positive = label == table.positive;
  switch (metric) {
    case Metric::brier: {
      if (columns == 1) {
        const double rest = trial.scores[i] - (positive ? 1 : 0);
        return rest * rest;
      }
      double sum = 0;
      for (std::size_t c = 0; c < columns; ++c) {
        const double rest = trial.scores[i * columns + c] - (c == label ? 1 : 0);
        sum += rest * rest;
      }
      return sum;
    }
    case Metric::log_loss:
      return columns == 1 ? logistic_loss(positive ? trial.logits[i] : -trial.logits[i])
                          : log_likelihood_loss(trial.scores[i * columns + label]);
    default:
      return trial.predicted[i] == label ? 1 : 0;
  }
}

TrialMetric auroc_of(const PredictionTable& table, const PredictedTrial& trial) {
  const std::vector<std::size_t> labels = labels_of(table, trial);
  const LocalGroups groups = groups_of(table, trial.images);
  const std::size_t columns = table.columns();
  TrialMetric out;
  out.without.assign(groups.count, 0);
  for (std::size_t c = 0; c < columns; ++c) {
    const std::size_t wanted = columns == 1 ? table.positive : c;
    std::vector<double> ranks;
    std::vector<int> truth;
    int positives = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      ranks.push_back(trial.ranks[i * columns + c]);
      truth.push_back(labels[i] == wanted ? 1 : 0);
      positives += truth.back();
    }
    if (positives == 0 || static_cast<std::size_t>(positives) == labels.size()) {
      return {kNan, {}, std::vector<double>(groups.count, kNan)};
    }
    const JackknifedAuroc one = jackknifed_auroc(ranks, truth, groups.of_image, groups.count);
    out.value += one.value / static_cast<double>(columns);
    for (std::size_t g = 0; g < groups.count; ++g) {
      out.without[g] += one.without[g] / static_cast<double>(columns);
    }
  }
  return out;
}

TrialMetric trial_metric(const PredictionTable& table, const PredictedTrial& trial, Metric metric) {
  if (metric == Metric::auroc) return auroc_of(table, trial);
  TrialMetric out;
  const std::vector<std::size_t> labels = labels_of(table, trial);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    out.of_image.push_back(image_value(table, trial, metric, i, labels[i]));
  }
  const std::size_t classes = table.classes.size();
  switch (metric) {
    case Metric::sensitivity:
      out.value = mean_where(out.of_image, labels, table.positive);
      break;
    case Metric::specificity:
      out.value = mean_where(out.of_image, labels, 1 - table.positive);
      break;
    case Metric::balanced_accuracy:
      for (std::size_t c = 0; c < classes; ++c) {
        out.value += mean_where(out.of_image, labels, c) / static_cast<double>(classes);
      }
      break;
    default:
      out.value = mean_where(out.of_image, labels, std::nullopt);
  }
  return out;
}

// One trial of an arm with a weight.
struct Term {
  double weight = 0;
  const PredictedTrial* trial = nullptr;
  const TrialMetric* value = nullptr;
};

// [seed][arm with a weight]
using Terms = std::vector<std::vector<Term>>;

Terms terms_of(const PredictionTable& table, const MetricValues& values,
               std::span<const double> weights, std::span<const std::size_t> arms,
               std::span<const std::int64_t> seeds) {
  Terms out;
  for (const std::int64_t seed : seeds) {
    std::vector<Term>& row = out.emplace_back();
    for (const std::size_t a : arms) {
      const PredictedTrial* trial = table.trial(a, seed);
      const auto k = static_cast<std::size_t>(trial - table.arms[a].trials.data());
      row.push_back({weights[a], trial, &values.arms[a][k]});
    }
  }
  return out;
}

// The first seed whose arms were scored on different images.
std::optional<std::int64_t> seed_of_other_images(const Terms& terms,
                                                 std::span<const std::int64_t> seeds) {
  for (std::size_t s = 0; s < terms.size(); ++s) {
    for (const Term& term : terms[s]) {
      if (term.trial->images != terms[s].front().trial->images) return seeds[s];
    }
  }
  return std::nullopt;
}

bool same_images_in_all(const Terms& terms) {
  return std::all_of(terms.begin(), terms.end(), [&](const std::vector<Term>& row) {
    return row.front().trial->images == terms.front().front().trial->images;
  });
}

// What E2 is computed from: the images that the metric is made of, their cases, and D.
struct Cases {
  std::vector<std::size_t> kept;  // positions in the trial's images
  LocalGroups groups;
  std::vector<std::size_t> labels;  // of the kept
};

Cases cases_of(const PredictionTable& table, const PredictedTrial& trial, Metric metric) {
  Cases out;
  std::vector<std::size_t> images;
  for (std::size_t i = 0; i < trial.images.size(); ++i) {
    const std::size_t label = table.images[trial.images[i]].label;
    if (metric == Metric::sensitivity && label != table.positive) continue;
    if (metric == Metric::specificity && label == table.positive) continue;
    out.kept.push_back(i);
    out.labels.push_back(label);
    images.push_back(trial.images[i]);
  }
  out.groups = groups_of(table, images);
  return out;
}

// D[s,i], seeds x kept images.
std::vector<double> image_contrasts(const Terms& terms, const Cases& cases) {
  std::vector<double> d;
  d.reserve(terms.size() * cases.kept.size());
  for (const std::vector<Term>& row : terms) {
    for (const std::size_t i : cases.kept) {
      double sum = 0, size = 0;
      for (const Term& term : row) {
        const double part = term.weight * term.value->of_image[i];
        sum += part;
        size += std::abs(part);
      }
      d.push_back(std::abs(sum) <= kRoundingPart * size ? 0 : sum);
    }
  }
  return d;
}

// Class of each group; one more for groups of several classes.
std::vector<std::size_t> strata_of(const Cases& cases, std::size_t classes) {
  std::vector<std::size_t> strata(cases.groups.count, classes + 1);
  for (std::size_t i = 0; i < cases.labels.size(); ++i) {
    std::size_t& stratum = strata[cases.groups.of_image[i]];
    stratum = stratum == classes + 1 || stratum == cases.labels[i] ? cases.labels[i] : classes;
  }
  return strata;
}

void crossed_evidence(const PredictionTable& table, const Terms& terms, const Cases& cases,
                      double scale, ContrastResult& out) {
  const std::vector<double> d = image_contrasts(terms, cases);
  const std::size_t seeds = terms.size(), groups = cases.groups.count;
  out.group_values = out.metric == Metric::balanced_accuracy
                         ? class_mean_group_values(d, seeds, cases.groups.of_image, groups,
                                                   cases.labels, table.classes.size())
                         : group_values(d, seeds, cases.groups.of_image, groups);
  if (seeds < 2) return;
  const CrossedEstimate crossed = crossed_t(out.group_values);
  out.e2.estimate = with_degrees_of(out.effective, rounded(crossed.estimate, scale));
  out.parts = variance_parts(crossed, out.group_values);
  out.seeds_floored = crossed.seeds_floored;
  out.groups_floored = crossed.groups_floored;
  if (out.metric == Metric::accuracy && seeds >= kLeastSeedsForBootstrap) {
    out.bootstrap =
        crossed_bootstrap(d, seeds, cases.groups.of_image, strata_of(cases, table.classes.size()));
  }
}

void reader_evidence(const Terms& terms, double scale, ContrastResult& out) {
  std::vector<std::vector<double>> without;
  for (const std::vector<Term>& row : terms) {
    std::vector<double>& d = without.emplace_back(out.groups, 0);
    for (const Term& term : row) {
      for (std::size_t g = 0; g < out.groups; ++g) d[g] += term.weight * term.value->without[g];
    }
  }
  const auto undefined = [](double v) { return std::isnan(v); };
  if (std::any_of(without.front().begin(), without.front().end(), undefined)) {
    out.e2.reason = "one group holds all images of a class, so there are no other cases of it";
    return;
  }
  if (terms.size() < 2) return;
  const ReaderEstimate readers = reader_contrast(out.per_seed, without);
  out.e2.estimate = with_degrees_of(out.effective, rounded(readers.estimate, scale));
  out.parts = variance_parts(readers, without);
  out.groups_floored = readers.shared < 0;
}

void resampled_evidence(const PredictionTable& table, const MetricValues& values,
                        std::span<const double> weights, ContrastResult& out) {
  const auto arm = static_cast<std::size_t>(
      std::find_if(weights.begin(), weights.end(), [](double w) { return w != 0; }) -
      weights.begin());
  const Resampling drawn =
      table.beside ? validation_resampling(table, arm, out.seeds, table.beside->trained_on,
                                           table.beside->patients_shared)
                   : resampling_of(table, arm, out.seeds);
  const ResampledContrast contrast = resampled_contrast(table, values, weights, out.seeds, drawn);
  out.resampled = drawn.name;
  out.images = contrast.images;
  out.groups = contrast.groups;
  out.effective = contrast.effective;
  out.bounded_by = counted(contrast.images, "image");
  out.few_cases.clear();  // of one seed's images
  if (std::isfinite(contrast.effect())) out.effect = contrast.effect();
  const bool identical = out.e1.identical;
  out.e2 = contrast.evidence;
  out.e2.identical = identical;
  // Nothing is repeated on images that stay.
  out.e1.estimate = {kNan, kNan, kNan};
  out.e1.reason = out.e2.reason.empty() ? "the test images change with the seeds" : out.e2.reason;
}

std::string few_seeds(std::size_t seeds) {
  if (seeds == 0) return "the arms share no seed";
  if (seeds == 1) {
    return fmt::format(
        "one seed an arm: this compares two trained models, and cannot tell the setting from the "
        "luck of one training; at least {} seeds are needed",
        kLeastSeedsForVerdict);
  }
  return fmt::format("{} seeds: verdicts are given from {} seeds on", seeds, kLeastSeedsForVerdict);
}

}  // namespace

std::string_view name_of(Metric metric) { return entry(metric).name; }
std::string_view words_of(Metric metric) { return entry(metric).words; }

std::optional<Metric> metric_named(std::string_view name) {
  for (const MetricWords& m : kMetrics) {
    if (m.name == name) return m.metric;
  }
  return std::nullopt;
}

bool larger_is_better(Metric metric) {
  return metric != Metric::brier && metric != Metric::log_loss;
}

bool has_points(Metric metric) { return larger_is_better(metric); }

bool has_threshold(Metric metric) { return metric != Metric::auroc && larger_is_better(metric); }

std::vector<Metric> metrics_of(const PredictionTable& table) {
  std::vector<Metric> out = {Metric::accuracy, Metric::auroc, Metric::balanced_accuracy};
  if (table.classes.size() == 2) {
    out.push_back(Metric::sensitivity);
    out.push_back(Metric::specificity);
  }
  if (table.probabilities) {
    out.push_back(Metric::brier);
    out.push_back(Metric::log_loss);
  }
  return out;
}

MetricValues metric_values(const PredictionTable& table, Metric metric) {
  MetricValues out;
  out.metric = metric;
  for (const PredictedArm& arm : table.arms) {
    std::vector<TrialMetric>& trials = out.arms.emplace_back();
    for (const PredictedTrial& trial : arm.trials) {
      trials.push_back(trial_metric(table, trial, metric));
    }
  }
  return out;
}

ContrastResult contrast(const PredictionTable& table, const MetricValues& values,
                        std::span<const double> weights, std::span<const std::int64_t> only) {
  ContrastResult out;
  out.metric = values.metric;
  out.e1.estimate = out.e2.estimate = {kNan, kNan, kNan};
  std::vector<std::size_t> arms;
  for (std::size_t a = 0; a < weights.size(); ++a) {
    if (weights[a] != 0) arms.push_back(a);
  }
  out.seeds = shared_seeds(table, arms);
  if (!only.empty()) {
    std::erase_if(out.seeds, [&](std::int64_t seed) {
      return std::find(only.begin(), only.end(), seed) == only.end();
    });
  }
  const std::size_t seeds = out.seeds.size();
  out.effect = kNan;
  if (seeds == 0) {
    out.e1.reason = out.e2.reason = few_seeds(0);
    return out;
  }
  const Terms terms = terms_of(table, values, weights, arms, out.seeds);
  std::vector<std::pair<std::string, Chosen>> chosen;
  std::vector<std::pair<std::string, std::vector<std::string>>> still;
  for (const std::size_t a : arms) {
    chosen.emplace_back(table.arms[a].name, table.arms[a].chosen);
    still.emplace_back(table.arms[a].name, table.arms[a].still);
  }
  out.repeated = other_seeds(still);
  out.shared = table.shared;
  out.chosen = why_chosen(chosen, has_threshold(values.metric));

  double scale = 0;
  out.effect = 0;
  for (const std::vector<Term>& row : terms) {
    double sum = 0, size = 0;
    for (const Term& term : row) {
      sum += term.weight * term.value->value;
      size += std::abs(term.weight * term.value->value);
    }
    scale = std::max(scale, size);
    out.per_seed.push_back(std::abs(sum) <= kRoundingPart * size ? 0 : sum);
    out.effect += out.per_seed.back() / static_cast<double>(seeds);
  }
  const Cases cases = cases_of(table, *terms.front().front().trial, values.metric);
  out.images = cases.kept.size();
  out.groups = cases.groups.count;
  EffectiveCases effective = effective_cases(table, *terms.front().front().trial, values.metric);
  out.effective = effective.groups;
  out.few_cases = std::move(effective.why_too_few);
  out.bounded_by = std::move(effective.which);
  out.bounds = bounds_of(values.metric, weights, table.classes.size());
  out.e1.identical = out.e2.identical = arms_are_identical(table, arms, out.seeds);
  out.e2.bound = patient_bound(values.metric, out.effective.of_mean, weights, table.classes.size());

  if (const std::optional<std::int64_t> seed = seed_of_other_images(terms, out.seeds)) {
    out.e1.reason = out.e2.reason =
        fmt::format("with seed {} the arms were scored on different images", *seed);
    return out;
  }
  if (std::isnan(out.effect)) {
    out.e1.reason = out.e2.reason = fmt::format(
        "{} is undefined: the split has no image of one of the classes", words_of(values.metric));
    return out;
  }
  if (seeds >= 2) out.e1.estimate = rounded(mean_estimate(out.per_seed), scale);
  if (!same_images_in_all(terms)) {
    resampled_evidence(table, values, weights, out);
  } else if (out.groups < 2) {
    out.e2.reason = "all images belong to one group, so there are no other cases to speak for";
  } else if (values.metric == Metric::auroc) {
    reader_evidence(terms, scale, out);
  } else {
    crossed_evidence(table, terms, cases, scale, out);
  }
  if (!out.chosen.empty() && out.e2.reason.empty()) {
    out.e2.reason = out.chosen;
    out.parts.reset();
    out.bootstrap.reset();
  }
  if (out.e2.reason.empty() && !out.few_cases.empty()) {
    out.e2.reason = out.few_cases;
    out.bootstrap.reset();
  }
  std::string none = why_nothing_was_predicted(table, arms, out.seeds);
  if (none.empty()) none = why_trainings_repeat(table, arms, out.seeds);
  if (!none.empty()) {
    out.e1 = out.e2 = Evidence{{kNan, kNan, kNan}, none};
    out.parts.reset();
    out.bootstrap.reset();
    return out;
  }
  // The effect is one number for both, to the last bit.
  if (!std::isnan(out.e1.estimate.value)) out.effect = out.e1.estimate.value;
  if (!std::isnan(out.e2.estimate.value)) out.e2.estimate.value = out.effect;
  if (seeds < static_cast<std::size_t>(kLeastSeedsForVerdict)) {
    if (out.e1.reason.empty()) out.e1.reason = few_seeds(seeds);
    if (out.e2.reason.empty()) out.e2.reason = out.e1.reason;
  }
  return out;
}

Interval bounds_of(Metric metric, std::span<const double> weights, std::size_t classes) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (metric == Metric::log_loss) return {-kInfinity, kInfinity};
  // Of more than two classes the Brier score sums over the classes.
  const double most = metric == Metric::brier && classes > 2 ? 2 : 1;
  Interval out;
  for (const double w : weights) (w < 0 ? out.low : out.high) += w * most;
  return out;
}

PatientBound patient_bound(Metric metric, double patients, std::span<const double> weights,
                           std::size_t classes) {
  if (!larger_is_better(metric)) return {};
  double size = 0;  // of the arms on one side
  for (const double w : weights) size += std::max(w, 0.0);
  const bool mean_of_classes =
      metric == Metric::balanced_accuracy || (metric == Metric::auroc && classes > 2);
  return {patients, (mean_of_classes ? static_cast<double>(classes) : 1) / size};
}

Interval cut(Interval interval, Interval bounds) {
  if (std::isnan(interval.low)) return interval;
  return {std::max(interval.low, bounds.low), std::min(interval.high, bounds.high)};
}

Evidence towards_better(const Evidence& evidence, Metric metric) {
  Evidence out = evidence;
  if (!larger_is_better(metric)) out.estimate.value = -out.estimate.value;
  return out;
}

}  // namespace bioptic
