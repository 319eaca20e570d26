#include "bioptic/study/prediction_table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string_view>
#include <utility>

#include "bioptic/model/loss.h"
#include "bioptic/train/trial.h"

namespace bioptic {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kTolerance = 1e-3;  // of a sum of probabilities that were rounded to a few digits

template <typename T>
void reorder(std::vector<T>& values, const std::vector<std::size_t>& order, std::size_t columns) {
  if (values.empty()) return;
  std::vector<T> sorted;
  sorted.reserve(values.size());
  for (const std::size_t i : order) {
    for (std::size_t c = 0; c < columns; ++c) sorted.push_back(values[i * columns + c]);
  }
  values = std::move(sorted);
}

bool are_probabilities(const PredictionTable& table) {
  const std::size_t columns = table.columns();
  for (const PredictedArm& arm : table.arms) {
    for (const PredictedTrial& trial : arm.trials) {
      for (std::size_t i = 0; i < trial.scores.size(); i += columns) {
        double sum = 0;
        for (std::size_t c = 0; c < columns; ++c) {
          const double p = trial.scores[i + c];
          if (p < 0 || p > 1) return false;
          sum += p;
        }
        if (columns > 1 && std::abs(sum - 1) > kTolerance) return false;
      }
    }
  }
  return true;
}

PredictedTrial trial_of(const StudySummary& summary, const ArmSummary& arm,
                        const TrialSummary& trial, const SplitPredictions& predictions) {
  PredictedTrial out;
  out.seed = trial.seed;
  out.collapsed = trial.result.status == TrialStatus::collapsed;
  const auto outputs = static_cast<std::size_t>(arm.outputs);
  const auto positive = static_cast<std::size_t>(summary.positive);
  const std::size_t classes = summary.dataset.classes.size();
  std::vector<float> p(classes);
  for (std::size_t i = 0; i < predictions.rows.size(); ++i) {
    out.images.push_back(predictions.rows[i]);
    const float* z = &predictions.logits[i * outputs];
    const auto label = static_cast<std::size_t>(summary.images.label(predictions.rows[i]));
    if (classes == 2) {
      const float logit =
          arm.outputs == 2 ? z[positive] - z[1 - positive] : (positive == 1 ? z[0] : -z[0]);
      add_binary(out, positive, label,
                 static_cast<double>(positive_score(arm.loss, summary.positive, z)),
                 static_cast<double>(logit), trial.result.threshold);
    } else {
      probabilities(arm.loss, std::span(z, outputs), p);
      const std::vector<double> scores(p.begin(), p.end()), logits(z, z + outputs);
      add_multiclass(out, label, scores, logits);
    }
  }
  return out;
}

}  // namespace

const PredictedTrial* PredictionTable::trial(std::size_t arm, std::int64_t seed) const {
  const std::vector<PredictedTrial>& trials = arms.at(arm).trials;
  const auto found = std::lower_bound(
      trials.begin(), trials.end(), seed,
      [](const PredictedTrial& t, std::int64_t wanted) { return t.seed < wanted; });
  return found != trials.end() && found->seed == seed ? &*found : nullptr;
}

std::vector<std::string> names_of_arms(const PredictionTable& table) {
  std::vector<std::string> names;
  names.reserve(table.arms.size());
  for (const PredictedArm& arm : table.arms) names.push_back(arm.name);
  return names;
}

std::vector<std::int64_t> shared_seeds(const PredictionTable& table,
                                       std::span<const std::size_t> arms) {
  std::vector<std::int64_t> seeds;
  if (arms.empty()) return seeds;
  for (const PredictedTrial& t : table.arms.at(arms.front()).trials) {
    const bool shared = std::all_of(
        arms.begin(), arms.end(), [&](std::size_t a) { return table.trial(a, t.seed) != nullptr; });
    if (shared) seeds.push_back(t.seed);
  }
  return seeds;
}

void put_in_order(PredictionTable& table, const std::vector<std::string>& group_of) {
  const std::size_t n = table.images.size();
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return table.images[a].id < table.images[b].id;
  });
  std::vector<std::size_t> place(n);
  std::vector<PredictedImage> images;
  images.reserve(n);
  std::map<std::string_view, std::size_t> number;
  table.groups = 0;
  for (std::size_t k = 0; k < n; ++k) {
    place[order[k]] = k;
    PredictedImage image = table.images[order[k]];
    const std::string& group = group_of[order[k]];
    const auto [it, added] =
        group.empty() ? std::pair(number.end(), true) : number.try_emplace(group, table.groups);
    image.group = added ? table.groups : it->second;
    table.groups += added ? 1U : 0U;
    images.push_back(std::move(image));
  }
  table.images = std::move(images);
  table.grouped = table.groups < n;
  for (PredictedArm& arm : table.arms) {
    for (PredictedTrial& trial : arm.trials) {
      for (std::size_t& i : trial.images) i = place[i];
      std::vector<std::size_t> by_image(trial.images.size());
      std::iota(by_image.begin(), by_image.end(), 0);
      std::sort(by_image.begin(), by_image.end(),
                [&](std::size_t a, std::size_t b) { return trial.images[a] < trial.images[b]; });
      const std::size_t columns = table.columns();
      reorder(trial.images, by_image, 1);
      reorder(trial.scores, by_image, columns);
      reorder(trial.ranks, by_image, columns);
      reorder(trial.logits, by_image, 1);
      reorder(trial.predicted, by_image, 1);
    }
    std::stable_sort(
        arm.trials.begin(), arm.trials.end(),
        [](const PredictedTrial& a, const PredictedTrial& b) { return a.seed < b.seed; });
  }
  table.probabilities = are_probabilities(table);
}

void add_binary(PredictedTrial& trial, std::size_t positive, std::size_t label, double score,
                std::optional<double> logit, double threshold) {
  if (!std::isfinite(score) || (logit && std::isnan(*logit))) {
    const double sign = label == positive ? -1 : 1;
    trial.scores.push_back(label == positive ? 0 : 1);
    trial.ranks.push_back(sign * kInfinity);
    trial.logits.push_back(sign * kInfinity);
    trial.predicted.push_back(1 - label);
    ++trial.not_finite;
    return;
  }
  // Outside [0, 1] there are no log odds, and nothing reads them.
  const double odds = score <= 0   ? -kInfinity
                      : score >= 1 ? kInfinity
                                   : std::log(score / (1 - score));
  trial.scores.push_back(score);
  trial.ranks.push_back(logit.value_or(score));
  // Scores that were calibrated afterwards have other odds than the logit, and are what is scored.
  const bool agree = logit && std::abs(1 / (1 + std::exp(-*logit)) - score) < kTolerance;
  trial.logits.push_back(agree ? *logit : odds);
  trial.predicted.push_back(score > threshold ? positive : 1 - positive);
}

void add_binary_logit(PredictedTrial& trial, std::size_t positive, std::size_t label, double logit,
                      double threshold) {
  if (!std::isfinite(logit)) {
    add_binary(trial, positive, label, logit, std::nullopt, threshold);
    return;
  }
  trial.scores.push_back(1 / (1 + std::exp(-logit)));
  trial.ranks.push_back(logit);
  trial.logits.push_back(logit);
  trial.predicted.push_back(logit > threshold ? positive : 1 - positive);
}

void add_multiclass(PredictedTrial& trial, std::size_t label, std::span<const double> scores,
                    std::span<const double> logits) {
  const auto finite = [](double v) { return std::isfinite(v); };
  if (!std::all_of(scores.begin(), scores.end(), finite) ||
      std::any_of(logits.begin(), logits.end(), [](double v) { return std::isnan(v); })) {
    const std::size_t wrong = (label + 1) % scores.size();
    for (std::size_t c = 0; c < scores.size(); ++c) {
      trial.scores.push_back(c == wrong ? 1 : 0);
      trial.ranks.push_back(c == label ? -kInfinity : kInfinity);
    }
    trial.predicted.push_back(wrong);
    ++trial.not_finite;
    return;
  }
  trial.scores.insert(trial.scores.end(), scores.begin(), scores.end());
  // One class against the rest is ranked by its probability: a logit has no meaning alone.
  trial.ranks.insert(trial.ranks.end(), scores.begin(), scores.end());
  const std::span<const double> decides = logits.empty() ? scores : logits;
  trial.predicted.push_back(
      static_cast<std::size_t>(std::max_element(decides.begin(), decides.end()) - decides.begin()));
}

void add_multiclass_logits(PredictedTrial& trial, std::size_t label,
                           std::span<const double> logits) {
  const std::size_t classes = logits.size();
  const double most = *std::max_element(logits.begin(), logits.end());
  if (!std::all_of(logits.begin(), logits.end(), [](double z) { return std::isfinite(z); })) {
    add_multiclass(trial, label, std::vector<double>(classes, std::nan("")), {});
    return;
  }
  std::vector<double> p(classes), odds(classes);
  for (std::size_t c = 0; c < classes; ++c) {
    double rest = 0, largest = -kInfinity;  // of the other classes, by their largest logit
    for (std::size_t k = 0; k < classes; ++k) {
      if (k != c) largest = std::max(largest, logits[k]);
    }
    for (std::size_t k = 0; k < classes; ++k) {
      if (k != c) rest += std::exp(logits[k] - largest);
    }
    odds[c] = logits[c] - largest - std::log(rest);
    p[c] = 1 / (1 + std::exp(-odds[c]));
  }
  trial.scores.insert(trial.scores.end(), p.begin(), p.end());
  trial.ranks.insert(trial.ranks.end(), odds.begin(), odds.end());
  trial.predicted.push_back(
      static_cast<std::size_t>(std::find(logits.begin(), logits.end(), most) - logits.begin()));
}

namespace {

// Some patient has several images among those that validation is drawn from.
bool has_patients(const StudySummary& summary) {
  std::set<std::string_view> seen;
  for (const StudyImage image : summary.images) {
    if (image.group.empty() || (image.split != "train" && image.split != "val")) continue;
    if (!seen.insert(image.group).second) return true;
  }
  return false;
}

PredictionTable::Beside beside_validation(const StudySummary& summary) {
  const bool by_image = std::any_of(summary.arms.begin(), summary.arms.end(),
                                    [](const ArmSummary& arm) { return !arm.val_by_group; });
  return {summary.train_images, by_image && has_patients(summary)};
}

}  // namespace

PredictionTable prediction_table(const StudySummary& summary, const std::string& split) {
  PredictionTable table;
  table.split = split;
  table.shared = shared_with_training(summary, split);
  if (split == "val" && summary.train_images > 0) table.beside = beside_validation(summary);
  table.classes = summary.dataset.classes;
  table.positive = static_cast<std::size_t>(summary.positive);
  for (const ArmSummary& arm : summary.arms) {
    PredictedArm& out = table.arms.emplace_back();
    out.name = arm.name;
    if (split == "val") out.chosen = arm.chosen;
    out.still = standing_still(arm);
    for (const TrialSummary& trial : arm.trials) {
      for (const SplitPredictions& predictions : trial.result.predictions) {
        if (predictions.split == split) {
          out.trials.push_back(trial_of(summary, arm, trial, predictions));
        }
      }
    }
  }
  // Only images that were predicted, so that groups are those of this split.
  std::vector<std::size_t> place(summary.images.size(), summary.images.size());
  std::vector<std::string> groups;
  for (PredictedArm& arm : table.arms) {
    for (PredictedTrial& trial : arm.trials) {
      for (std::size_t& row : trial.images) {
        if (place[row] == summary.images.size()) {
          place[row] = table.images.size();
          const StudyImage image = summary.images[row];
          table.images.push_back({std::string(image.id), static_cast<std::size_t>(image.label), 0});
          groups.emplace_back(image.group);
        }
        row = place[row];
      }
    }
  }
  put_in_order(table, groups);
  return table;
}

}  // namespace bioptic
