// Figures in which one sees why an arm is called steadier than another.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "bioptic/report/figures.h"
#include "bioptic/report/text.h"
#include "bioptic/study/claim_values.h"
#include "bioptic/study/steadiness.h"

namespace bioptic {
namespace {

constexpr std::size_t kMostArms = 8;   // rows of one figure
constexpr std::size_t kMostSeeds = 3;  // curves of single seeds in one row: more hide each other

// The curve that a figure is about, with the arms and the claims it belongs to.
struct Subject {
  ClaimSpec curve;
  std::vector<std::string> claims, arms;
};

bool same_curve(const ClaimSpec& a, const ClaimSpec& b) {
  return a.split == b.split && a.metric == b.metric && a.value == b.value &&
         a.first_epoch == b.first_epoch && a.last_epoch == b.last_epoch;
}

void add_subject(std::vector<Subject>& subjects, const ClaimSpec& claim, const std::string& id) {
  const auto known = std::find_if(subjects.begin(), subjects.end(),
                                  [&](const Subject& s) { return same_curve(s.curve, claim); });
  const bool fresh = known == subjects.end();
  Subject& subject = fresh ? subjects.emplace_back() : *known;
  if (fresh) subject.curve = claim;
  if (std::find(subject.claims.begin(), subject.claims.end(), id) == subject.claims.end()) {
    subject.claims.push_back(id);
  }
  for (const std::string& arm : claim.arms) {
    if (std::find(subject.arms.begin(), subject.arms.end(), arm) == subject.arms.end()) {
      subject.arms.push_back(arm);
    }
  }
}

// What claims speak of; without any, the step spread of the validation accuracy of all arms.
std::vector<Subject> subjects_of(const StudySummary& summary) {
  std::vector<Subject> subjects;
  for (const ClaimResult& claim : summary.claims) {
    if (is_steadiness(claim.spec.value)) add_subject(subjects, claim.spec, claim.spec.id);
    for (const ClaimSpec& part : claim.spec.parts) {
      if (is_steadiness(part.value)) add_subject(subjects, part, claim.spec.id);
    }
  }
  if (subjects.empty()) {
    ClaimSpec curve;
    curve.split = "val";
    curve.value = CurveValue::step_spread;
    for (const ArmSummary& arm : summary.arms) curve.arms.push_back(arm.name);
    subjects.push_back({curve, {}, curve.arms});
  }
  return subjects;
}

std::string plottable(double value) { return std::isfinite(value) ? number_text(value) : "NaN"; }

// Curves and their steps of the first seeds of an arm: blocks of "epoch value" two lines apart.
struct Blocks {
  std::string curves, steps;
  std::size_t count = 0;
  double largest_step = 0;
  double low = std::numeric_limits<double>::infinity(), high = -low;
};
Blocks blocks_of(const ArmSummary& arm, const ClaimSpec& curve, double scale) {
  Blocks b;
  for (const TrialSummary& trial : arm.trials) {
    if (b.count == kMostSeeds) break;
    const std::vector<double> y = claim_curve(trial, curve);
    if (y.size() < 2) continue;
    if (b.count++ > 0) {
      b.curves += "\n\n";
      b.steps += "\n\n";
    }
    for (std::size_t e = 0; e < y.size(); ++e) {
      const int epoch = curve.first_epoch + static_cast<int>(e);
      b.curves += fmt::format("{} {}\n", epoch, plottable(scale * y[e]));
      if (std::isfinite(y[e])) {
        b.low = std::min(b.low, scale * y[e]);
        b.high = std::max(b.high, scale * y[e]);
      }
      if (e == 0) continue;
      const double step = scale * (y[e] - y[e - 1]);
      b.steps += fmt::format("{} {}\n", epoch, plottable(step));
      if (std::isfinite(step)) b.largest_step = std::max(b.largest_step, std::abs(step));
    }
  }
  return b;
}

struct Dots {
  std::string seeds, means;
  double largest = 0;
};
Dots dots_of(const std::vector<Steadiness>& rows, double scale) {
  Dots d;
  for (std::size_t a = 0; a < rows.size(); ++a) {
    const Steadiness& row = rows[a];
    const auto n = static_cast<double>(row.seeds.size());
    for (std::size_t k = 0; k < row.seeds.size(); ++k) {
      const double value = scale * row.seeds[k].value;
      // Side by side in the order of seeds, so that equal values stay apart and pairs can be seen.
      const double x =
          static_cast<double>(a) + 0.3 * (n > 1 ? 2 * static_cast<double>(k) / (n - 1) - 1 : 0);
      d.seeds += fmt::format("{} {} {}\n", number_text(x), plottable(value), a);
      if (std::isfinite(value)) d.largest = std::max(d.largest, value);
    }
    const MetricSummary& m = row.over_seeds;
    if (!std::isnan(m.low)) {
      d.means += fmt::format("{} {} {} {}\n", a, number_text(scale * m.mean),
                             number_text(scale * m.low), number_text(scale * m.high));
      d.largest = std::max(d.largest, scale * m.high);
    }
  }
  return d;
}

std::string screen(double left, double right, double bottom, double top) {
  return fmt::format(
      "set lmargin at screen {:.4f}\nset rmargin at screen {:.4f}\nset bmargin at screen {:.4f}\n"
      "set tmargin at screen {:.4f}\n",
      left, right, bottom, top);
}

// Curves of one trial each in shades of the arm's colour.
std::string seed_plots(const std::string& block, std::size_t count, std::size_t series,
                       const char* with) {
  static constexpr const char* kAlpha[kMostSeeds] = {"00", "70", "a8"};
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out += fmt::format("{}${} index {} using 1:2 with {} lc rgb '#{}{}' notitle", i > 0 ? ", " : "",
                       block, i, with, kAlpha[i], series_colour(series).substr(1));
  }
  return out;
}

Figure steadiness_figure(const StudySummary& summary, const Subject& subject,
                         const std::vector<Steadiness>& all, std::size_t number) {
  std::vector<const ArmSummary*> arms;
  std::vector<std::size_t> series;
  for (std::size_t a = 0; a < summary.arms.size() && arms.size() < kMostArms; ++a) {
    const ArmSummary& arm = summary.arms[a];
    const bool wanted =
        std::find(subject.arms.begin(), subject.arms.end(), arm.name) != subject.arms.end();
    if (!wanted || arm.trials.empty()) continue;
    arms.push_back(&arm);
    series.push_back(a);
  }
  const ClaimSpec& curve = subject.curve;
  std::vector<Steadiness> rows;
  for (const ArmSummary* arm : arms) {
    for (const Steadiness& row : all) {
      if (row.arm == arm->name && row.split == curve.split && row.metric == curve.metric &&
          row.index == curve.value &&
          row.window == EpochWindow{curve.first_epoch, curve.last_epoch}) {
        rows.push_back(row);
      }
    }
  }
  const bool points = curve.metric == "accuracy";
  const double scale = points ? 100 : 1;
  ClaimSpec plain = curve;
  plain.value = CurveValue::end;
  std::string what = quantity_words(plain), index = name_of(curve.value);
  std::replace(index.begin(), index.end(), '_', ' ');

  Figure f;
  f.name = number == 0 ? "steadiness" : fmt::format("steadiness-{}", number + 1);
  f.width_mm = 170;
  const double row_mm = 26, bottom_mm = 13, top_mm = 8;
  f.height_mm =
      bottom_mm + top_mm + row_mm * static_cast<double>(std::max<std::size_t>(2, arms.size()));
  f.caption = fmt::format(
      "Why an arm is called steadier{}: {} by epoch ({} first seeds of each arm), its steps from "
      "epoch to epoch, and the {} of every seed, with its mean and 95 % interval; smaller is "
      "steadier.",
      subject.claims.empty() ? "" : fmt::format(" (claim {})", fmt::join(subject.claims, ", ")),
      what, kMostSeeds, quantity_words(curve));

  double largest_step = 0, low = std::numeric_limits<double>::infinity(), high = -low;
  std::vector<Blocks> blocks;
  for (const ArmSummary* arm : arms) {
    blocks.push_back(blocks_of(*arm, curve, scale));
    largest_step = std::max(largest_step, blocks.back().largest_step);
    low = std::min(low, blocks.back().low);
    high = std::max(high, blocks.back().high);
  }
  const std::string unit = points ? " (points)" : "";
  // One range for all arms, or the eye compares scales.
  const double room = high > low ? 0.05 * (high - low) : 1;
  const std::string curve_range =
      high >= low
          ? fmt::format("set yrange [{}:{}]\n", number_text(low - room), number_text(high + room))
          : std::string("set autoscale y\n");
  const double h = f.height_mm;
  f.body =
      "set multiplot\nunset key\nset xtics nomirror\nset ytics nomirror autofreq\nset mytics 1\n";
  for (std::size_t a = 0; a < arms.size(); ++a) {
    f.body += fmt::format("$c{0} << EOD\n{1}EOD\n$d{0} << EOD\n{2}EOD\n", a, blocks[a].curves,
                          blocks[a].steps);
    const double top = 1 - (top_mm + row_mm * static_cast<double>(a)) / h;
    const double bottom = top - (row_mm - 5) / h;
    const bool last = a + 1 == arms.size();
    f.body += last ? "set format x '%g'\nset xlabel 'epoch' offset 0,0.3\n"
                   : "set format x ''\nunset xlabel\n";
    f.body += screen(0.085, 0.335, bottom, top);
    f.body += fmt::format("set title {} offset 0,-0.7\nset ylabel {} offset 1\n",
                          gnuplot_quote(arms[a]->name),
                          gnuplot_quote(points ? "accuracy (%)" : curve.metric));
    f.body += curve_range;
    if (a > 0) f.body += "unset ylabel\n";
    if (blocks[a].count > 0) {
      f.body += "plot " +
                seed_plots(fmt::format("c{}", a), blocks[a].count, series[a], "lines lw 1.2 dt 1") +
                "\n";
    }
    f.body += screen(0.405, 0.655, bottom, top);
    f.body += fmt::format("unset title\nset ylabel 'step{}' offset 1\n", unit);
    if (a > 0) f.body += "unset ylabel\n";
    const double range = largest_step > 0 ? 1.1 * largest_step : 1;
    f.body += fmt::format("set yrange [-{0}:{0}]\n", number_text(range));
    if (blocks[a].count > 0) {
      f.body += "plot 0 with lines lw 0.4 lc rgb '#808080' notitle, " +
                seed_plots(fmt::format("d{}", a), blocks[a].count, series[a],
                           "linespoints lw 0.8 dt 1 pt 7 ps 0.25") +
                "\n";
    }
  }
  const Dots dots = dots_of(rows, scale);
  f.body += fmt::format("$s << EOD\n{}EOD\n$m << EOD\n{}EOD\n", dots.seeds, dots.means);
  f.body += screen(0.735, 0.985, bottom_mm / h + 5 / h, 1 - top_mm / h);
  f.body += fmt::format(
      "unset title\nset format x '%g'\nunset xlabel\nset ylabel {} offset 1\nset yrange [0:{}]\n"
      "set xrange [-0.6:{}]\nset xtics rotate by 25 right (",
      gnuplot_quote(index + unit), number_text(dots.largest > 0 ? 1.08 * dots.largest : 1),
      number_text(static_cast<double>(arms.size()) - 0.4));
  for (std::size_t a = 0; a < arms.size(); ++a) {
    f.body +=
        fmt::format("{}{} {}", a > 0 ? ", " : "", gnuplot_tic(shortened(arms[a]->name, 14)), a);
  }
  f.body += ")\nplot ";
  for (std::size_t a = 0; a < arms.size(); ++a) {
    f.body += fmt::format(
        "$s using 1:($3=={} ? $2 : NaN) with points pt 7 ps 0.45 lc rgb '#60{}' notitle, ", a,
        series_colour(series[a]).substr(1));
  }
  if (dots.means.empty()) {
    f.body += "NaN notitle";
  } else {
    f.body += "$m using 1:2:3:4 with yerrorbars pt 5 ps 0.5 lw 1.2 lc rgb '#000000' notitle";
  }
  return f;
}

}  // namespace

std::vector<Figure> steadiness_figures(const StudySummary& summary) {
  std::vector<Figure> figures;
  const bool any = std::any_of(summary.arms.begin(), summary.arms.end(), [](const ArmSummary& arm) {
    return !arm.trials.empty() && arm.trials.front().result.history.size() > 2;
  });
  if (!any) return figures;
  const std::vector<Steadiness> all = steadiness(summary);
  std::size_t number = 0;
  for (const Subject& subject : subjects_of(summary)) {
    figures.push_back(steadiness_figure(summary, subject, all, number++));
  }
  return figures;
}

}  // namespace bioptic
