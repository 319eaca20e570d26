#include "bioptic/stats/calibration.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

#include "bioptic/base/error.h"
#include "bioptic/base/portable_math.h"
#include "bioptic/stats/intervals.h"

namespace bioptic {
namespace {

namespace bm = boost::math;
using Policy = bm::policies::policy<bm::policies::promote_double<false>>;

constexpr int kMaxSteps = 200;

// log(1 + e^x) without overflow.
double softplus(double x) {
  return std::max(x, 0.0) + portable::log1p(portable::exp(-std::abs(x)));
}

// Mean over images of the loss at log odds a + b z.
double mean_loss(std::span<const double> z, std::span<const int> y, double a, double b) {
  double sum = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    const double odds = a + b * z[i];
    sum += softplus(y[i] != 0 ? -odds : odds);
  }
  return sum / static_cast<double>(z.size());
}

struct Fit {
  double a = 0, b = 0;
  double var_a = 0, var_b = 0;
};

// Newton's method, which for this likelihood is iteratively reweighted least squares, with the step
// halved until the loss does not grow.  `free_slope` false holds b at its start.
std::optional<Fit> fit(std::span<const double> z, std::span<const int> y, Fit start,
                       bool free_slope) {
  Fit now = start;
  double loss = mean_loss(z, y, now.a, now.b);
  for (int step = 0; step < kMaxSteps; ++step) {
    double ga = 0, gb = 0, haa = 0, hab = 0, hbb = 0;  // gradient and information
    for (std::size_t i = 0; i < z.size(); ++i) {
      const double p = portable::sigmoid(now.a + now.b * z[i]);
      const double residual = y[i] - p, weight = p * (1 - p);
      ga += residual;
      gb += residual * z[i];
      haa += weight;
      hab += weight * z[i];
      hbb += weight * z[i] * z[i];
    }
    const double determinant = haa * hbb - hab * hab;
    if (!(haa > 0) || (free_slope && !(determinant > 0))) return std::nullopt;
    double da = ga / haa, db = 0;
    now.var_a = 1 / haa;
    if (free_slope) {
      da = (hbb * ga - hab * gb) / determinant;
      db = (haa * gb - hab * ga) / determinant;
      now.var_a = hbb / determinant;
      now.var_b = haa / determinant;
    }
    // Newton converges quadratically: a step this small leaves an error far below rounding.
    if (std::abs(da) <= 1e-11 * (1 + std::abs(now.a)) &&
        std::abs(db) <= 1e-11 * (1 + std::abs(now.b))) {
      return now;
    }
    double share = 1, next = mean_loss(z, y, now.a + da, now.b + db);
    while (!(next <= loss + 1e-15 * std::abs(loss)) && share > 1e-10) {
      share /= 2;
      next = mean_loss(z, y, now.a + share * da, now.b + share * db);
    }
    now.a += share * da;
    now.b += share * db;
    loss = next;
  }
  return std::nullopt;
}

struct Bin {
  double sum = 0;
  std::size_t images = 0, hits = 0;
};

std::vector<Bin> fill_bins(std::span<const double> probabilities, std::span<const int> positive,
                           int bins) {
  if (bins < 1) throw InputError("a reliability curve needs at least one bin");
  std::vector<Bin> filled(static_cast<std::size_t>(bins));
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    Bin& bin = filled[calibration_bin(probabilities[i], bins)];
    bin.sum += probabilities[i];
    ++bin.images;
    bin.hits += positive[i] != 0 ? 1 : 0;
  }
  return filled;
}

}  // namespace

std::optional<double> brier_score(std::span<const double> probabilities,
                                  std::span<const int> positive) {
  if (probabilities.empty()) return std::nullopt;
  double sum = 0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    const double error = probabilities[i] - positive[i];
    sum += error * error;
  }
  return sum / static_cast<double>(probabilities.size());
}

std::optional<double> log_loss(std::span<const double> logits, std::span<const int> positive) {
  if (logits.empty()) return std::nullopt;
  return mean_loss(logits, positive, 0, 1);
}

bool has_calibration_line(std::span<const double> logits, std::span<const int> positive) {
  double low[2] = {HUGE_VAL, HUGE_VAL}, high[2] = {-HUGE_VAL, -HUGE_VAL};
  for (std::size_t i = 0; i < logits.size(); ++i) {
    low[positive[i]] = std::min(low[positive[i]], logits[i]);
    high[positive[i]] = std::max(high[positive[i]], logits[i]);
  }
  // true also when a class is absent
  const bool separated = high[0] <= low[1] || high[1] <= low[0];
  return !separated && std::max(high[0], high[1]) - std::min(low[0], low[1]) >= kConstantLogits;
}

std::optional<CalibrationLine> calibration_line(std::span<const double> logits,
                                                std::span<const int> positive, double confidence) {
  if (!has_calibration_line(logits, positive)) return std::nullopt;
  const auto n = static_cast<double>(logits.size());
  double mean = 0, squares = 0, hits = 0;
  for (const double z : logits) mean += z / n;
  for (const double z : logits) squares += (z - mean) * (z - mean);
  for (const int p : positive) hits += p;
  // On standardised logits the information matrix is well conditioned whatever the logits' scale.
  const double sd = std::sqrt(squares / n);
  std::vector<double> standard;
  for (const double z : logits) standard.push_back((z - mean) / sd);
  const double log_odds = portable::log(hits / (n - hits));
  const auto line = fit(standard, positive, {log_odds, 0}, true);
  const auto large = fit(logits, positive, {log_odds - mean, 1}, false);
  if (!line || !large) return std::nullopt;

  const bm::normal_distribution<double, Policy> normal;
  const double quantile = bm::quantile(normal, 0.5 + confidence / 2);
  const double half_slope = quantile * std::sqrt(line->var_b) / sd;
  const double half_large = quantile * std::sqrt(large->var_a);
  CalibrationLine result;
  result.slope = line->b / sd;
  result.slope_low = result.slope - half_slope;
  result.slope_high = result.slope + half_slope;
  result.intercept = line->a - result.slope * mean;
  result.in_the_large = large->a;
  result.in_the_large_low = large->a - half_large;
  result.in_the_large_high = large->a + half_large;
  return result;
}

std::size_t calibration_bin(double probability, int bins) {
  // The edges are numpy.linspace's, so that a probability on one falls as in scikit-learn.
  const double width = 1.0 / bins;
  std::size_t bin = 0;
  while (bin + 1 < static_cast<std::size_t>(bins) &&
         probability > static_cast<double>(bin + 1) * width) {
    ++bin;
  }
  return bin;
}

std::vector<ReliabilityBin> reliability_curve(std::span<const double> probabilities,
                                              std::span<const int> positive, int bins) {
  std::vector<ReliabilityBin> curve;
  for (const Bin& bin : fill_bins(probabilities, positive, bins)) {
    if (bin.images == 0) continue;
    const Proportion observed = wilson_interval(bin.hits, bin.images);
    curve.push_back({bin.sum / static_cast<double>(bin.images), observed.value, observed.low,
                     observed.high, bin.images});
  }
  return curve;
}

std::optional<double> expected_calibration_error(std::span<const double> probabilities,
                                                 std::span<const int> positive, int bins) {
  if (probabilities.empty()) return std::nullopt;
  double sum = 0;
  for (const Bin& bin : fill_bins(probabilities, positive, bins)) {
    sum += std::abs(bin.sum - static_cast<double>(bin.hits));
  }
  return sum / static_cast<double>(probabilities.size());
}

}  // namespace bioptic
