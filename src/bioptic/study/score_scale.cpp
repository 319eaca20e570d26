#include "bioptic/study/score_scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bioptic/base/error.h"

namespace bioptic {

void ScoreScale::take(std::span<double> scores, const std::vector<std::string>& columns,
                      const std::function<std::string()>& where) {
  one_column_ = scores.size() == 1;
  for (std::size_t c = 0; c < scores.size(); ++c) {
    double& score = scores[c];
    if (!std::isfinite(score)) continue;
    if (!any_) {
      first_ = where();
      least_ = most_ = score;
    }
    any_ = true;
    least_ = std::min(least_, score);
    most_ = std::max(most_, score);
    if (logits_ || (score >= 0 && score <= 1)) continue;
    if (score < -kRoundingOfScore || score > 1 + kRoundingOfScore) {
      throw InputError(fmt::format(
          "{}: {} is {:.7g}; expected a probability from 0 to 1. Say --logits if the column holds "
          "logits (log odds), or any other scores whose order counts{}; divide percentages by 100",
          where(), columns[c], score,
          one_column_ ? ", with --threshold for where they call an image positive (else 0)" : ""));
    }
    if (cut_ == 0) first_cut_ = where();
    ++cut_;
    score = std::clamp(score, 0.0, 1.0);
  }
}

void ScoreScale::check(bool threshold_given) const {
  if (!logits_ || !any_) return;
  if (least_ >= 0 && most_ <= 1) {
    throw InputError(fmt::format(
        "--logits: all scores lie in [0, 1] (first {}), as probabilities do; leave --logits out",
        first_));
  }
  if (threshold_given || !only_order()) return;
  throw InputError(
      fmt::format("--logits: no score lies {} 0 (they go from {:.4g} to {:.4g}; first {}), so "
                  "every image would be "
                  "called {}; say --threshold, above which an image counts as positive",
                  most_ > 0 ? "at or below" : "above", least_, most_, first_,
                  most_ > 0 ? "positive" : "negative"));
}

bool ScoreScale::only_order() const {
  return logits_ && any_ && one_column_ && (least_ > 0 || most_ <= 0);
}

std::string ScoreScale::note() const {
  if (cut_ == 0) return "";
  return fmt::format(
      "{} score{} a rounding error outside [0, 1] and {} taken for 0 or 1: first {}.", cut_,
      cut_ == 1 ? " lies" : "s lie", cut_ == 1 ? "is" : "are", first_cut_);
}

}  // namespace bioptic
