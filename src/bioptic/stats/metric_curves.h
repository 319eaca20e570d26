// Curves over all thresholds of one model on one split: precision against recall, and net benefit.
// positive holds 1 or 0 per score; both spans have the same length.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace bioptic {

struct PrecisionRecallPoint {
  double recall = 0, precision = 0;
  double threshold = 0;  // of the rule `score >= threshold`, a score of the sample
};

// One point per distinct score, from the highest down, so recall grows to 1.  Empty when one class
// is absent.  The anchor (recall 0, precision 1) that sklearn adds is left out.  Scores may be
// infinite, not NaN.
std::vector<PrecisionRecallPoint> precision_recall_curve(std::span<const double> scores,
                                                         std::span<const int> positive);

// Sum over that curve of (recall - recall before) * precision: steps, no interpolation, as
// sklearn.metrics.average_precision_score.  nullopt when one class is absent.
std::optional<double> average_precision(std::span<const double> scores,
                                        std::span<const int> positive);

struct NetBenefitPoint {
  double threshold = 0;
  double model = 0;      // of acting where probability > threshold
  double treat_all = 0;  // of acting always; acting never is 0
};

// Decision curve (Vickers & Elkin 2006): true positives / n - false positives / n * pt / (1 - pt)
// at each threshold probability pt in [0, 1).  Empty without images.  Throws InputError for another
// threshold.
std::vector<NetBenefitPoint> decision_curve(std::span<const double> probabilities,
                                            std::span<const int> positive,
                                            std::span<const double> thresholds);

}  // namespace bioptic
