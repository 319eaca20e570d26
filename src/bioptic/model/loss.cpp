#include "bioptic/model/loss.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "bioptic/base/portable_math.h"

namespace bioptic {
namespace {

double weight_of(const LossSpec& spec, std::int64_t label) {
  return spec.class_weight.empty() ? 1 : spec.class_weight[static_cast<std::size_t>(label)];
}

// log(1 + e^x) without overflow.
double softplus(double x) {
  return x > 0 ? x + portable::log1p(portable::exp(-x)) : portable::log1p(portable::exp(x));
}

// torch.nn.Sigmoid, then torch.nn.BCELoss, each intermediate rounded to T as PyTorch does.  The
// sigmoid too is 1 / (1 + e^-z) in T: in float it is exactly 1 from z = 16.64 on, where e^-z falls
// below half an ulp of 1; there a wrong example has loss 100 and gradient 0.
template <typename T>
T bce(T z, T y, T weight, std::span<T> gradient) {
  const T p = 1 / (1 + static_cast<T>(portable::exp(-static_cast<double>(z))));
  const T log_p =
      std::max(static_cast<T>(portable::log(static_cast<double>(p))), static_cast<T>(-100));
  const T log_q =
      std::max(static_cast<T>(portable::log1p(-static_cast<double>(p))), static_cast<T>(-100));
  if (!gradient.empty()) {
    const T by_p = weight * (p - y) / std::max((1 - p) * p, static_cast<T>(1e-12));
    gradient[0] = by_p * (1 - p) * p;
  }
  return weight * ((y - 1) * log_q - y * log_p);
}

// torch.nn.BCEWithLogitsLoss.
template <typename T>
T bce_with_logits(T z, T y, T weight, double pos_weight, std::span<T> gradient) {
  const double x = static_cast<double>(z), target = static_cast<double>(y);
  const double slope = 1 + (pos_weight - 1) * target;
  if (!gradient.empty()) {
    // d/dz [(1-y) z + slope softplus(-z)] = (1-y) - slope (1 - sigmoid z)
    const double g =
        slope == 1 ? portable::sigmoid(x) - target : (1 - target) - slope * portable::sigmoid(-x);
    gradient[0] = static_cast<T>(static_cast<double>(weight) * g);
  }
  return static_cast<T>(static_cast<double>(weight) * ((1 - target) * x + slope * softplus(-x)));
}

// torch.nn.CrossEntropyLoss.
template <typename T>
T cross_entropy(const LossSpec& spec, std::span<const T> z, std::int64_t label,
                std::span<T> gradient) {
  const std::size_t classes = z.size();
  double largest = static_cast<double>(z[0]);
  for (const T value : z) largest = std::max(largest, static_cast<double>(value));
  double sum = 0;
  for (const T value : z) sum += portable::exp(static_cast<double>(value) - largest);
  const double log_sum = largest + portable::log(sum);

  // The loss is sum_c a_c (-log softmax z)_c with a_c = (1 - s) w_y [c = y] + s w_c / C.
  const double s = spec.label_smoothing;
  const auto share = [&](std::size_t c) {
    const bool own = static_cast<std::int64_t>(c) == label;
    const double smooth =
        s == 0 ? 0
               : s * weight_of(spec, static_cast<std::int64_t>(c)) / static_cast<double>(classes);
    return (own ? (1 - s) * weight_of(spec, label) : 0) + smooth;
  };
  double loss = 0, total = 0;
  for (std::size_t c = 0; c < classes; ++c) {
    const double a = share(c);
    if (a != 0) loss += a * (log_sum - static_cast<double>(z[c]));
    total += a;
  }
  for (std::size_t c = 0; c < gradient.size(); ++c) {
    const double p = portable::exp(static_cast<double>(z[c]) - log_sum);
    gradient[c] = static_cast<T>(total * p - share(c));
  }
  return static_cast<T>(loss);
}

}  // namespace

template <typename T>
T sample_loss(const LossSpec& spec, std::span<const T> logits, std::int64_t label,
              std::span<T> gradient) {
  const T y = static_cast<T>(label);
  switch (spec.kind) {
    case LossKind::bce:
      return bce<T>(logits[0], y, static_cast<T>(weight_of(spec, label)), gradient);
    case LossKind::bce_with_logits:
      return bce_with_logits<T>(logits[0], y, static_cast<T>(weight_of(spec, label)),
                                spec.pos_weight.value_or(1), gradient);
    case LossKind::cross_entropy:
      return cross_entropy<T>(spec, logits, label, gradient);
  }
  return 0;
}

template float sample_loss(const LossSpec&, std::span<const float>, std::int64_t, std::span<float>);
template double sample_loss(const LossSpec&, std::span<const double>, std::int64_t,
                            std::span<double>);

double loss_denominator(const LossSpec& spec, std::span<const std::int64_t> labels) {
  if (spec.kind != LossKind::cross_entropy || spec.class_weight.empty()) {
    return static_cast<double>(labels.size());
  }
  double sum = 0;
  for (const std::int64_t label : labels) sum += weight_of(spec, label);
  return sum;
}

void probabilities(LossKind kind, std::span<const float> logits, std::span<float> out) {
  if (kind != LossKind::cross_entropy) {
    out[0] = static_cast<float>(portable::sigmoid(static_cast<double>(logits[0])));
    return;
  }
  double largest = static_cast<double>(logits[0]);
  for (const float z : logits) largest = std::max(largest, static_cast<double>(z));
  double sum = 0;
  for (const float z : logits) sum += portable::exp(static_cast<double>(z) - largest);
  for (std::size_t c = 0; c < logits.size(); ++c) {
    out[c] = static_cast<float>(portable::exp(static_cast<double>(logits[c]) - largest) / sum);
  }
}

}  // namespace bioptic
