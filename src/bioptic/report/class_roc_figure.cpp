// More than two classes: the receiver operating characteristic of every class against the rest.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "bioptic/report/figures.h"
#include "bioptic/report/text.h"
#include "bioptic/stats/roc.h"
#include "bioptic/train/scored_split.h"

namespace bioptic {
namespace {

constexpr int kSteps = 100;  // of the false-positive rate, from 0 to 1
constexpr std::size_t kMostPanels = 12;

struct MeanCurve {
  std::vector<double> y;  // at k / kSteps
  double area = 0;        // mean over seeds
  int seeds = 0;
};

// Of the first `count` classes: the mean over the seeds' curves at equal false-positive rates;
// scores that are not finite come last.
std::vector<MeanCurve> mean_curves(const StudySummary& summary, const ArmSummary& arm,
                                   std::size_t count) {
  const std::size_t classes = summary.dataset.classes.size();
  Reading reading;
  reading.loss.kind = arm.loss;
  reading.classes = static_cast<int>(classes);
  std::vector<MeanCurve> means(count, {std::vector<double>(kSteps + 1, 0), 0, 0});
  for (const TrialSummary& trial : arm.trials) {
    for (const SplitPredictions& test : trial.result.predictions) {
      if (test.split != "test") continue;
      const std::vector<double> odds = class_log_odds(reading, test.logits);
      for (std::size_t c = 0; c < count; ++c) {
        std::vector<double> ranks;
        std::vector<int> labels;
        for (std::size_t i = 0; i < test.rows.size(); ++i) {
          const double z = odds[i * classes + c];
          ranks.push_back(std::isnan(z) ? -std::numeric_limits<double>::infinity() : z);
          const std::int64_t label = summary.images[test.rows[i]].label;
          labels.push_back(label == static_cast<std::int64_t>(c) ? 1 : 0);
        }
        const std::vector<RocPoint> curve = roc_curve(ranks, labels);
        if (curve.empty()) continue;
        for (int k = 0; k <= kSteps; ++k) {
          means[c].y[static_cast<std::size_t>(k)] +=
              true_positive_rate_at(curve, static_cast<double>(k) / kSteps);
        }
        means[c].area += auroc(ranks, labels).value_or(0);
        ++means[c].seeds;
      }
    }
  }
  for (MeanCurve& mean : means) {
    for (double& y : mean.y) y /= std::max(1, mean.seeds);
    mean.area /= std::max(1, mean.seeds);
  }
  return means;
}

}  // namespace

std::optional<Figure> class_roc_figure(const StudySummary& summary) {
  const std::size_t classes = summary.dataset.classes.size();
  if (classes < 3) return std::nullopt;
  const std::size_t panels = std::min(classes, kMostPanels);
  const std::size_t columns = panels <= 4 ? 2 : panels <= 9 ? 3 : 4;
  const std::size_t rows = (panels + columns - 1) / columns;
  Figure f;
  f.name = "roc-by-class";
  f.width_mm = 170;
  f.height_mm = 175.0 / static_cast<double>(columns) * static_cast<double>(rows) + 8;
  f.caption = fmt::format(
      "Receiver operating characteristic of every class against the rest on the test images{}, "
      "averaged over seeds at equal false-positive rates; in the panels the mean area under each "
      "arm's curve.",
      classes > panels ? fmt::format(" (the first {} of {} classes)", panels, classes) : "");
  const double key = 6 / f.height_mm;  // a strip above the panels
  f.body = fmt::format(
      "set multiplot layout {},{} margins 0.085,0.985,{:.4f},{:.4f} spacing 0.06,{:.4f}\n"
      "set xrange [0:1]\nset yrange [0:1]\nset xtics 0.5 format '%g'\nset ytics 0.5\nunset key\n",
      rows, columns, 10 / f.height_mm, 1 - key - 4 / f.height_mm, 14 / f.height_mm);
  std::vector<std::vector<MeanCurve>> by_arm;  // [arm][class]
  for (const ArmSummary& arm : summary.arms) by_arm.push_back(mean_curves(summary, arm, panels));
  bool any = false;
  for (std::size_t c = 0; c < panels; ++c) {
    std::vector<std::string> clauses = {"x with lines lw 0.6 dt 3 lc rgb '#888888' notitle"};
    std::string labels;
    for (std::size_t a = 0; a < summary.arms.size(); ++a) {
      const MeanCurve& mean = by_arm[a][c];
      if (mean.seeds == 0) continue;
      any = true;
      f.body += fmt::format("$c{}a{} << EOD\n0 0\n", c, a);
      for (int k = 0; k <= kSteps; ++k) {
        f.body += fmt::format("{:.4g} {:.5g}\n", static_cast<double>(k) / kSteps,
                              mean.y[static_cast<std::size_t>(k)]);
      }
      f.body += "EOD\n";
      clauses.push_back(fmt::format("$c{}a{} using 1:2 with lines lw 1.2 dt {} lc rgb '{}' notitle",
                                    c, a, a < 7 ? 1 : series_dash(a), series_colour(a)));
      if (a < 6) {
        labels += fmt::format("set label {} at 0.97,{:.3f} right tc rgb '{}'\n",
                              gnuplot_quote(fmt::format("{:.3f}", mean.area)),
                              0.08 + 0.1 * static_cast<double>(a), series_colour(a));
      }
    }
    f.body += "unset label\n" + labels;
    if (c == 0) {
      std::string names;  // the arms, in their colours, above all panels
      for (std::size_t a = 0; a < summary.arms.size() && a < 8; ++a) {
        const std::size_t columns_of_names = std::min<std::size_t>(summary.arms.size(), 8);
        names += fmt::format("set label {} at screen {:.4f},{:.4f} left tc rgb '{}'\n",
                             gnuplot_quote(shortened(summary.arms[a].name, 20)),
                             0.085 + std::min(0.3, 0.9 / static_cast<double>(columns_of_names)) *
                                         static_cast<double>(a),
                             1 - key / 2, series_colour(a));
      }
      f.body += names;
    }
    f.body += "set title " + gnuplot_quote(shortened(summary.dataset.classes[c], 28)) +
              " offset 0,-0.7\n";
    const bool lowest = c + columns >= panels;
    f.body += lowest ? "set xlabel 'false-positive rate' offset 0,0.3\n" : "unset xlabel\n";
    f.body += c % columns == 0 ? "set ylabel 'sensitivity' offset 1.5\n" : "unset ylabel\n";
    f.body += fmt::format("plot {}\n", fmt::join(clauses, ", "));
  }
  if (!any) return std::nullopt;
  return f;
}

}  // namespace bioptic
