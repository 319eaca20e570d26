#include "bioptic/study/claim_leaf.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "bioptic/base/counted.h"
#include "bioptic/stats/trend.h"
#include "bioptic/study/claim_values.h"
#include "bioptic/study/collapse.h"
#include "bioptic/study/explain_claim.h"
#include "bioptic/study/keep_images.h"
#include "bioptic/study/repeated_trainings.h"
#include "bioptic/study/seed_independence.h"

namespace bioptic {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

const TrialSummary* trial_of(const ArmSummary& arm, std::int64_t seed) {
  for (const TrialSummary& trial : arm.trials) {
    if (trial.seed == seed) return &trial;
  }
  return nullptr;
}

std::string quoted(const std::string& name) { return "'" + name + "'"; }

std::string why_no_cases(const ClaimSpec& claim) {
  if (speaks_of_curve(claim)) {
    return "a curve is not made of predictions on images that are the same for all seeds";
  }
  if (claim.split == "train" || claim.split == "train_running") {
    return "training images are what was learned: they say nothing of other patients";
  }
  return "this loss is each arm's own criterion; metric = \"log_loss\" speaks of other patients";
}

}  // namespace

int ClaimLeaf::hits() const {
  return static_cast<int>(std::count(per_seed.begin(), per_seed.end(), 1.0));
}

std::size_t LeafMaker::arm_index(const std::string& name) const {
  const auto found = std::find_if(summary_.arms.begin(), summary_.arms.end(),
                                  [&](const ArmSummary& arm) { return arm.name == name; });
  return static_cast<std::size_t>(found - summary_.arms.begin());
}

bool LeafMaker::has_split(const std::string& split) const {
  for (const ArmSummary& arm : summary_.arms) {
    for (const TrialSummary& trial : arm.trials) {
      for (const SplitPredictions& p : trial.result.predictions) {
        if (p.split == split) return true;
      }
    }
  }
  return false;
}

const PredictionTable& LeafMaker::table(const std::string& split) {
  auto found = tables_.find(split);
  if (found == tables_.end()) {
    PredictionTable made = split == "clean test"
                               ? without_shared_groups(prediction_table(summary_, "test"), summary_)
                               : prediction_table(summary_, split);
    found = tables_.emplace(split, std::move(made)).first;
  }
  return found->second;
}

const MetricValues& LeafMaker::values(const std::string& split, const std::string& metric) {
  const std::string key = split + " " + metric;
  auto found = values_.find(key);
  if (found == values_.end()) {
    found = values_.emplace(key, metric_values(table(split), metric_named(metric).value())).first;
  }
  return found->second;
}

// Seeds that all of the arms have finished.
std::vector<std::int64_t> LeafMaker::seeds_of(const std::vector<Term>& terms) const {
  std::vector<std::int64_t> seeds;
  for (const TrialSummary& trial : summary_.arms[terms.front().arm].trials) {
    const bool shared = std::all_of(terms.begin(), terms.end(), [&](const Term& term) {
      return trial_of(summary_.arms[term.arm], trial.seed) != nullptr;
    });
    if (shared) seeds.push_back(trial.seed);
  }
  return seeds;
}

ClaimLeaf LeafMaker::start(const ClaimSpec& claim, const std::vector<Term>& terms) const {
  ClaimLeaf leaf;
  leaf.claim = &claim;
  leaf.inference = summary_.inference;
  std::vector<std::pair<std::string, std::vector<std::string>>> still;
  for (const Term& term : terms) {
    const ArmSummary& arm = summary_.arms[term.arm];
    leaf.arms.push_back(term.arm);
    still.emplace_back(arm.name, standing_still(arm));
  }
  leaf.repeated = other_seeds(still);
  const bool share_of_one = claim.metric != "loss" && claim.metric != "log_loss" &&
                            claim.metric != "brier" && !is_steadiness(claim.value);
  leaf.points = claim.metric != "loss" && claim.metric != "log_loss" && claim.metric != "brier" &&
                claim.metric != "auroc";
  if (claim.kind == ClaimKind::shape) {
    leaf.margin = claim.margin.value_or(0);
    leaf.detect = claim.detect.value_or(0.4);
  } else {
    leaf.margin = claim.margin.value_or(share_of_one ? summary_.margin : 0);
    leaf.detect = claim.detect.value_or(share_of_one ? summary_.detect : claim.margin.value_or(0));
  }
  return leaf;
}

// By what the trainings predict: arms of the tables are those of the study, in their order.
std::string LeafMaker::why_no_repetitions(const ClaimLeaf& leaf) {
  for (const char* split : {"test", "val"}) {
    if (has_split(split)) return why_trainings_repeat(table(split), leaf.arms, leaf.seeds);
  }
  return "";
}

// By what they predict, as why_no_repetitions() has it.
bool LeafMaker::are_one_training(const ClaimLeaf& leaf) {
  for (const char* split : {"test", "val"}) {
    if (has_split(split)) return arms_are_identical(table(split), leaf.arms, leaf.seeds);
  }
  return false;
}

void LeafMaker::finish(ClaimLeaf& leaf) {
  const std::size_t n = leaf.seeds.size();
  for (double& d : leaf.per_seed) {
    if (std::abs(d) <= kRoundingOfDifference * leaf.scale) d = 0;
  }
  leaf.effect = n == 0 ? kNan
                       : std::accumulate(leaf.per_seed.begin(), leaf.per_seed.end(), 0.0) /
                             static_cast<double>(n);
  std::string reason;
  if (n == 0) {
    reason =
        leaf.arms.size() > 1 ? "no seed is finished in all of its arms" : "no seed is finished";
  } else if (n < static_cast<std::size_t>(kLeastSeedsForVerdict)) {
    reason = n == 1 ? fmt::format(
                          "one seed cannot tell the setting from the luck of one training; "
                          "verdicts are given from {} seeds on",
                          kLeastSeedsForVerdict)
                    : fmt::format("{} seeds are finished; verdicts are given from {} on", n,
                                  kLeastSeedsForVerdict);
  } else {
    reason = why_seeds_depend(summary_);
  }
  const std::string repeated = why_no_repetitions(leaf);
  if (reason.empty()) reason = repeated;
  if (leaf.e1.reason.empty()) leaf.e1.reason = reason;
  if (leaf.e2.reason.empty()) leaf.e2.reason = reason;
  if (leaf.claim->kind != ClaimKind::gap) leaf.e1.identical = are_one_training(leaf);
  leaf.e1.estimate = n >= 2 && repeated.empty() ? rounded(mean_estimate(leaf.per_seed), leaf.scale)
                                                : Estimate{kNan, kNan, kNan};
}

// A value that is not made of per-image predictions: E1 alone.
ClaimLeaf LeafMaker::value_leaf(const ClaimSpec& claim, const std::vector<Term>& terms) {
  ClaimLeaf leaf = start(claim, terms);
  leaf.inference = Inference::seeds;
  leaf.e2.reason = why_no_cases(claim);
  if (claim.split == "val" && claim.value == CurveValue::end) {
    std::vector<std::pair<std::string, Chosen>> chosen;
    for (const Term& term : terms) {
      chosen.emplace_back(summary_.arms[term.arm].name, summary_.arms[term.arm].chosen);
    }
    leaf.chosen = why_chosen(chosen, false);
  }
  for (const Term& term : terms) {
    const ArmSummary& arm = summary_.arms[term.arm];
    if (!is_steadiness(claim.value)) break;
    const std::size_t flat = flat_curves(arm, claim);
    if (2 * flat <= arm.trials.size()) continue;
    leaf.e1.reason = fmt::format(
        "{} of {} of {} collapsed or have a curve that never moves, and a curve that "
        "does not learn is not a steady one",
        flat, counted(arm.trials.size(), "training"), quoted(arm.name));
  }
  for (const std::int64_t seed : seeds_of(terms)) {
    // The weights sum to 0, so that what all arms share may be taken off first: arms that are
    // equal then give exactly 0.
    std::optional<double> first;
    double sum = 0, size = 0;
    bool defined = true;
    for (const Term& term : terms) {
      const ArmSummary& arm = summary_.arms[term.arm];
      const std::optional<double> value = claim_value(*trial_of(arm, seed), claim);
      if (!value) {
        leaf.e1.reason = fmt::format(
            "the {} of {} in seed {} does not exist (not finite, or too "
            "few epochs)",
            quantity_words(claim), quoted(arm.name), seed);
        defined = false;
        break;
      }
      if (!first) first = value;
      sum += term.weight * (*value - *first);
      size += std::abs(term.weight * *value);
    }
    if (!defined) continue;
    leaf.seeds.push_back(seed);
    leaf.per_seed.push_back(sum);
    leaf.scale = std::max(leaf.scale, size);
  }
  if (claim.value == CurveValue::end || claim.value == CurveValue::mean) {
    if (const std::optional<Metric> metric = metric_named(claim.metric)) {
      std::vector<double> weights;
      for (const Term& term : terms) weights.push_back(term.weight);
      leaf.bounds = bounds_of(*metric, weights, summary_.dataset.classes.size());
    }
  }
  finish(leaf);
  return leaf;
}

ContrastResult LeafMaker::predicted(const std::string& split, const std::string& metric,
                                    const std::vector<Term>& terms,
                                    const std::vector<std::int64_t>& only) {
  const PredictionTable& predictions = table(split);
  std::vector<double> weights(predictions.arms.size(), 0);
  for (const Term& term : terms) {
    for (std::size_t a = 0; a < predictions.arms.size(); ++a) {
      if (predictions.arms[a].name == summary_.arms[term.arm].name) weights[a] = term.weight;
    }
  }
  return contrast(predictions, values(split, metric), weights, only);
}

ClaimLeaf LeafMaker::contrast_leaf(const ClaimSpec& claim, const std::vector<Term>& terms) {
  ClaimLeaf leaf = start(claim, terms);
  if (!has_split(claim.split)) {
    leaf.e1.reason = leaf.e2.reason =
        claim.split == "holdout"
            ? "no hold-out was set aside; [shift] holdout_fraction = 0.1 sets one aside"
            : fmt::format("there are no predictions on {}", claim.split);
    leaf.effect = kNan;
    return leaf;
  }
  ContrastResult result = predicted(claim.split, claim.metric, terms, {});
  leaf.seeds = result.seeds;
  leaf.per_seed = result.per_seed;
  leaf.e1 = result.e1;
  leaf.e2 = result.e2;
  leaf.images = result.images;
  leaf.groups = result.groups;
  leaf.chosen = result.chosen;
  leaf.shared = result.shared;
  leaf.resampled = result.resampled;
  leaf.bounded_by = result.bounded_by;
  if (!leaf.resampled.empty()) leaf.inference = Inference::patients;  // no other question is left
  leaf.bounds = result.bounds;
  leaf.contrast = std::move(result);
  if (claim.split == "test" && leaf.shared && leaf.shared->shared > 0) {
    const ContrastResult apart = predicted("clean test", claim.metric, terms, {});
    if (apart.e2.reason.empty()) {
      const Interval i = cut(interval_of(apart.e2.estimate), apart.bounds);
      const auto number = [&](double value) {
        const std::string text = effect_text(value, leaf.points, 0);
        return text.substr(0, text.find(' '));
      };
      leaf.apart = fmt::format(
          "on the {} patients who have no images in another split it is {} (95 % interval, "
          "uncorrected, {} to {})",
          apart.groups, effect_text(apart.effect, leaf.points, 0), number(i.low), number(i.high));
    }
  }
  const Evidence e1 = leaf.e1;
  finish(leaf);
  leaf.e1.estimate = e1.estimate;
  leaf.e1.identical = e1.identical;
  if (!leaf.resampled.empty() && leaf.e1.reason.empty()) leaf.e1.reason = e1.reason;
  return leaf;
}

// Per seed, 1 where the curves of all arms have the shape.
ClaimLeaf LeafMaker::shape_leaf(const ClaimSpec& claim, const std::vector<Term>& terms) {
  ClaimLeaf leaf = start(claim, terms);
  leaf.inference = Inference::seeds;
  leaf.e2.reason = why_no_cases(claim);
  for (const std::int64_t seed : seeds_of(terms)) {
    bool all = true, defined = true;
    for (const Term& term : terms) {
      const ArmSummary& arm = summary_.arms[term.arm];
      const std::optional<bool> has =
          has_shape(claim_curve(*trial_of(arm, seed), claim), claim.shape);
      if (!has) {
        leaf.e1.reason = fmt::format(
            "the curve of {} in seed {} has no shape (a value that is not "
            "finite, or too few epochs)",
            quoted(arm.name), seed);
      }
      defined = defined && has.has_value();
      all = all && has.value_or(false);
    }
    if (!defined) continue;
    leaf.seeds.push_back(seed);
    leaf.per_seed.push_back(all ? 1 : 0);
  }
  finish(leaf);
  leaf.points = false;
  return leaf;
}

// Validation less test, the mean over the arms: E1.  Hold-out less test: E2.
ClaimLeaf LeafMaker::gap_leaf(const ClaimSpec& claim, const std::vector<Term>& terms) {
  ClaimLeaf leaf = start(claim, terms);
  if (!has_split("val") || !has_split("test")) {
    leaf.e1.reason = leaf.e2.reason = "there are no predictions on validation and test";
    leaf.effect = kNan;
    return leaf;
  }
  leaf.seeds = seeds_of(terms);
  const ContrastResult val = predicted("val", claim.metric, terms, leaf.seeds);
  const ContrastResult test = predicted("test", claim.metric, terms, leaf.seeds);
  for (std::size_t k = 0; k < leaf.seeds.size(); ++k) {
    leaf.per_seed.push_back(val.per_seed[k] - test.per_seed[k]);
    leaf.scale = std::max(leaf.scale, std::abs(val.per_seed[k]) + std::abs(test.per_seed[k]));
    if (!std::isfinite(leaf.per_seed.back())) {
      leaf.e1.reason = fmt::format("the {} of seed {} does not exist", claim.metric, leaf.seeds[k]);
    }
  }
  leaf.bounds = bounds_of(metric_named(claim.metric).value(), std::vector<double>{1, -1},
                          summary_.dataset.classes.size());
  if (has_split("holdout")) {
    gap_cases(claim, terms, leaf);
  } else {
    leaf.e2.reason =
        "validation is drawn anew by every seed and may share patients with training; a hold-out "
        "([shift] holdout_fraction = 0.1) would speak of other patients";
  }
  finish(leaf);
  for (const char* split : {"val", "test", "holdout"}) {
    if (!has_split(split)) continue;
    const std::string none = why_nothing_was_predicted(table(split), leaf.arms, leaf.seeds);
    if (none.empty()) continue;
    leaf.e1 = leaf.e2 = Evidence{{kNan, kNan, kNan}, none};
    leaf.gap.reset();
    break;
  }
  return leaf;
}

void LeafMaker::gap_cases(const ClaimSpec& claim, const std::vector<Term>& terms, ClaimLeaf& leaf) {
  const ContrastResult hold = predicted("holdout", claim.metric, terms, leaf.seeds);
  const ContrastResult test = predicted("clean test", claim.metric, terms, leaf.seeds);
  if (hold.group_values.d.empty() || test.group_values.d.empty()) {
    leaf.e2.reason = "the gap of a metric that is not a mean over images has no test over patients";
    return;
  }
  if (hold.seeds != leaf.seeds || test.seeds != leaf.seeds) {
    leaf.e2.reason = "the hold-out was not predicted in every seed";
    return;
  }
  leaf.images = hold.images + test.images;
  leaf.groups = hold.groups + test.groups;
  if (leaf.seeds.size() < 2 || hold.groups < 2 || test.groups < 2) {
    leaf.e2.reason = "hold-out and test need at least two seeds and two groups each";
    return;
  }
  double scale = 0;
  for (std::size_t k = 0; k < leaf.seeds.size(); ++k) {
    scale = std::max(scale, std::abs(hold.per_seed[k]) + std::abs(test.per_seed[k]));
  }
  for (const auto& [split, few] :
       {std::pair("in the hold-out", &hold.few_cases),
        std::pair("among the test images without shared patients", &test.few_cases)}) {
    if (few->empty()) continue;
    leaf.e2.reason = fmt::format("{}, {}", split, *few);
    return;
  }
  // A gap may come from the patients of either split, so the fewer bound what can be shown.
  leaf.e2.bound =
      patient_bound(hold.metric, std::min(hold.effective.of_mean, test.effective.of_mean),
                    std::vector<double>{1}, summary_.dataset.classes.size());
  leaf.bounded_by = hold.effective.of_mean < test.effective.of_mean
                        ? hold.bounded_by + " in the hold-out"
                        : test.bounded_by + " of test";
  leaf.e2.estimate = rounded(crossed_gap(hold.group_values, test.group_values), scale);
  leaf.e2.estimate = with_degrees_of(
      hold.effective.of_variance < test.effective.of_variance ? hold.effective : test.effective,
      leaf.e2.estimate);
  leaf.gap = gap_variance(hold.group_values, test.group_values);
  leaf.gap->of_variance = std::min(hold.effective.of_variance, test.effective.of_variance);
}

std::vector<ClaimLeaf> LeafMaker::leaves(const ClaimSpec& claim) {
  std::vector<std::size_t> arms;
  for (const std::string& name : claim.arms) arms.push_back(arm_index(name));
  const bool predicted_value = claim.value == CurveValue::end && claim.metric != "loss" &&
                               claim.split != "train" && claim.split != "train_running";
  const auto leaf_of = [&](const std::vector<Term>& terms) {
    return predicted_value ? contrast_leaf(claim, terms) : value_leaf(claim, terms);
  };
  const auto pair = [&](std::size_t a, std::size_t b) {
    ClaimLeaf leaf = leaf_of({{a, 1.0}, {b, -1.0}});
    leaf.words = fmt::format("{} of {} less that of {}", quantity_words(claim),
                             quoted(summary_.arms[a].name), quoted(summary_.arms[b].name));
    return leaf;
  };
  std::vector<ClaimLeaf> out;
  switch (claim.kind) {
    case ClaimKind::difference:
    case ClaimKind::index:
      out.push_back(pair(arms[0], arms[1]));
      break;
    case ClaimKind::order:
      for (std::size_t k = 1; k < arms.size(); ++k) out.push_back(pair(arms[0], arms[k]));
      break;
    case ClaimKind::trend: {
      std::vector<Term> terms;
      const std::vector<double> weights = trend_weights(claim.values);
      for (std::size_t k = 0; k < arms.size(); ++k) terms.push_back({arms[k], weights[k]});
      out.push_back(leaf_of(terms));
      const auto [low, high] = std::minmax_element(claim.values.begin(), claim.values.end());
      out.back().words = fmt::format("fitted change of the {} from {} = {} to {}",
                                     quantity_words(claim), claim.setting, *low, *high);
      break;
    }
    case ClaimKind::shape:
    case ClaimKind::gap: {
      std::vector<Term> terms;
      std::string names;
      for (const std::size_t a : arms) {
        terms.push_back({a, 1.0 / static_cast<double>(arms.size())});
        names += (names.empty() ? "" : " and ") + quoted(summary_.arms[a].name);
      }
      const bool shape = claim.kind == ClaimKind::shape;
      out.push_back(shape ? shape_leaf(claim, terms) : gap_leaf(claim, terms));
      out.back().words =
          shape ? fmt::format("share of seeds in which the {} of {} {}", quantity_words(claim),
                              names, shape_words(claim.shape))
                : fmt::format("{} on validation less that on test, of {}", claim.metric, names);
      break;
    }
    case ClaimKind::all_of:
      break;
  }
  return out;
}

}  // namespace bioptic
