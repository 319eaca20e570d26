#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bioptic/report/figures.h"
#include "bioptic/report/tables.h"
#include "bioptic/report/text.h"

namespace bioptic {
namespace {

const SplitPredictions* test_of(const TrialSummary& trial) {
  for (const SplitPredictions& p : trial.result.predictions) {
    if (p.split == "test") return &p;
  }
  return nullptr;
}

// Arms from top to bottom; dots are moved a little in turn so that equal seeds stay visible.
Figure accuracy_figure(const StudySummary& summary) {
  Figure f;
  f.name = "test-accuracy";
  const std::size_t n = summary.arms.size();
  f.height_mm = 22 + 9.0 * static_cast<double>(n);
  f.caption =
      "Test accuracy: every seed (dots), mean and 95 % t interval over seeds (diamond and bar)";
  std::string dots = "$dots << EOD\n", means = "$means << EOD\n", reports = "$reports << EOD\n";
  std::string tics;
  bool any_report = false, any_interval = false, any_dot = false;
  std::size_t longest_name = 0;
  for (std::size_t a = 0; a < n; ++a) {
    const ArmSummary& arm = summary.arms[a];
    const double y = static_cast<double>(n - a);
    tics += fmt::format("{}{} {}", tics.empty() ? "" : ", ", gnuplot_tic(arm.name), y);
    longest_name = std::max(longest_name, display_width(arm.name));
    for (std::size_t s = 0; s < arm.trials.size(); ++s) {
      const TrialSummary& t = arm.trials[s];
      if (!std::isfinite(t.result.test_accuracy)) continue;
      const double shift = 0.06 * (static_cast<double>(s % 5) - 2);
      dots += fmt::format("{} {} {}\n", number_text(100 * t.result.test_accuracy), y - 0.22 + shift,
                          t.result.status == TrialStatus::collapsed ? 1 : 0);
      any_dot = true;
    }
    if (const auto m = arm.metrics.find("test_accuracy"); m != arm.metrics.end()) {
      const bool interval = std::isfinite(m->second.low);
      any_interval = true;
      means += fmt::format("{} {} {} {}\n", number_text(100 * m->second.mean), y + 0.12,
                           number_text(100 * (interval ? m->second.low : m->second.mean)),
                           number_text(100 * (interval ? m->second.high : m->second.mean)));
    }
    if (const auto r = arm.reported.find("test_accuracy"); r != arm.reported.end()) {
      reports += fmt::format("{} {}\n", number_text(100 * r->second), y + 0.12);
      any_report = true;
    }
  }
  f.caption += any_report ? "; cross: the number that the report gave." : ".";
  const double left = std::min(0.45, (6 + 1.55 * static_cast<double>(longest_name)) / f.width_mm);
  const bool any_collapsed = std::any_of(summary.arms.begin(), summary.arms.end(),
                                         [](const ArmSummary& arm) { return arm.collapsed > 0; });
  // The key stands above the plot, in a second row from the fourth entry on.
  const double key_mm = any_collapsed && any_report ? 11 : 6;
  f.height_mm += key_mm - 6;
  f.body = dots + "EOD\n" + means + "EOD\n" + reports + "EOD\n";
  f.body += fmt::format(
      "set lmargin at screen {:.3f}\nset rmargin at screen 0.96\nset bmargin at screen {:.3f}\n"
      "set tmargin at screen {:.3f}\nset yrange [0.4:{}]\nset ytics ({})\n",
      left, 11 / f.height_mm, 1 - key_mm / f.height_mm, static_cast<double>(n) + 0.6, tics);
  f.body +=
      "set xlabel 'test accuracy (%)' offset 0,0.5\nset offsets graph 0.05, graph 0.05, 0, 0\n"
      "set key at screen 0.97, screen 0.995 top right horizontal maxrows 1 samplen 1 width -1\n"
      "set bars 0\nplot ";
  std::vector<std::string> plots;
  if (any_dot) {
    plots.push_back(
        "$dots using ($3==0?$1:NaN):2 with points pt 7 ps 0.3 lc rgb '#0072B2' title 'seed'");
    if (any_collapsed) {
      plots.push_back(
          "$dots using ($3==1?$1:NaN):2 with points pt 6 ps 0.4 lw 0.8 lc rgb '#D55E00' "
          "title 'collapsed'");
    }
  }
  if (any_interval) {
    plots.push_back(
        "$means using 1:2:3:4 with xerrorbars pt 13 ps 0.6 lw 1.2 lc rgb '#000000' "
        "title 'mean, 95 %'");
  }
  if (any_report) {
    plots.push_back(
        "$reports using 1:2 with points pt 2 ps 0.6 lw 1.2 lc rgb '#CC79A7' title "
        "'reported'");
  }
  f.body += fmt::format("{}", fmt::join(plots, ", "));
  return f;
}

// More panels make no figure that is looked at; three stand in a row.
constexpr std::size_t kMostConfusions = 30;

// Mean counts over seeds; one panel an arm.
Figure confusion_figure(const StudySummary& summary) {
  Figure f;
  f.name = "confusion";
  const std::size_t classes = summary.dataset.classes.size();
  std::vector<const ArmSummary*> arms;
  for (const ArmSummary& arm : summary.arms) {
    if (!arm.trials.empty()) arms.push_back(&arm);
  }
  const std::size_t all = arms.size();
  arms.resize(std::min(all, kMostConfusions));
  const std::size_t columns = arms.size() == 1 ? 1 : arms.size() <= 4 ? 2 : 3;
  const std::size_t rows = (arms.size() + columns - 1) / columns;
  f.width_mm = columns == 1 ? 85 : 170;
  const double panel = f.width_mm / static_cast<double>(columns);
  f.height_mm = std::min((classes > 6 ? 0.85 : 0.72) * panel, classes > 6 ? 75.0 : 60.0) *
                    static_cast<double>(rows) +
                4;
  f.caption =
      "Confusion matrices on the test images: mean count over seeds, rows are true classes; "
      "shade: share of the row.";
  if (all > arms.size()) {
    f.caption += fmt::format(" The first {} of {} arms; the counts of all are in summary.json.",
                             arms.size(), all);
  }
  f.body = fmt::format("set multiplot layout {},{}\n", rows, columns);
  f.body +=
      "unset key\nunset colorbox\nunset grid\nset border 15\n"
      "set palette defined (0 '#ffffff', 1 '#56B4E9')\nset cbrange [0:1]\n"
      "set xlabel 'predicted' offset 0,0.6\nset ylabel 'true' offset 0.5\n"
      "set lmargin 13\nset rmargin 2\nset tmargin 2\nset bmargin 3.2\n";
  std::string tics;
  for (std::size_t c = 0; c < classes; ++c) {
    tics += fmt::format("{}{} {}", c == 0 ? "" : ", ",
                        gnuplot_tic(shortened(summary.dataset.classes[c], 12)), c);
  }
  // Names of a few letters stand side by side; longer ones of many classes lie across.
  std::size_t longest = 0;
  for (const std::string& name : summary.dataset.classes) {
    longest = std::max(longest, display_width(name));
  }
  const bool across = classes > 3 && longest > 3;
  f.body += fmt::format("set xtics ({0}) scale 0 {1}\nset ytics ({0}) scale 0\n", tics,
                        across ? "rotate by 45 right" : "");
  if (across) {
    f.body += fmt::format("set bmargin {:.1f}\nset xlabel 'predicted' offset 0,{:.1f}\n",
                          2.5 + 0.35 * static_cast<double>(std::min<std::size_t>(longest, 12)),
                          -0.25 * static_cast<double>(std::min<std::size_t>(longest, 12)) + 0.9);
  }
  f.body += fmt::format("set xrange [-0.5:{0}]\nset yrange [{0}:-0.5]\n",
                        static_cast<double>(classes) - 0.5);
  for (std::size_t a = 0; a < arms.size(); ++a) {
    std::vector<double> counts(classes * classes);
    for (const TrialSummary& t : arms[a]->trials) {
      const SplitPredictions* p = test_of(t);
      if (p == nullptr) continue;
      for (std::size_t i = 0; i < p->rows.size(); ++i) {
        const int predicted = predicted_label(
            arms[a]->loss, static_cast<int>(classes), summary.positive, t.result.threshold,
            &p->logits[i * static_cast<std::size_t>(arms[a]->outputs)]);
        counts[static_cast<std::size_t>(summary.images[p->rows[i]].label) * classes +
               confusion_column(predicted, summary.images[p->rows[i]].label,
                                static_cast<int>(classes))] += 1;
      }
    }
    f.body += fmt::format("$c{} << EOD\n", a);
    for (std::size_t r = 0; r < classes; ++r) {
      double total = 0;
      for (std::size_t c = 0; c < classes; ++c) total += counts[r * classes + c];
      for (std::size_t c = 0; c < classes; ++c) {
        const double mean = counts[r * classes + c] / static_cast<double>(arms[a]->trials.size());
        f.body += fmt::format("{} {} {} {:.1f}\n", c, r,
                              total > 0 ? counts[r * classes + c] / total : 0, mean);
      }
    }
    f.body += "EOD\nset title " + gnuplot_quote(arms[a]->name) + " offset 0,-0.7\n";
    f.body += fmt::format("plot $c{0} using 1:2:3 with image pixels", a);
    if (classes <= 12) {  // many: smaller, and nothing where nothing is
      f.body += classes <= 6
                    ? fmt::format(", $c{} using 1:2:(sprintf('%.1f', $4)) with labels", a)
                    : fmt::format(
                          ", $c{} using 1:2:($4>0?sprintf('%.1f', $4):'') with labels font "
                          "',5'",
                          a);
    }
    f.body += "\n";
  }
  return f;
}

}  // namespace

std::vector<Figure> test_figures(const StudySummary& summary) {
  const bool any = std::any_of(summary.arms.begin(), summary.arms.end(),
                               [](const ArmSummary& arm) { return !arm.trials.empty(); });
  if (!any) return {};
  return {accuracy_figure(summary), confusion_figure(summary)};
}

}  // namespace bioptic
