#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>

#include "bioptic/model/loss.h"
#include "bioptic/train/trial.h"

namespace bioptic {

float positive_score(LossKind loss, int positive, const float* logits) {
  if (loss == LossKind::cross_entropy) {
    // Two classes: softmax of two logits is the sigmoid of their difference.
    const float difference = logits[positive] - logits[1 - positive];
    std::array<float, 1> p{};
    probabilities(LossKind::bce_with_logits, std::span(&difference, 1), p);
    return p[0];
  }
  // The single logit speaks for label 1.
  const float z = positive == 1 ? logits[0] : -logits[0];
  std::array<float, 1> p{};
  probabilities(loss, std::span(&z, 1), p);
  return p[0];
}

int predicted_label(LossKind loss, int classes, int positive, double threshold,
                    const float* logits) {
  if (classes == 2) {
    const float score = positive_score(loss, positive, logits);
    if (!std::isfinite(score)) return -1;
    return static_cast<double>(score) > threshold ? positive : 1 - positive;
  }
  int best = 0;
  float largest = -std::numeric_limits<float>::infinity();
  for (int c = 0; c < classes; ++c) {
    if (!std::isfinite(logits[c])) return -1;
    if (logits[c] > largest) {
      largest = logits[c];
      best = c;
    }
  }
  return best;
}

std::size_t confusion_column(int predicted, std::int64_t label, int classes) {
  return static_cast<std::size_t>(predicted >= 0 ? predicted : (label + 1) % classes);
}

}  // namespace bioptic
