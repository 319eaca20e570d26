#include "bioptic/stats/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "bioptic/base/error.h"
#include "bioptic/base/portable_math.h"
#include "bioptic/stats/roc.h"

namespace bioptic {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

void check(const ScoredSplit& split) {
  const std::size_t n = split.scores.size();
  if (split.labels.size() != n || (!split.logits.empty() && split.logits.size() != n) ||
      (!split.groups.empty() && split.groups.size() != n)) {
    throw InputError("scores, logits, labels and groups of a split have different lengths");
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (split.labels[i] != 0 && split.labels[i] != 1) {
      throw InputError("label " + std::to_string(split.labels[i]) + " of image " +
                       std::to_string(i) + ": metrics of two classes need 0 or 1");
    }
  }
}

double logit_of(double score) {
  if (score <= 0) return -kInfinity;
  if (score >= 1) return kInfinity;
  return portable::log(score) - portable::log1p(-score);
}

std::optional<Proportion> proportion(std::size_t hits, std::size_t n) {
  if (n == 0) return std::nullopt;
  return wilson_interval(hits, n);
}

}  // namespace

void rates_of_counts(BinaryMetrics& m) {
  const std::size_t positives = m.true_positives + m.false_negatives;
  const std::size_t negatives = m.true_negatives + m.false_positives;
  m.accuracy = proportion(m.true_positives + m.true_negatives, m.images);
  m.sensitivity = proportion(m.true_positives, positives);
  m.specificity = proportion(m.true_negatives, negatives);
  if (m.sensitivity && m.specificity) {
    m.balanced_accuracy = (m.sensitivity->value + m.specificity->value) / 2;
  }
  const auto tp = static_cast<double>(m.true_positives),
             fp = static_cast<double>(m.false_positives);
  const auto tn = static_cast<double>(m.true_negatives),
             fn = static_cast<double>(m.false_negatives);
  const double margins = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn);
  if (margins > 0) m.mcc = (tp * tn - fp * fn) / std::sqrt(margins);
  if (tp + fp + fn > 0) m.f1 = 2 * tp / (2 * tp + fp + fn);
}

CleanSplit clean(const ScoredSplit& split) {
  check(split);
  const double limit = portable::log((1 - kEpsilon) / kEpsilon);
  CleanSplit result;
  result.probabilities = std::none_of(split.scores.begin(), split.scores.end(), [](double s) {
    return std::isfinite(s) && (s < 0 || s > 1);
  });
  for (std::size_t i = 0; i < split.scores.size(); ++i) {
    double score = split.scores[i], rank = score;
    if (!split.logits.empty()) {
      rank = split.logits[i];
    } else if (result.probabilities) {
      rank = logit_of(score);
    }
    const bool finite = std::isfinite(score) && !std::isnan(rank);
    if (!finite) {
      const bool positive = split.labels[i] != 0;
      score = positive ? 0 : 1;
      rank = positive ? -kInfinity : kInfinity;
      ++result.not_finite;
    }
    result.scores.push_back(score);
    result.ranks.push_back(rank);
    result.logits.push_back(std::clamp(rank, -limit, limit));
    result.finite.push_back(finite ? 1 : 0);
  }
  return result;
}

BinaryMetrics binary_metrics(const ScoredSplit& split, double threshold, int bins) {
  const CleanSplit c = clean(split);
  BinaryMetrics m;
  m.images = c.scores.size();
  m.not_finite = c.not_finite;
  for (std::size_t i = 0; i < m.images; ++i) {
    const bool called = c.finite[i] != 0 ? c.scores[i] > threshold : split.labels[i] == 0;
    if (split.labels[i] != 0) {
      ++(called ? m.true_positives : m.false_negatives);
    } else {
      ++(called ? m.false_positives : m.true_negatives);
    }
  }
  rates_of_counts(m);

  m.auroc = auroc(c.ranks, split.labels);
  m.average_precision = average_precision(c.ranks, split.labels);
  m.auroc_by_jackknife = has_shared_groups(split.groups);
  m.auroc_between = m.auroc_by_jackknife ? auroc_jackknife(c.ranks, split.labels, split.groups)
                                         : delong_interval(c.ranks, split.labels);
  if (!c.probabilities) return m;
  m.brier = brier_score(c.scores, split.labels);
  m.log_loss = log_loss(c.logits, split.labels);
  m.expected_calibration_error = expected_calibration_error(c.scores, split.labels, bins);
  const std::vector<double> half = {0.5};
  const std::vector<NetBenefitPoint> benefit = decision_curve(c.scores, split.labels, half);
  if (!benefit.empty()) m.net_benefit = benefit[0].model;
  std::vector<double> logits;
  std::vector<int> labels;
  for (std::size_t i = 0; i < m.images; ++i) {
    if (c.finite[i] == 0) continue;
    logits.push_back(c.logits[i]);
    labels.push_back(split.labels[i]);
  }
  m.calibration = calibration_line(logits, labels);
  return m;
}

}  // namespace bioptic
