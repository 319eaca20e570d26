// Losses as in PyTorch, one sample at a time.  T is float or double; the transcendental functions
// are the project's own in double, rounded to T once.
#pragma once

#include <cstdint>
#include <span>

#include "bioptic/model/spec.h"

namespace bioptic {

// Loss of one sample, class weights and smoothing included, before the batch's denominator:
//   bce              -w [y log p + (1-y) log(1-p)] with p = sigmoid(z) rounded to T and each log
//                    clamped at -100; backward through BCELoss ((p - y) / max((1-p) p, 1e-12)) and
//                    through sigmoid (p (1-p)), exactly as PyTorch does in T
//   bce_with_logits  w [(1-y) z + (1 + (pos_weight - 1) y) log(1 + e^-z)], stable form
//   cross_entropy    w[y] (1-s) (-log softmax z)[y] + s/C sum_c w[c] (-log softmax z)[c]
// logits: 1 value (bce) or C; gradient: dloss/dlogits, same length, may be empty when not wanted.
template <typename T>
T sample_loss(const LossSpec& spec, std::span<const T> logits, std::int64_t label,
              std::span<T> gradient);

extern template float sample_loss(const LossSpec&, std::span<const float>, std::int64_t,
                                  std::span<float>);
extern template double sample_loss(const LossSpec&, std::span<const double>, std::int64_t,
                                   std::span<double>);

// The batch's denominator: cross_entropy with class_weight: the sum of the labels' weights;
// everything else: the number of samples.
double loss_denominator(const LossSpec& spec, std::span<const std::int64_t> labels);

// Probabilities of one sample: bce: one value, sigmoid(z); else softmax over C.  Rounded to float.
void probabilities(LossKind kind, std::span<const float> logits, std::span<float> out);

}  // namespace bioptic
