// Figures of the test scores over all thresholds: every arm's mean over seeds, single seeds faint.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "bioptic/report/figures.h"
#include "bioptic/report/text.h"
#include "bioptic/stats/calibration.h"
#include "bioptic/stats/metric_curves.h"
#include "bioptic/stats/roc.h"
#include "bioptic/train/scored_split.h"

namespace bioptic {
namespace {

constexpr int kSteps = 100;  // of a curve's x, from 0 to 1
constexpr int kBins = 10;    // of the calibration curve, as of the ECE

// One seed's test scores for the positive class (more than two classes: against the rest).
struct SeedScores {
  CleanSplit clean;
  std::vector<int> labels;
};

SeedScores scores_of(const StudySummary& summary, const ArmSummary& arm,
                     const SplitPredictions& test) {
  Reading reading;
  reading.loss.kind = arm.loss;
  reading.classes = static_cast<int>(summary.dataset.classes.size());
  reading.positive = summary.positive;
  std::vector<std::int64_t> labels;
  labels.reserve(test.rows.size());
  for (const std::uint32_t row : test.rows) labels.push_back(summary.images[row].label);
  SeedScores out;
  if (reading.classes == 2) {
    const ReadSplit read = read_split(reading, labels, test.logits);
    out.clean = clean(read.view());
    out.labels = read.labels;
    return out;
  }
  const auto classes = static_cast<std::size_t>(reading.classes);
  const std::vector<double> odds = class_log_odds(reading, test.logits);
  std::vector<double> scores, logits;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double z = odds[i * classes + static_cast<std::size_t>(summary.positive)];
    logits.push_back(z);
    scores.push_back(1 / (1 + std::exp(-z)));
    out.labels.push_back(labels[i] == summary.positive ? 1 : 0);
  }
  out.clean = clean({scores, logits, out.labels, {}});
  return out;
}

using ArmScores = std::vector<SeedScores>;

std::vector<ArmScores> all_scores(const StudySummary& summary) {
  std::vector<ArmScores> all;
  for (const ArmSummary& arm : summary.arms) {
    ArmScores& scores = all.emplace_back();
    for (const TrialSummary& trial : arm.trials) {
      for (const SplitPredictions& p : trial.result.predictions) {
        if (p.split == "test") scores.push_back(scores_of(summary, arm, p));
      }
    }
  }
  return all;
}

// y by x; empty where undefined.
struct Curve {
  std::vector<double> x, y;
};

struct Drawn {
  std::vector<Curve> seeds;
  Curve mean;
  double number = 0;  // in brackets behind the arm's name; NaN: none
};

Curve mean_at_equal_x(const std::vector<Curve>& seeds) {
  Curve mean;
  if (seeds.empty()) return mean;
  mean.x = seeds.front().x;
  mean.y.assign(mean.x.size(), 0);
  for (const Curve& seed : seeds) {
    for (std::size_t k = 0; k < mean.y.size(); ++k) {
      mean.y[k] += seed.y[k] / static_cast<double>(seeds.size());
    }
  }
  return mean;
}

Drawn roc_of(const ArmScores& arm) {
  Drawn d;
  for (const SeedScores& seed : arm) {
    const std::vector<RocPoint> curve = roc_curve(seed.clean.ranks, seed.labels);
    if (curve.empty()) continue;
    Curve& c = d.seeds.emplace_back(Curve{{0}, {0}});
    for (int k = 0; k <= 2 * kSteps; ++k) {
      c.x.push_back(k / (2.0 * kSteps));
      c.y.push_back(true_positive_rate_at(curve, c.x.back()));
    }
    d.number += *auroc(seed.clean.ranks, seed.labels);
  }
  d.number /= static_cast<double>(d.seeds.size());
  d.mean = mean_at_equal_x(d.seeds);
  return d;
}

// Precision at a recall is that of the highest threshold which reaches it, as average precision
// counts it.
Drawn precision_recall_of(const ArmScores& arm) {
  Drawn d;
  for (const SeedScores& seed : arm) {
    const auto points = precision_recall_curve(seed.clean.ranks, seed.labels);
    if (points.empty()) continue;
    Curve& c = d.seeds.emplace_back();
    std::size_t at = 0;
    for (int k = 1; k <= kSteps; ++k) {
      const double recall = static_cast<double>(k) / kSteps;
      while (at + 1 < points.size() && points[at].recall < recall - 1e-12) ++at;
      c.x.push_back(recall);
      c.y.push_back(points[at].precision);
    }
    d.number += *average_precision(seed.clean.ranks, seed.labels);
  }
  d.number /= static_cast<double>(d.seeds.size());
  d.mean = mean_at_equal_x(d.seeds);
  return d;
}

// The mean curve pools the seeds' images in each bin.
Drawn calibration_of(const ArmScores& arm) {
  Drawn d;
  std::vector<double> predicted(kBins, 0), observed(kBins, 0), images(kBins, 0);
  for (const SeedScores& seed : arm) {
    Curve& c = d.seeds.emplace_back();
    for (const ReliabilityBin& bin : reliability_curve(seed.clean.scores, seed.labels, kBins)) {
      c.x.push_back(bin.predicted);
      c.y.push_back(bin.observed);
      const std::size_t b = calibration_bin(bin.predicted, kBins);
      const auto n = static_cast<double>(bin.images);
      predicted[b] += n * bin.predicted;
      observed[b] += n * bin.observed;
      images[b] += n;
    }
    d.number += *expected_calibration_error(seed.clean.scores, seed.labels, kBins);
  }
  d.number /= static_cast<double>(d.seeds.size());
  for (std::size_t b = 0; b < kBins; ++b) {
    if (images[b] == 0) continue;
    d.mean.x.push_back(predicted[b] / images[b]);
    d.mean.y.push_back(observed[b] / images[b]);
  }
  return d;
}

std::vector<double> decision_thresholds() {
  std::vector<double> thresholds;
  for (int k = 1; k < kSteps; ++k) thresholds.push_back(static_cast<double>(k) / kSteps);
  return thresholds;
}

Drawn decision_of(const ArmScores& arm) {
  Drawn d;
  d.number = std::nan("");
  for (const SeedScores& seed : arm) {
    Curve& c = d.seeds.emplace_back();
    for (const NetBenefitPoint& point :
         decision_curve(seed.clean.scores, seed.labels, decision_thresholds())) {
      c.x.push_back(point.threshold);
      c.y.push_back(point.model);
    }
  }
  d.mean = mean_at_equal_x(d.seeds);
  return d;
}

std::string rows(const Curve& curve) {
  std::string out;
  for (std::size_t k = 0; k < curve.x.size(); ++k) {
    out += fmt::format("{:.5g} {:.5g}\n", curve.x[k], curve.y[k]);
  }
  return out;
}

// The faint colour is the arm's with an alpha; gnuplot counts it as transparency.
std::string faint(std::size_t arm) { return "#C8" + series_colour(arm).substr(1); }

// Data blocks and plot clauses of all arms; `with_points` marks the mean's points.
void draw_arms(Figure& f, const StudySummary& summary, const std::vector<ArmScores>& scores,
               const std::function<Drawn(const ArmScores&)>& make, bool with_points,
               std::vector<std::string>& clauses) {
  std::vector<std::string> means;
  for (std::size_t a = 0; a < scores.size(); ++a) {
    const Drawn d = make(scores[a]);
    if (d.mean.x.empty()) continue;
    f.body += fmt::format("$seeds{} << EOD\n", a);
    for (std::size_t k = 0; k < std::min(d.seeds.size(), kMostSingleSeeds); ++k) {
      f.body += rows(d.seeds[k]) + "\n";
    }
    f.body += fmt::format("EOD\n$mean{} << EOD\n{}EOD\n", a, rows(d.mean));
    if (d.seeds.size() > 1) {
      clauses.push_back(
          fmt::format("$seeds{} using 1:2 with lines lw 0.5 lc rgb '{}' notitle", a, faint(a)));
    }
    const std::string name =
        summary.arms[a].name + (std::isnan(d.number) ? "" : fmt::format(" ({:.3f})", d.number));
    means.push_back(fmt::format(
        "$mean{} using 1:2 with {} lw 1.3 dt {} lc rgb '{}' title {}", a,
        with_points ? fmt::format("linespoints pt {} ps 0.4", series_point(a)) : "lines",
        series_dash(a), series_colour(a), gnuplot_quote(name)));
  }
  clauses.insert(clauses.end(), means.begin(), means.end());
}

std::string positive_name(const StudySummary& summary) {
  return summary.dataset.classes[static_cast<std::size_t>(summary.positive)];
}

std::string collapsed_words(const StudySummary& summary) {
  std::string out;
  for (const ArmSummary& arm : summary.arms) {
    if (arm.collapsed == 0) continue;
    out += fmt::format("{}{} {} of {}",
                       out.empty() ? " Collapsed trainings, counted in the means: " : ", ",
                       arm.name, arm.collapsed, arm.trials.size());
  }
  return out.empty() ? out : out + ".";
}

std::string faint_words(const std::vector<ArmScores>& scores) {
  std::size_t most = 0;
  for (const ArmScores& arm : scores) most = std::max(most, arm.size());
  return single_seeds_words(most);
}

Figure square(const StudySummary& summary, const char* name, std::size_t more_keys) {
  Figure f;
  f.name = name;
  f.height_mm = 80 + 4.0 * static_cast<double>(summary.arms.size() + more_keys);
  return f;
}

constexpr const char* kUnitSquare =
    "set size square\nset xrange [0:1]\nset yrange [0:1]\nset xtics 0.2\nset ytics 0.2\n"
    "set key outside below center maxcols 1\n";

void finish(Figure& f, const std::string& axes, const std::vector<std::string>& clauses) {
  f.body += axes + fmt::format("plot {}", fmt::join(clauses, ", "));
}

Figure roc_figure(const StudySummary& summary, const std::vector<ArmScores>& scores) {
  Figure f = square(summary, "roc", 0);
  f.caption = fmt::format(
      "Receiver operating characteristic on the test images ({} against the rest), averaged over "
      "seeds at equal false-positive rates; faint: {}; in brackets the mean area under the "
      "curve.{}",
      positive_name(summary), faint_words(scores), collapsed_words(summary));
  std::vector<std::string> clauses = {"x with lines lw 0.6 dt 3 lc rgb '#888888' notitle"};
  draw_arms(f, summary, scores, roc_of, false, clauses);
  finish(f,
         std::string(kUnitSquare) +
             "set xlabel 'false-positive rate (1 - specificity)' offset 0,0.5\n"
             "set ylabel 'true-positive rate (sensitivity)' offset 1\n",
         clauses);
  return f;
}

Figure precision_recall_figure(const StudySummary& summary, const std::vector<ArmScores>& scores,
                               double prevalence) {
  Figure f = square(summary, "precision-recall", 0);
  f.caption = fmt::format(
      "Precision against recall on the test images ({} against the rest), averaged over seeds at "
      "equal recall; faint: {}; in brackets the mean average precision; dotted: the "
      "share of the positive class, which chance reaches.{}",
      positive_name(summary), faint_words(scores), collapsed_words(summary));
  std::vector<std::string> clauses = {
      fmt::format("{} with lines lw 0.6 dt 3 lc rgb '#888888' notitle", prevalence)};
  draw_arms(f, summary, scores, precision_recall_of, false, clauses);
  finish(f,
         std::string(kUnitSquare) +
             "set xlabel 'recall (sensitivity)' offset 0,0.5\n"
             "set ylabel 'precision' offset 1\n",
         clauses);
  return f;
}

Figure calibration_figure(const StudySummary& summary, const std::vector<ArmScores>& scores) {
  Figure f = square(summary, "calibration", 0);
  f.caption = fmt::format(
      "Calibration on the test images: of those given a probability of {}, how many are; {} bins "
      "of "
      "equal width, empty ones left out, pooled over seeds; faint: {}; in brackets the "
      "mean expected calibration error; dotted: perfect. Below the diagonal the probabilities are "
      "too high.{}",
      positive_name(summary), kBins, faint_words(scores), collapsed_words(summary));
  std::vector<std::string> clauses = {"x with lines lw 0.6 dt 3 lc rgb '#888888' notitle"};
  draw_arms(f, summary, scores, calibration_of, true, clauses);
  finish(f,
         std::string(kUnitSquare) +
             "set xlabel 'mean predicted probability' offset 0,0.5\n"
             "set ylabel 'observed share' offset 1\n",
         clauses);
  return f;
}

Figure decision_figure(const StudySummary& summary, const std::vector<ArmScores>& scores,
                       double prevalence) {
  Figure f = square(summary, "decision", 2);
  f.caption = fmt::format(
      "Decision curve on the test images, at their share of {} ({:.0f} %): net benefit in true "
      "positives per image against the threshold probability, mean over seeds; faint: {}. "
      "A model is worth using where it lies above both grey lines.{}",
      positive_name(summary), 100 * prevalence, faint_words(scores), collapsed_words(summary));
  std::vector<std::string> clauses = {
      fmt::format("({0} - (1 - {0}) * x / (1 - x)) with lines lw 0.9 dt 3 lc rgb '#666666' title "
                  "'act on all'",
                  prevalence),
      "0 with lines lw 0.9 lc rgb '#888888' title 'act on none'"};
  draw_arms(f, summary, scores, decision_of, false, clauses);
  finish(f,
         fmt::format("set size square\nset xrange [0:1]\nset yrange [{:.4f}:{:.4f}]\nset samples "
                     "400\nset xtics 0.2\nset key outside below center maxcols 1\n"
                     "set xlabel 'threshold probability' offset 0,0.5\n"
                     "set ylabel 'net benefit' offset 1\n",
                     -0.25 * prevalence, 1.1 * prevalence),
         clauses);
  return f;
}

}  // namespace

std::vector<Figure> score_figures(const StudySummary& summary) {
  const std::vector<ArmScores> scores = all_scores(summary);
  double positives = 0, images = 0;
  for (const ArmScores& arm : scores) {
    if (arm.empty()) continue;
    for (const int label : arm.front().labels) positives += label;
    images = static_cast<double>(arm.front().labels.size());
    break;
  }
  if (images == 0) return {};
  std::vector<Figure> figures;
  if (positives > 0 && positives < images) {  // undefined without both classes
    figures.push_back(roc_figure(summary, scores));
    figures.push_back(precision_recall_figure(summary, scores, positives / images));
  }
  figures.push_back(calibration_figure(summary, scores));
  if (positives > 0) figures.push_back(decision_figure(summary, scores, positives / images));
  return figures;
}

}  // namespace bioptic
