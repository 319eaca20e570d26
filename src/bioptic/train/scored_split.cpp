#include "bioptic/train/scored_split.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

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
  std::vector<double> out(logits.size(), kNan), sorted(classes), weight(classes);
  for (std::size_t begin = 0; begin < logits.size(); begin += classes) {
    const std::span<const float> row = logits.subspan(begin, classes);
    if (!std::all_of(row.begin(), row.end(), [](float z) { return std::isfinite(z); })) continue;
    std::copy(row.begin(), row.end(), sorted.begin());
    std::sort(sorted.begin(), sorted.end());
    // The largest of the others is the last, for the last itself the one before.
    const std::size_t last = classes - 1;
    for (std::size_t j = 0; j < last; ++j) weight[j] = portable::exp(sorted[j] - sorted[last - 1]);
    const auto others_of_last = std::accumulate(weight.begin(), weight.end() - 1, 0.0);
    for (std::size_t j = 0; j <= last; ++j) weight[j] = portable::exp(sorted[j] - sorted[last]);
    for (std::size_t k = 0; k < classes; ++k) {
      const auto z = static_cast<double>(row[k]);
      const auto place = static_cast<std::size_t>(
          std::lower_bound(sorted.begin(), sorted.end(), z) - sorted.begin());
      double sum = others_of_last;
      if (place < last) {
        // Summed in the order of size, so that equal logits of two classes give equal log odds.
        sum = 0;
        for (std::size_t j = 0; j < place; ++j) sum += weight[j];
        for (std::size_t j = place + 1; j < classes; ++j) sum += weight[j];
      }
      out[begin + k] = z - sorted[place < last ? last : last - 1] - portable::log(sum);
    }
  }
  return out;
}

}  // namespace bioptic
