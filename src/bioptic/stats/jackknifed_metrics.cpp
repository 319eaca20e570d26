#include "bioptic/stats/jackknifed_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "bioptic/base/portable_math.h"
#include "bioptic/base/random.h"
#include "bioptic/stats/calibration.h"
#include "bioptic/stats/reader_study.h"

namespace bioptic {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

constexpr std::array<const char*, 6> kOfCounts = {"accuracy",          "sensitivity", "specificity",
                                                  "balanced_accuracy", "mcc",         "f1"};

using Members = std::vector<std::vector<std::size_t>>;  // images by block

Members members_of(std::span<const std::size_t> block_of) {
  Members members;
  for (std::size_t i = 0; i < block_of.size(); ++i) {
    if (block_of[i] >= members.size()) members.resize(block_of[i] + 1);
    members[block_of[i]].push_back(i);
  }
  return members;
}

// Metrics of the four counts.
void add_counts(JackknifedMetrics& out, const BinaryMetrics& full, const CleanSplit& c,
                std::span<const int> labels, double threshold, const Members& members) {
  for (const std::vector<std::size_t>& block : members) {
    BinaryMetrics m;
    m.images = full.images - block.size();
    m.true_positives = full.true_positives;
    m.false_positives = full.false_positives;
    m.true_negatives = full.true_negatives;
    m.false_negatives = full.false_negatives;
    for (const std::size_t i : block) {
      const bool called = c.finite[i] != 0 ? c.scores[i] > threshold : labels[i] == 0;
      --(labels[i] != 0 ? (called ? m.true_positives : m.false_negatives)
                        : (called ? m.false_positives : m.true_negatives));
    }
    rates_of_counts(m);
    const auto named = named_metrics(m);
    for (const char* name : kOfCounts) {
      out[name].without.push_back(named.at(name).value_or(kNan));
    }
  }
}

// Means over images of one number each.
std::vector<double> means_without(const std::vector<double>& terms, const Members& members) {
  const double total = std::accumulate(terms.begin(), terms.end(), 0.0);
  std::vector<double> without;
  for (const std::vector<std::size_t>& block : members) {
    double sum = total;
    for (const std::size_t i : block) sum -= terms[i];
    const std::size_t left = terms.size() - block.size();
    without.push_back(left == 0 ? kNan : sum / static_cast<double>(left));
  }
  return without;
}

std::vector<double> ece_without(const CleanSplit& c, std::span<const int> labels, int bins,
                                const Members& members) {
  // Per bin the sum of (probability - label): the error is the sum of their sizes over n.
  std::vector<double> of_bin(static_cast<std::size_t>(bins), 0);
  std::vector<std::size_t> bin(c.scores.size());
  for (std::size_t i = 0; i < bin.size(); ++i) {
    bin[i] = calibration_bin(c.scores[i], bins);
    of_bin[bin[i]] += c.scores[i] - labels[i];
  }
  std::vector<double> without;
  for (const std::vector<std::size_t>& block : members) {
    std::vector<double> left = of_bin;
    for (const std::size_t i : block) left[bin[i]] -= c.scores[i] - labels[i];
    double sum = 0;
    for (const double s : left) sum += std::abs(s);
    const std::size_t images = bin.size() - block.size();
    without.push_back(images == 0 ? kNan : sum / static_cast<double>(images));
  }
  return without;
}

// Average precision with the images of each block passed over.
std::vector<double> average_precision_without(const CleanSplit& c, std::span<const int> labels,
                                              std::span<const std::size_t> block_of,
                                              std::size_t blocks) {
  std::vector<std::size_t> order(labels.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return c.ranks[a] > c.ranks[b]; });
  std::vector<double> without;
  for (std::size_t b = 0; b < blocks; ++b) {
    double positives = 0, images = 0, area = 0, hits = 0, before = 0, called = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (block_of[i] == b) continue;
      positives += labels[i];
      images += 1;
    }
    for (std::size_t k = 0; k < order.size(); ++k) {
      const std::size_t i = order[k];
      if (block_of[i] != b) {
        hits += labels[i];
        called += 1;
      }
      const bool last_of_tie = k + 1 == order.size() || c.ranks[order[k + 1]] != c.ranks[i];
      if (!last_of_tie || hits == before) continue;
      area += (hits - before) / positives * (hits / called);
      before = hits;
    }
    without.push_back(positives > 0 && positives < images ? area : kNan);
  }
  return without;
}

// Gradient and information of the calibration line's likelihood at log odds a + b z.
struct Likelihood {
  double ga = 0, gb = 0, haa = 0, hab = 0, hbb = 0;
  double determinant() const { return haa * hbb - hab * hab; }
};

void add_image(Likelihood& l, const CleanSplit& c, std::span<const int> labels, std::size_t i,
               double a, double b, double sign) {
  if (c.finite[i] == 0) return;
  const double z = c.logits[i], p = portable::sigmoid(a + b * z), w = sign * p * (1 - p);
  const double residual = sign * (labels[i] - p);
  l.ga += residual;
  l.gb += residual * z;
  l.haa += w;
  l.hab += w * z;
  l.hbb += w * z * z;
}

// Newton steps of the likelihood without a block, from the maximum on all images.  The intercept
// alone needs one; the slope takes a second, over all images that are left, because the first is
// off by up to a sixth of its length where one image of 80 carries the fit.
void add_calibration(JackknifedMetrics& out, const CalibrationLine& line, const CleanSplit& c,
                     std::span<const int> labels, std::span<const std::size_t> block_of,
                     const Members& members) {
  Likelihood both, one;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    add_image(both, c, labels, i, line.intercept, line.slope, 1);
    add_image(one, c, labels, i, line.in_the_large, 1, 1);
  }
  for (std::size_t b = 0; b < members.size(); ++b) {
    Likelihood l = both, large = one;
    for (const std::size_t i : members[b]) {
      add_image(l, c, labels, i, line.intercept, line.slope, -1);
      add_image(large, c, labels, i, line.in_the_large, 1, -1);
    }
    const double intercept = line.intercept + (l.hbb * l.ga - l.hab * l.gb) / l.determinant();
    double slope = line.slope + (l.haa * l.gb - l.hab * l.ga) / l.determinant();
    Likelihood second;
    std::vector<double> left;
    std::vector<int> left_labels;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (block_of[i] == b) continue;
      add_image(second, c, labels, i, intercept, slope, 1);
      if (c.finite[i] == 0) continue;
      left.push_back(c.logits[i]);
      left_labels.push_back(labels[i]);
    }
    if (!has_calibration_line(left, left_labels)) slope = kNan;  // where steps lead is no maximum
    slope += (second.haa * second.gb - second.hab * second.ga) / second.determinant();
    out["calibration_slope"].without.push_back(std::isfinite(slope) ? slope : kNan);
    out["calibration_intercept"].without.push_back(
        large.haa > 0 ? line.in_the_large + large.ga / large.haa : kNan);
  }
}

double mean_of(const std::vector<double>& v) {
  return std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size());
}

// Jackknife variance from leave-out values; NaN where one of them is.
double jackknife_variance(const std::vector<double>& without) {
  const auto b = static_cast<double>(without.size());
  const double mean = mean_of(without);
  double squares = 0;
  for (const double w : without) squares += (w - mean) * (w - mean);
  return (b - 1) / b * squares;
}

}  // namespace

std::map<std::string, std::optional<double>> named_metrics(const BinaryMetrics& m) {
  const auto value = [](const std::optional<Proportion>& p) {
    return p ? std::optional(p->value) : std::nullopt;
  };
  const auto& line = m.calibration;
  return {{"auroc", m.auroc},
          {"average_precision", m.average_precision},
          {"accuracy", value(m.accuracy)},
          {"sensitivity", value(m.sensitivity)},
          {"specificity", value(m.specificity)},
          {"balanced_accuracy", m.balanced_accuracy},
          {"mcc", m.mcc},
          {"f1", m.f1},
          {"brier", m.brier},
          {"log_loss", m.log_loss},
          {"calibration_slope", line ? std::optional(line->slope) : std::nullopt},
          {"calibration_intercept", line ? std::optional(line->in_the_large) : std::nullopt},
          {"expected_calibration_error", m.expected_calibration_error},
          {"net_benefit", m.net_benefit}};
}

std::vector<std::size_t> jackknife_blocks(std::span<const int> groups, std::size_t images) {
  std::map<int, std::size_t> block_of_group;
  for (std::size_t i = 0; i < images; ++i) {
    block_of_group[groups.empty() ? static_cast<int>(i) : groups[i]] = 0;
  }
  std::vector<std::size_t> deal(block_of_group.size());
  std::iota(deal.begin(), deal.end(), 0);
  if (deal.size() > kMostBlocks) {
    RandomStream stream(0, "jackknife blocks");
    stream.shuffle(std::span(deal));
  }
  std::size_t next = 0;
  for (auto& [group, block] : block_of_group) block = deal[next++] % kMostBlocks;
  std::vector<std::size_t> block_of(images);
  for (std::size_t i = 0; i < images; ++i) {
    block_of[i] = block_of_group[groups.empty() ? static_cast<int>(i) : groups[i]];
  }
  return block_of;
}

JackknifedMetrics jackknifed_metrics(const ScoredSplit& split,
                                     std::span<const std::size_t> block_of, double threshold,
                                     int bins) {
  const BinaryMetrics full = binary_metrics(split, threshold, bins);
  const CleanSplit c = clean(split);
  const Members members = members_of(block_of);
  JackknifedMetrics out;
  add_counts(out, full, c, split.labels, threshold, members);
  for (const auto& [name, value] : named_metrics(full)) out[name].value = value;

  if (full.auroc) {
    out["auroc"].without = auroc_without(c.ranks, split.labels, block_of, members.size());
    out["average_precision"].without =
        average_precision_without(c, split.labels, block_of, members.size());
  }
  if (c.probabilities) {
    std::vector<double> brier, loss, benefit;
    for (std::size_t i = 0; i < full.images; ++i) {
      const double error = c.scores[i] - split.labels[i];
      brier.push_back(error * error);
      const std::size_t one = 1;
      loss.push_back(*log_loss(std::span(&c.logits[i], one), split.labels.subspan(i, one)));
      benefit.push_back(c.scores[i] > 0.5 ? 2.0 * split.labels[i] - 1 : 0);
    }
    out["brier"].without = means_without(brier, members);
    out["log_loss"].without = means_without(loss, members);
    out["net_benefit"].without = means_without(benefit, members);
    out["expected_calibration_error"].without = ece_without(c, split.labels, bins, members);
    if (full.calibration) {
      add_calibration(out, *full.calibration, c, split.labels, block_of, members);
    }
  }
  for (auto& [name, metric] : out) {
    if (!metric.value) metric.without.assign(members.size(), kNan);
  }
  return out;
}

JackknifedMetrics jackknifed_multiclass(std::span<const double> scores, std::span<const int> labels,
                                        std::size_t classes,
                                        std::span<const std::size_t> block_of) {
  const MulticlassMetrics full = multiclass_metrics(scores, labels, classes);
  const CleanRows rows = clean_rows(scores, labels, classes);
  const Members members = members_of(block_of);
  JackknifedMetrics out;
  out["accuracy"].value = full.accuracy ? std::optional(full.accuracy->value) : std::nullopt;
  out["balanced_accuracy"].value = full.balanced_accuracy;
  out["auroc"].value = full.macro_auroc;

  std::vector<double> right(labels.size()), present(classes, 0), hits(classes, 0);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto label = static_cast<std::size_t>(labels[i]);
    right[i] = rows.predicted[i] == label ? 1 : 0;
    present[label] += 1;
    hits[label] += right[i];
  }
  out["accuracy"].without = means_without(right, members);
  for (const std::vector<std::size_t>& block : members) {
    std::vector<double> n = present, h = hits;
    for (const std::size_t i : block) {
      n[static_cast<std::size_t>(labels[i])] -= 1;
      h[static_cast<std::size_t>(labels[i])] -= right[i];
    }
    double sum = 0;
    for (std::size_t k = 0; k < classes; ++k) sum += n[k] > 0 ? h[k] / n[k] : kNan;
    out["balanced_accuracy"].without.push_back(sum / static_cast<double>(classes));
  }
  std::vector<double> column(labels.size()), mean(members.size(), 0);
  std::vector<int> is_class(labels.size());
  for (std::size_t k = 0; k < classes; ++k) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      column[i] = rows.ranks[i * classes + k];
      is_class[i] = static_cast<std::size_t>(labels[i]) == k ? 1 : 0;
    }
    const std::vector<double> one = auroc_without(column, is_class, block_of, members.size());
    for (std::size_t b = 0; b < one.size(); ++b) mean[b] += one[b] / static_cast<double>(classes);
  }
  out["auroc"].without = mean;
  return out;
}

std::optional<Estimate> jackknife_estimate(const JackknifedMetric& metric) {
  if (!metric.value || metric.without.size() < 2) return std::nullopt;
  const double variance = jackknife_variance(metric.without);
  if (!std::isfinite(variance)) return std::nullopt;
  return Estimate{*metric.value, std::sqrt(variance),
                  static_cast<double>(metric.without.size()) - 1};
}

std::optional<Estimate> seeds_and_patients(std::span<const JackknifedMetric* const> of_seed) {
  if (of_seed.size() < 2) return std::nullopt;
  std::vector<double> values;
  std::vector<std::vector<double>> without;
  for (const JackknifedMetric* metric : of_seed) {
    if (!jackknife_estimate(*metric)) return std::nullopt;
    values.push_back(*metric->value);
    without.push_back(metric->without);
  }
  const ReaderEstimate readers = reader_contrast(values, without);
  const auto r = static_cast<double>(values.size());
  const double seeds = readers.over_readers / r, cases = std::max(readers.shared, 0.0);
  const double v = seeds + cases;
  if (v == 0) return Estimate{readers.estimate.value, 0, r - 1};
  const double df_cases = static_cast<double>(without.front().size()) - 1;
  return Estimate{readers.estimate.value, std::sqrt(v),
                  v * v / (seeds * seeds / (r - 1) + cases * cases / df_cases)};
}

}  // namespace bioptic
