#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <utility>

#include "bioptic/report/figures.h"
#include "bioptic/report/text.h"

namespace bioptic {
namespace {

using Value = std::function<double(const EpochRecord&)>;

double train_accuracy(const EpochRecord& e) { return 100 * e.train_accuracy; }
double val_accuracy(const EpochRecord& e) { return 100 * e.val_accuracy; }
double train_loss(const EpochRecord& e) { return e.train_loss; }
double val_loss(const EpochRecord& e) { return e.val_loss; }

std::string plottable(double value) { return std::isfinite(value) ? number_text(value) : "NaN"; }

std::size_t longest(const ArmSummary& arm) {
  std::size_t epochs = 0;
  for (const TrialSummary& t : arm.trials) epochs = std::max(epochs, t.result.history.size());
  return epochs;
}

// A data block: epoch, mean, smallest, largest over seeds; then, two empty lines apart, each seed
// that is drawn.
std::string curve_block(const std::string& name, const ArmSummary& arm, const Value& value) {
  std::string out = "$" + name + " << EOD\n";
  for (std::size_t e = 0; e < longest(arm); ++e) {
    double sum = 0, low = std::numeric_limits<double>::infinity(), high = -low, count = 0;
    for (const TrialSummary& t : arm.trials) {
      if (e >= t.result.history.size()) continue;
      const double v = value(t.result.history[e]);
      if (!std::isfinite(v)) continue;
      sum += v;
      low = std::min(low, v);
      high = std::max(high, v);
      count += 1;
    }
    if (count > 0) {
      out += fmt::format("{} {} {} {}\n", e + 1, number_text(sum / count), number_text(low),
                         number_text(high));
    } else {
      out += fmt::format("{} NaN NaN NaN\n", e + 1);
    }
  }
  for (std::size_t k = 0; k < std::min(arm.trials.size(), kMostSingleSeeds); ++k) {
    out += "\n\n";
    for (const EpochRecord& record : arm.trials[k].result.history) {
      out += fmt::format("{} {}\n", record.epoch, plottable(value(record)));
    }
  }
  return out + "EOD\n";
}

// Band, faint seeds and mean of one block; `label` "" = not in the key.
std::string curve_plot(const std::string& block, std::size_t seeds, std::size_t series,
                       const std::string& label, bool single_seeds) {
  const std::string colour = series_colour(series);
  std::string out;
  if (seeds > 1) {
    out += fmt::format(
        "${} index 0 using 1:3:4 with filledcurves fc rgb '{}' fs transparent solid 0.15 noborder "
        "notitle, ",
        block, colour);
  }
  if (single_seeds && seeds > 1) {
    const std::string faint = "#99" + colour.substr(1);  // 60 % transparent
    out += fmt::format("for [i=1:{}] ${} index i using 1:2 with lines lw 0.4 lc rgb '{}' notitle, ",
                       std::min(seeds, kMostSingleSeeds), block, faint);
  }
  out += fmt::format("${} index 0 using 1:2 with lines lw 1.3 dt {} lc rgb '{}' {}", block,
                     series_dash(series), colour,
                     label.empty() ? "notitle" : "title " + gnuplot_quote(label));
  return out;
}

// The range of epochs: one epoch still needs a width.
std::string epoch_axis(std::size_t epochs) {
  return fmt::format("set xrange [{}:{}]\n", epochs > 1 ? 1 : 0, std::max<std::size_t>(epochs, 2));
}

// Losses range over orders of magnitude when an arm collapses; up to there a plain axis reads best.
std::string loss_axis(const std::vector<const ArmSummary*>& arms,
                      const std::vector<Value>& values) {
  double high = 0;
  for (const ArmSummary* arm : arms) {
    for (const TrialSummary& t : arm->trials) {
      for (const EpochRecord& e : t.result.history) {
        for (const Value& v : values) {
          if (std::isfinite(v(e))) high = std::max(high, v(e));
        }
      }
    }
  }
  return high > 3 ? "set logscale y\nset yrange [*:*]\nset format y '%g'\n" : "set yrange [0:*]\n";
}

std::string band_words(std::size_t seeds) {
  return seeds > 1 ? fmt::format("Line: mean over {} seeds; band: smallest to largest", seeds)
                   : std::string("One seed");
}

Figure arm_figure(const ArmSummary& arm) {
  Figure f;
  f.name = "arm-" + file_part(arm.name);
  f.one_of_many = true;
  f.height_mm = 106;
  const std::size_t seeds = arm.trials.size();
  f.caption = fmt::format(
      "{}: accuracy and loss by epoch, training (running mean of the epoch) and "
      "validation. {}{}.",
      arm.name, band_words(seeds), seeds > 1 ? "; thin lines: " + single_seeds_words(seeds) : "");
  f.body = curve_block("ta", arm, train_accuracy) + curve_block("va", arm, val_accuracy) +
           curve_block("tl", arm, train_loss) + curve_block("vl", arm, val_loss);
  f.body += "set multiplot layout 2,1 margins 0.17,0.97,0.10,0.89 spacing 0.09\n";
  f.body += epoch_axis(longest(arm));
  f.body += "set ylabel 'accuracy (%)' offset 0.5\nset key outside above maxcols 2\nset title " +
            gnuplot_quote(arm.name) + " offset 0,-0.6\nplot ";
  f.body += curve_plot("ta", seeds, 0, "training", true) + ", " +
            curve_plot("va", seeds, 1, "validation", true) + "\n";
  f.body +=
      "unset title\nunset key\nset xlabel 'epoch' offset 0,0.3\nset ylabel 'loss' offset 0.5\n" +
      loss_axis({&arm}, {train_loss, val_loss}) + "plot ";
  f.body += curve_plot("tl", seeds, 0, "training", true) + ", " +
            curve_plot("vl", seeds, 1, "validation", true);
  return f;
}

// Two panels over all arms; the key stands above the upper one.
Figure all_arms_figure(const StudySummary& summary, const std::string& name,
                       const std::string& split, const Value& accuracy, const Value& loss) {
  Figure f;
  f.name = name;
  const std::size_t rows = (summary.arms.size() + 1) / 2;
  const double key_mm = 4.0 * static_cast<double>(rows) + 2;
  f.height_mm = 95 + key_mm;
  f.caption = fmt::format(
      "All arms: {} accuracy and loss by epoch. Line: mean over seeds; band: "
      "smallest to largest.",
      split);
  std::vector<const ArmSummary*> arms;
  std::size_t epochs = 0;
  std::string top, bottom;
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    const ArmSummary& arm = summary.arms[a];
    if (arm.trials.empty()) continue;
    arms.push_back(&arm);
    epochs = std::max(epochs, longest(arm));
    const std::string acc = fmt::format("a{}", a), los = fmt::format("l{}", a);
    f.body += curve_block(acc, arm, accuracy) + curve_block(los, arm, loss);
    top += (top.empty() ? "" : ", ") + curve_plot(acc, arm.trials.size(), a, arm.name, false);
    bottom += (bottom.empty() ? "" : ", ") + curve_plot(los, arm.trials.size(), a, "", false);
  }
  const double top_margin = 1 - key_mm / f.height_mm;
  f.body += fmt::format("set multiplot layout 2,1 margins 0.17,0.97,0.11,{:.3f} spacing 0.07\n",
                        top_margin);
  f.body += epoch_axis(epochs);
  f.body += "set key outside above maxcols 2\nset ylabel '" + split +
            " accuracy (%)' offset 0.5\nplot " + top + "\n";
  f.body += "unset key\nset xlabel 'epoch' offset 0,0.3\nset ylabel '" + split +
            " loss' offset 0.5\n" + loss_axis(arms, {loss}) + "plot " + bottom;
  return f;
}

Figure learning_rate_figure(const StudySummary& summary) {
  std::vector<ScheduleCurve> curves;
  Figure f;
  f.name = "learning-rate";
  const std::size_t key_rows = (summary.arms.size() + 1) / 2;
  f.height_mm = 55 + 4.0 * static_cast<double>(key_rows);
  f.caption = "Learning rate of every arm at the end of each epoch (first seed).";
  std::string plots;
  std::size_t epochs = 1;
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    const ArmSummary& arm = summary.arms[a];
    if (arm.trials.empty()) continue;
    f.body += fmt::format("$r{} << EOD\n", a);
    for (const EpochRecord& e : arm.trials.front().result.history) {
      f.body += fmt::format("{} {}\n", e.epoch, plottable(e.lr));
    }
    f.body += "EOD\n";
    epochs = std::max(epochs, longest(arm));
    plots += fmt::format("{}$r{} using 1:2 with lines lw 1.3 dt {} lc rgb '{}' title {}",
                         plots.empty() ? "" : ", ", a, series_dash(a), series_colour(a),
                         gnuplot_quote(arm.name));
  }
  f.body += epoch_axis(epochs);
  f.body +=
      "set key outside above maxcols 2\nset xlabel 'epoch' offset 0,0.3\nset ylabel 'learning "
      "rate' offset 1\nset format y '%g'\nset yrange [0:*]\nplot " +
      plots;
  return f;
}

}  // namespace

std::string single_seeds_words(std::size_t seeds) {
  return seeds > kMostSingleSeeds ? fmt::format("the first {} seeds", kMostSingleSeeds)
                                  : std::string("single seeds");
}

std::vector<Figure> curve_figures(const StudySummary& summary) {
  std::vector<Figure> figures;
  const bool any = std::any_of(summary.arms.begin(), summary.arms.end(),
                               [](const ArmSummary& arm) { return !arm.trials.empty(); });
  if (!any) return figures;
  figures.push_back(all_arms_figure(summary, "validation", "validation", val_accuracy, val_loss));
  figures.push_back(all_arms_figure(summary, "training", "training", train_accuracy, train_loss));
  figures.push_back(learning_rate_figure(summary));
  std::set<std::string> names;
  for (const ArmSummary& arm : summary.arms) {
    if (arm.trials.empty()) continue;
    figures.push_back(arm_figure(arm));
    // Two arms may be written alike as names of files: "a 1" and "a_1".
    std::string& name = figures.back().name;
    const std::string own = name;
    for (int k = 2; !names.insert(name).second; ++k) name = fmt::format("{}-{}", own, k);
  }
  return figures;
}

void write_schedule_figure(const std::vector<ScheduleCurve>& curves,
                           const std::filesystem::path& stem) {
  Figure f;
  const bool momentum = std::any_of(curves.begin(), curves.end(),
                                    [](const ScheduleCurve& c) { return !c.momentum.empty(); });
  const std::size_t key_rows = (curves.size() + 1) / 2;
  const double key_mm = 4.0 * static_cast<double>(key_rows) + 2;
  f.height_mm = (momentum ? 95 : 55) + key_mm;
  std::string rates, momenta;
  for (std::size_t c = 0; c < curves.size(); ++c) {
    f.body += fmt::format("$s{} << EOD\n", c);
    for (std::size_t i = 0; i < curves[c].epoch.size(); ++i) {
      f.body +=
          fmt::format("{} {} {}\n", number_text(curves[c].epoch[i]), number_text(curves[c].lr[i]),
                      curves[c].momentum.empty() ? "NaN" : number_text(curves[c].momentum[i]));
    }
    f.body += "EOD\n";
    const std::string style =
        fmt::format("with lines lw 1.3 dt {} lc rgb '{}'", series_dash(c), series_colour(c));
    rates += fmt::format("{}$s{} using 1:2 {} title {}", rates.empty() ? "" : ", ", c, style,
                         gnuplot_quote(curves[c].arm));
    if (!curves[c].momentum.empty()) {
      momenta += fmt::format("{}$s{} using 1:3 {} notitle", momenta.empty() ? "" : ", ", c, style);
    }
  }
  f.body += fmt::format("set multiplot layout {},1 margins 0.18,0.97,{},{:.3f} spacing 0.07\n",
                        momentum ? 2 : 1, momentum ? 0.11 : 0.18, 1 - key_mm / f.height_mm);
  f.body +=
      "set key outside above maxcols 2\nset format y '%g'\nset yrange [0:*]\n"
      "set ylabel 'learning rate' offset 0.5\n";
  if (!momentum) f.body += "set xlabel 'epoch' offset 0,0.3\n";
  f.body += "plot " + rates + "\n";
  if (momentum) {
    f.body +=
        "unset key\nset yrange [*:*]\nset xlabel 'epoch' offset 0,0.3\nset ylabel 'momentum or "
        "beta1' offset 0.5\nplot " +
        momenta;
  }
  write_figure(std::move(f), stem);
}

}  // namespace bioptic
