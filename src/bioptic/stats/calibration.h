// Calibration of predicted probabilities of class 1.  Probabilities are in [0, 1], logits are
// finite, positive holds 1 or 0 per image; all spans of one call have the same length.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace bioptic {

// Mean of (probability - label)^2: the one-class form (Brier 1950 sums over both classes, which is
// twice this).  nullopt without images.
std::optional<double> brier_score(std::span<const double> probabilities,
                                  std::span<const int> positive);

// Mean negative log likelihood in nats, from logits: log(1 + e^-z) for label 1, log(1 + e^z) for
// label 0.  nullopt without images.
std::optional<double> log_loss(std::span<const double> logits, std::span<const int> positive);

// Logistic recalibration, log odds of label 1 = intercept + slope * logit (Cox 1958; Van Calster
// et al. 2019, "Calibration: the Achilles heel of predictive analytics").
struct CalibrationLine {
  double slope = 0, slope_low = 0, slope_high = 0;  // perfect: 1
  double intercept = 0;                             // of the same fit; perfect: 0
  double in_the_large = 0;  // intercept when the slope is held at 1; perfect: 0
  double in_the_large_low = 0, in_the_large_high = 0;
};

// A score whose logits lie within this range is constant: the odds of any two images differ by less
// than 1 %, and what is left is rounding or a training that collapsed.  Its slope, in the hundreds,
// would say nothing of calibration.
inline constexpr double kConstantLogits = 0.01;

// Whether logistic recalibration means anything: false for one class only, for a score that is
// constant, and where no finite maximum exists because the logit separates the classes (also when
// both share the value at the border; Albert & Anderson 1984).
bool has_calibration_line(std::span<const double> logits, std::span<const int> positive);

// Maximum likelihood by iteratively reweighted least squares, Wald intervals.  nullopt without
// has_calibration_line.
std::optional<CalibrationLine> calibration_line(std::span<const double> logits,
                                                std::span<const int> positive,
                                                double confidence = 0.95);

// One bin of the reliability diagram that holds at least one image.
struct ReliabilityBin {
  double predicted = 0;                    // mean probability in the bin
  double observed = 0, low = 0, high = 0;  // share of label 1 with Wilson's interval
  std::size_t images = 0;
};

// The bin of a probability, from 0; see reliability_curve.
std::size_t calibration_bin(double probability, int bins);

// `bins` bins of equal width over [0, 1]; bin k holds k / bins < p <= (k + 1) / bins, the first
// also 0 (as sklearn.calibration.calibration_curve).  Empty bins are left out.
std::vector<ReliabilityBin> reliability_curve(std::span<const double> probabilities,
                                              std::span<const int> positive, int bins = 10);

// Expected calibration error of the probability of class 1: sum over the bins above of
// share of images * |predicted - observed|.  (Guo et al. 2017 bin the confidence of the predicted
// class instead; the two differ.)  It depends on the bins.  nullopt without images.
std::optional<double> expected_calibration_error(std::span<const double> probabilities,
                                                 std::span<const int> positive, int bins = 10);

}  // namespace bioptic
