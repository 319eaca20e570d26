#include "bioptic/stats/multiclass.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "bioptic/base/error.h"
#include "bioptic/stats/roc.h"

namespace bioptic {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void check(std::span<const double> scores, std::span<const int> labels, std::size_t classes) {
  if (classes < 2 || scores.size() != labels.size() * classes) {
    throw InputError("scores of several classes need one row per label and a column per class");
  }
  for (const int label : labels) {
    if (label < 0 || static_cast<std::size_t>(label) >= classes) {
      throw InputError("label " + std::to_string(label) + " is not among the " +
                       std::to_string(classes) + " classes that have scores");
    }
  }
}

}  // namespace

CleanRows clean_rows(std::span<const double> scores, std::span<const int> labels,
                     std::size_t classes) {
  CleanRows out;
  out.ranks.assign(scores.begin(), scores.end());
  for (std::size_t begin = 0; begin < scores.size(); begin += classes) {
    const std::span<double> row = std::span(out.ranks).subspan(begin, classes);
    if (!std::all_of(row.begin(), row.end(), [](double s) { return std::isfinite(s); })) {
      ++out.not_finite;
      const auto label = static_cast<std::size_t>(labels[begin / classes]);
      std::fill(row.begin(), row.end(), kInfinity);
      row[label] = -kInfinity;
      out.predicted.push_back((label + 1) % classes);
      continue;
    }
    out.predicted.push_back(
        static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin()));
  }
  return out;
}

MulticlassMetrics multiclass_metrics(std::span<const double> scores, std::span<const int> labels,
                                     std::size_t classes) {
  check(scores, labels, classes);
  MulticlassMetrics m;
  m.images = labels.size();
  m.confusion.assign(classes * classes, 0);
  const CleanRows rows = clean_rows(scores, labels, classes);
  m.not_finite = rows.not_finite;
  std::size_t hits = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto label = static_cast<std::size_t>(labels[i]);
    ++m.confusion[label * classes + rows.predicted[i]];
    hits += label == rows.predicted[i] ? 1 : 0;
  }
  if (m.images > 0) m.accuracy = wilson_interval(hits, m.images);

  double auroc_sum = 0, recall_sum = 0;
  bool all_defined = true, all_present = true;
  std::vector<double> column(labels.size());
  std::vector<int> is_class(labels.size());
  for (std::size_t k = 0; k < classes; ++k) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      column[i] = rows.ranks[i * classes + k];
      is_class[i] = static_cast<std::size_t>(labels[i]) == k ? 1 : 0;
    }
    m.auroc.push_back(auroc(column, is_class));
    all_defined = all_defined && m.auroc.back().has_value();
    auroc_sum += m.auroc.back().value_or(0);
    std::size_t present = 0;
    for (std::size_t j = 0; j < classes; ++j) present += m.confusion[k * classes + j];
    all_present = all_present && present > 0;
    if (present == 0) continue;
    recall_sum += static_cast<double>(m.confusion[k * classes + k]) / static_cast<double>(present);
  }
  if (all_defined) m.macro_auroc = auroc_sum / static_cast<double>(classes);
  if (all_present) m.balanced_accuracy = recall_sum / static_cast<double>(classes);
  return m;
}

}  // namespace bioptic
