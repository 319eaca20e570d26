// One metric of every arm and seed, and linear contrasts of arms in it with the evidence for them.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bioptic/stats/crossed.h"
#include "bioptic/stats/effective_groups.h"
#include "bioptic/stats/estimate.h"
#include "bioptic/stats/verdict.h"
#include "bioptic/study/prediction_table.h"

namespace bioptic {

enum class Metric { accuracy, auroc, balanced_accuracy, sensitivity, specificity, brier, log_loss };
std::string_view name_of(Metric);   // "accuracy", "auroc", ...
std::string_view words_of(Metric);  // "accuracy", "AUROC", "Brier score", ...
std::optional<Metric> metric_named(std::string_view name);
bool larger_is_better(Metric);
// Whether a margin in parts of 1 (0.01 = one point) is in the metric's units: all but brier and
// log_loss, for which no margin is declared.
bool has_points(Metric);
// Whether it counts predicted classes: accuracy, balanced accuracy, sensitivity, specificity.
bool has_threshold(Metric);

// The metrics that the table allows: sensitivity and specificity for two classes; brier and
// log_loss where all scores are probabilities.  Accuracy first.
std::vector<Metric> metrics_of(const PredictionTable& table);

struct TrialMetric {
  double value = 0;  // NaN where undefined: a class is absent
  // Mean-like metrics: the value of every image of the trial, 0 or 1 for the rates.
  std::vector<double> of_image;
  // AUROC: the value with one group (of PredictionTable) left out; NaN where that is undefined.
  std::vector<double> without;
};

// [arm][trial], parallel to table.arms[arm].trials.
struct MetricValues {
  Metric metric = Metric::accuracy;
  std::vector<std::vector<TrialMetric>> arms;
};

// Accuracy, sensitivity, specificity: shares of right predictions.  balanced_accuracy: mean recall.
// auroc: by ranks; more than two classes: one against the rest, averaged.  brier: mean (p - y)^2 of
// the positive class; more classes: the sum over classes (Brier 1950).  log_loss: mean negative log
// likelihood, probabilities cut to [2^-52, 1 - 2^-52].
MetricValues metric_values(const PredictionTable& table, Metric metric);

// sum over arms of weight * metric, over the seeds that all arms with a weight share.
struct ContrastResult {
  Metric metric = Metric::accuracy;
  std::vector<std::int64_t> seeds;
  std::vector<double> per_seed;        // parallel to seeds
  std::size_t images = 0, groups = 0;  // that the metric is made of
  double effect = 0;                   // mean of per_seed; NaN without seeds
  // In the metric's units and sign.  A reason says why a verdict is not allowed; the estimate may
  // be there all the same (value NaN where it is not).
  Evidence e1, e2;
  // What this split chose in these arms, as a sentence; then E2 is not allowed.  "" = nothing.
  std::string chosen;
  std::string repeated = "seeds";      // what E1 and E2 speak for others of: other_seeds()
  std::optional<SharedGroups> shared;  // of the split's groups, those that training has, too
  // Where the images differ between the seeds: what they are ("30 random splits"); e1 and e2 are
  // then one and the same, for other splits like these (resampled_contrast.h).  "" = the same
  // images.
  std::string resampled;
  // E2's parts, where e2 has an estimate: V(S, G) = seeds/S + groups/G + error/(S G).
  std::optional<VarianceParts> parts;
  // Of the groups that E2 rests on (effective_cases.h); few_cases: why they are too few, else "".
  EffectiveGroups effective;
  std::string few_cases;
  // The images that bound what E2 can show, in words: "20 images of class 'sick'".
  std::string bounded_by;
  // What the contrast cannot go beyond: an accuracy less another is within -1 and 1.
  Interval bounds = {-std::numeric_limits<double>::infinity(),
                     std::numeric_limits<double>::infinity()};
  bool seeds_floored = false, groups_floored = false;
  // Mean-like metrics with an E2: seeds x groups, for contrasts of contrasts (gaps); else empty.
  CrossedTable group_values;
  // Crossed bootstrap beside E2: accuracy, 10 seeds and more.
  std::optional<Interval> bootstrap;
};

inline constexpr std::size_t kLeastSeedsForBootstrap = 10;

// weights: one per arm of the table, not all 0; those of a contrast sum to 0, those of a mean to 1.
// only: use these seeds and no others (empty: all shared ones).  E1: t over seeds.  E2: crossed t
// on group values (AUROC: Obuchowski-Rockette by the jackknife over groups), with the degrees of
// freedom that the effective number of groups allows; not allowed where that is too small.
ContrastResult contrast(const PredictionTable& table, const MetricValues& values,
                        std::span<const double> weights, std::span<const std::int64_t> only = {});

// What `patients` of equal size (Kish's effective number of those that the metric reads) can show
// of a contrast, see stats/equivalence.h.  Of the mean over C classes (balanced accuracy, AUROC of
// more than two) a contrast can come from one class alone, of which C times the share of patients
// are discordant; losses have no such bound, as a single image may change them by any amount.
PatientBound patient_bound(Metric metric, double patients, std::span<const double> weights,
                           std::size_t classes);

// What a sum of weight * metric cannot go beyond; infinite for the log loss.  classes: of the
// table.
Interval bounds_of(Metric metric, std::span<const double> weights, std::size_t classes);
// The interval without what lies beyond; NaN stays NaN.
Interval cut(Interval interval, Interval bounds);

// The evidence turned so that positive means better: negated where less is better.
Evidence towards_better(const Evidence& evidence, Metric metric);

}  // namespace bioptic
