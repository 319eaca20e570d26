#include "bioptic/train/scored_split.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "bioptic/base/portable_math.h"

namespace bioptic {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

ScoredSplit ReadSplit::view(std::span<const int> groups) const {
  return {scores, logits, labels, groups};
}

ReadSplit read_split(const Reading& reading, std::span<const std::int64_t> labels,
                     std::span<const float> logits) {
  ReadSplit out;
  const std::size_t outputs = reading.outputs();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const float* z = &logits[i * outputs];
    auto score = static_cast<double>(positive_score(reading.loss.kind, reading.positive, z));
    const double for_one = outputs == 1 ? static_cast<double>(z[0])
                                        : static_cast<double>(z[1]) - static_cast<double>(z[0]);
    double logit = reading.positive == 1 ? for_one : -for_one;
    if (!std::isfinite(score) || std::isnan(logit)) {
      ++out.not_finite;
      score = logit = kNan;
    }
    out.scores.push_back(score);
    out.logits.push_back(logit);
    out.labels.push_back(labels[i] == reading.positive ? 1 : 0);
  }
  return out;
}

std::vector<double> class_log_odds(const Reading& reading, std::span<const float> logits) {
  const std::size_t classes = reading.outputs();
  std::vector<double> out(logits.size(), kNan), others;
  for (std::size_t begin = 0; begin < logits.size(); begin += classes) {
    const std::span<const float> row = logits.subspan(begin, classes);
    if (!std::all_of(row.begin(), row.end(), [](float z) { return std::isfinite(z); })) continue;
    for (std::size_t k = 0; k < classes; ++k) {
      others.clear();
      for (std::size_t j = 0; j < classes; ++j) {
        if (j != k) others.push_back(static_cast<double>(row[j]));
      }
      // Summed in the order of size, so that equal logits of two classes give equal log odds.
      std::sort(others.begin(), others.end());
      double sum = 0;
      for (const double z : others) sum += portable::exp(z - others.back());
      out[begin + k] = static_cast<double>(row[k]) - others.back() - portable::log(sum);
    }
  }
  return out;
}

}  // namespace bioptic
