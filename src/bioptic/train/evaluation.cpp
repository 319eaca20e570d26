#include "bioptic/train/evaluation.h"

#include <cmath>
#include <limits>

#include "bioptic/model/loss.h"
#include "bioptic/stats/roc.h"
#include "bioptic/stats/threshold.h"

namespace bioptic {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<int> is_class(std::span<const std::int64_t> labels, std::int64_t wanted) {
  std::vector<int> flags(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) flags[i] = labels[i] == wanted ? 1 : 0;
  return flags;
}

}  // namespace

double mean_loss(const Reading& reading, std::span<const std::int64_t> labels,
                 std::span<const float> logits) {
  double sum = 0;
  const std::size_t outputs = reading.outputs();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    sum += static_cast<double>(sample_loss<float>(
        reading.loss, logits.subspan(i * outputs, outputs), labels[i], std::span<float>{}));
  }
  return sum / loss_denominator(reading.loss, labels);
}

double weighted_loss(const Reading& reading, std::span<const std::int64_t> labels,
                     std::span<const float> logits, std::span<const float> coefficients) {
  double sum = 0;
  const std::size_t outputs = reading.outputs();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    sum += static_cast<double>(coefficients[i]) *
           static_cast<double>(sample_loss<float>(
               reading.loss, logits.subspan(i * outputs, outputs), labels[i], std::span<float>{}));
  }
  return sum;
}

double accuracy(const Reading& reading, std::span<const std::int64_t> labels,
                std::span<const float> logits, double threshold) {
  std::size_t right = 0;
  const std::size_t outputs = reading.outputs();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const int predicted = predicted_label(reading.loss.kind, reading.classes, reading.positive,
                                          threshold, &logits[i * outputs]);
    right += predicted == labels[i] ? 1U : 0U;
  }
  return labels.empty() ? kNan : static_cast<double>(right) / static_cast<double>(labels.size());
}

double area_under_roc(const Reading& reading, std::span<const std::int64_t> labels,
                      std::span<const float> logits) {
  for (const float z : logits) {
    if (!std::isfinite(z)) return kNan;
  }
  const std::size_t outputs = reading.outputs();
  std::vector<double> scores(labels.size());
  if (reading.classes == 2) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const float* z = &logits[i * outputs];
      const double for_one = outputs == 1 ? static_cast<double>(z[0])
                                          : static_cast<double>(z[1]) - static_cast<double>(z[0]);
      scores[i] = reading.positive == 1 ? for_one : -for_one;
    }
    return auroc(scores, is_class(labels, reading.positive)).value_or(kNan);
  }
  double sum = 0;
  std::vector<float> p(labels.size() * outputs);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    probabilities(reading.loss.kind, logits.subspan(i * outputs, outputs),
                  std::span(p).subspan(i * outputs, outputs));
  }
  for (std::size_t c = 0; c < outputs; ++c) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      scores[i] = static_cast<double>(p[i * outputs + c]);
    }
    sum += auroc(scores, is_class(labels, static_cast<std::int64_t>(c))).value_or(kNan);
  }
  return sum / static_cast<double>(outputs);
}

bool one_predicted_class(const Reading& reading, std::span<const float> logits, double threshold) {
  const std::size_t outputs = reading.outputs();
  int first = -1;
  for (std::size_t i = 0; i < logits.size(); i += outputs) {
    const int predicted = predicted_label(reading.loss.kind, reading.classes, reading.positive,
                                          threshold, &logits[i]);
    if (predicted < 0) continue;
    if (first >= 0 && predicted != first) return false;
    first = predicted;
  }
  return true;
}

double choose_threshold(const ThresholdSpec& spec, const Reading& reading,
                        std::span<const std::int64_t> labels, std::span<const float> logits) {
  if (spec.kind == ThresholdKind::fixed) return spec.value;
  if (reading.classes != 2) return 0.5;
  const std::size_t outputs = reading.outputs();
  std::vector<double> scores(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const float score = positive_score(reading.loss.kind, reading.positive, &logits[i * outputs]);
    if (!std::isfinite(score))
      return 0.5;  // such a trial is collapsed; no threshold means anything
    scores[i] = static_cast<double>(score);
  }
  const std::vector<int> positive = is_class(labels, reading.positive);
  return spec.kind == ThresholdKind::youden ? youden_threshold(scores, positive)
                                            : sensitivity_threshold(scores, positive, spec.value);
}

}  // namespace bioptic
