#include "bioptic/study/resampled_contrast.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "bioptic/stats/crossed.h"
#include "bioptic/stats/reader_study.h"
#include "bioptic/stats/resampled.h"
#include "bioptic/study/effective_cases.h"

namespace bioptic {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// One arm's part in one seed.
struct Term {
  double weight = 0;
  const PredictedTrial* trial = nullptr;
  const TrialMetric* value = nullptr;
};

class Contrast {
 public:
  Contrast(const PredictionTable& table, const MetricValues& values,
           std::span<const double> weights, std::span<const std::int64_t> seeds)
      : table_(table), metric_(values.metric) {
    for (const std::int64_t seed : seeds) {
      std::vector<Term>& row = terms_.emplace_back();
      double sum = 0, size = 0;
      for (std::size_t a = 0; a < weights.size(); ++a) {
        if (weights[a] == 0) continue;
        const PredictedTrial* trial = table.trial(a, seed);
        const auto k = static_cast<std::size_t>(trial - table.arms[a].trials.data());
        row.push_back({weights[a], trial, &values.arms[a][k]});
        sum += weights[a] * row.back().value->value;
        size += std::abs(weights[a] * row.back().value->value);
      }
      per_seed_.push_back(std::abs(sum) <= kRoundingOfDifference * size ? 0 : sum);
      if (!std::isnan(size)) scale_ = std::max(scale_, size);
    }
    choose_cases();
  }

  const std::vector<double>& per_seed() const { return per_seed_; }
  double scale() const { return scale_; }
  std::size_t images() const { return images_; }
  std::size_t groups() const { return groups_; }

  // A trial that tested every image, for what asks for the cases of one (effective_cases.h).
  PredictedTrial all_images() const {
    PredictedTrial all;
    for (std::size_t i = 0; i < table_.images.size(); ++i) {
      if (tested_[i] != 0) all.images.push_back(i);
    }
    return all;
  }

  // Repetitions x groups, for a metric that counts images.
  CrossedTable crossed(const std::vector<std::vector<std::size_t>>& repetitions) const {
    std::vector<double> d(repetitions.size() * images_, 0);
    std::vector<std::size_t> group_of(images_), class_of(images_);
    for (std::size_t r = 0; r < repetitions.size(); ++r) {
      for (const std::size_t s : repetitions[r]) {
        const std::vector<std::size_t>& tested = terms_[s].front().trial->images;
        for (std::size_t i = 0; i < tested.size(); ++i) {
          const std::size_t place = place_[tested[i]];
          if (place == kNone) continue;
          group_of[place] = local_group_[table_.images[tested[i]].group];
          class_of[place] = table_.images[tested[i]].label;
          double sum = 0, size = 0;
          for (const Term& term : terms_[s]) {
            const double part = term.weight * term.value->of_image[i];
            sum += part;
            size += std::abs(part);
          }
          d[r * images_ + place] = std::abs(sum) <= kRoundingOfDifference * size ? 0 : sum;
        }
      }
    }
    return metric_ == Metric::balanced_accuracy
               ? class_mean_group_values(d, repetitions.size(), group_of, groups_, class_of,
                                         table_.classes.size())
               : group_values(d, repetitions.size(), group_of, groups_);
  }

  // AUROC of every repetition, averaged over its folds, with each group left out of its fold.
  std::vector<std::vector<double>> without(
      const std::vector<std::vector<std::size_t>>& repetitions) const {
    std::vector<std::vector<double>> out;
    for (const std::vector<std::size_t>& repetition : repetitions) {
      double whole = 0;
      for (const std::size_t s : repetition) whole += per_seed_[s];
      std::vector<double>& row =
          out.emplace_back(groups_, whole / static_cast<double>(repetition.size()));
      for (const std::size_t s : repetition) {
        // TrialMetric::without is by the trial's own groups, in the order of its images.
        std::vector<std::size_t> order;
        std::vector<char> seen(table_.groups, 0);
        for (const std::size_t i : terms_[s].front().trial->images) {
          const std::size_t group = table_.images[i].group;
          if (seen[group] == 0) order.push_back(group);
          seen[group] = 1;
        }
        for (std::size_t g = 0; g < order.size(); ++g) {
          double sum = 0;
          for (const Term& term : terms_[s]) sum += term.weight * term.value->without[g];
          row[local_group_[order[g]]] +=
              (sum - per_seed_[s]) / static_cast<double>(repetition.size());
        }
      }
    }
    return out;
  }

 private:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  // The images that the metric looks at and their groups, numbered anew.
  void choose_cases() {
    tested_.assign(table_.images.size(), 0);
    for (const std::vector<Term>& row : terms_) {
      for (const std::size_t i : row.front().trial->images) tested_[i] = 1;
    }
    place_.assign(table_.images.size(), kNone);
    local_group_.assign(table_.groups, kNone);
    for (std::size_t i = 0; i < table_.images.size(); ++i) {
      const bool positive = table_.images[i].label == table_.positive;
      if (tested_[i] == 0 || (metric_ == Metric::sensitivity && !positive) ||
          (metric_ == Metric::specificity && positive)) {
        continue;
      }
      place_[i] = images_++;
      std::size_t& group = local_group_[table_.images[i].group];
      if (group == kNone) group = groups_++;
    }
  }

  const PredictionTable& table_;
  Metric metric_;
  std::vector<std::vector<Term>> terms_;  // [seed][arm with a weight]
  std::vector<double> per_seed_;
  double scale_ = 0;  // largest sum of the sizes that a difference is made of
  std::vector<char> tested_;
  std::vector<std::size_t> place_, local_group_;  // of an image, of a group; kNone: not looked at
  std::size_t images_ = 0, groups_ = 0;
};

Estimate over_folds(const Contrast& contrast, Metric metric, const Resampling& resampling,
                    std::vector<double>& per_repetition) {
  if (metric == Metric::auroc) {
    for (const std::vector<std::size_t>& repetition : resampling.repetitions) {
      double sum = 0;
      for (const std::size_t s : repetition) sum += contrast.per_seed()[s];
      per_repetition.push_back(sum / static_cast<double>(repetition.size()));
    }
    const auto without = contrast.without(resampling.repetitions);
    return repeated_folds_t(reader_contrast(per_repetition, without).estimate, contrast.per_seed(),
                            resampling.folds);
  }
  const CrossedTable table = contrast.crossed(resampling.repetitions);
  for (std::size_t r = 0; r < table.seeds; ++r) {
    double sum = 0;
    for (std::size_t g = 0; g < table.groups; ++g) sum += table.d[r * table.groups + g];
    per_repetition.push_back(sum / static_cast<double>(table.groups));
  }
  return repeated_folds_t(crossed_t(table).estimate, contrast.per_seed(), resampling.folds);
}

Estimate over_splits(const Contrast& contrast, const Resampling& resampling,
                     std::vector<double>& per_split) {
  for (const std::vector<std::size_t>& set : resampling.test_sets) {
    double sum = 0;
    for (const std::size_t s : set) sum += contrast.per_seed()[s];
    per_split.push_back(sum / static_cast<double>(set.size()));
  }
  return resampled_t(per_split, resampling.test_over_train);
}

}  // namespace

ResampledContrast resampled_contrast(const PredictionTable& table, const MetricValues& values,
                                     std::span<const double> weights,
                                     std::span<const std::int64_t> seeds,
                                     const Resampling& resampling) {
  ResampledContrast out;
  out.evidence = {{kNan, kNan, kNan}, resampling.why_not};
  if (seeds.empty() || resampling.kind == TestSets::other || resampling.kind == TestSets::same) {
    if (out.evidence.reason.empty()) out.evidence.reason = resampling.name;
    return out;
  }
  const Contrast contrast(table, values, weights, seeds);
  out.images = contrast.images();
  out.groups = contrast.groups();
  const EffectiveCases effective = effective_cases(table, contrast.all_images(), values.metric);
  out.effective = effective.groups;
  for (std::size_t s = 0; s < seeds.size(); ++s) {
    if (!std::isnan(contrast.per_seed()[s])) continue;
    out.evidence.reason =
        fmt::format("{}: {} is undefined with seed {}, which tests no image of one of the classes",
                    resampling.name, words_of(values.metric), seeds[s]);
    return out;
  }
  const bool folds = resampling.kind == TestSets::folds;
  const std::size_t units = folds ? resampling.repetitions.size() : resampling.test_sets.size();
  if (units < 2 || (folds && out.groups < 2)) return out;
  if (folds && values.metric == Metric::auroc) {
    for (const std::vector<double>& row : contrast.without(resampling.repetitions)) {
      if (std::none_of(row.begin(), row.end(), [](double v) { return std::isnan(v); })) continue;
      out.evidence.reason = fmt::format(
          "{}: one group holds all images of a class in its fold, so there are no other cases of "
          "it",
          resampling.name);
      return out;
    }
  }
  const Estimate estimate = folds ? over_folds(contrast, values.metric, resampling, out.per_unit)
                                  : over_splits(contrast, resampling, out.per_unit);
  out.evidence.estimate = with_degrees_of(effective.groups, rounded(estimate, contrast.scale()));
  // Other patients are spoken for, so these must be enough to show it, as where seeds share them.
  out.evidence.bound =
      patient_bound(values.metric, effective.groups.of_mean, weights, table.classes.size());
  if (out.evidence.reason.empty() && !effective.why_too_few.empty()) {
    out.evidence.reason = effective.why_too_few;
  }
  return out;
}

}  // namespace bioptic
