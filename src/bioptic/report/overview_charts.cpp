#include "bioptic/report/overview_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "bioptic/report/overview_words.h"
#include "bioptic/report/text.h"
#include "bioptic/stats/curve_index.h"

namespace bioptic {
namespace {

// Maps data to the panel's pixels of the view box; values outside are cut at its edge.
struct Panel {
  double left = 0, top = 0, width = 0, height = 0;
  double x0 = 0, x1 = 1, y0 = 0, y1 = 1;

  double x(double v) const { return left + width * (v - x0) / (x1 > x0 ? x1 - x0 : 1); }
  double y(double v) const { return top + height * (1 - (std::clamp(v, y0, y1) - y0) / (y1 - y0)); }
};

std::string points(const Panel& p, const std::vector<int>& epochs,
                   const std::vector<double>& values) {
  std::string out;
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    if (std::isnan(values[i])) continue;
    out += fmt::format("{}{:.1f},{:.1f}", out.empty() ? "" : " ", p.x(epochs[i]), p.y(values[i]));
  }
  return out;
}

std::string band(const Panel& p, const std::vector<int>& epochs, const OverviewCurve& c) {
  std::vector<int> there(epochs.rbegin(), epochs.rend());
  const std::vector<double> back(c.low.rbegin(), c.low.rend());
  return points(p, epochs, c.high) + " " + points(p, there, back);
}

std::string curve(const Panel& p, const std::vector<int>& epochs, const OverviewCurve& c,
                  const char* kind) {
  return fmt::format(
      "<polygon class=\"{0} band\" points=\"{1}\"/><polyline class=\"{0}\" points=\"{2}\"/>", kind,
      band(p, epochs, c), points(p, epochs, c.median));
}

std::string label(double x, double y, const char* anchor, const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>", x, y, anchor,
                     text);
}

std::string grid_line(const Panel& p, double value, const std::string& text) {
  return fmt::format(
             "<line class=\"grid\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>",
             p.left, p.left + p.width, p.y(value), p.y(value)) +
         label(p.left - 4, p.y(value) + 3.5, "end", text);
}

std::string epochs_axis(const Panel& p) {
  return label(p.left, p.top + p.height + 13, "start", fmt::format("{:.0f}", p.x0)) +
         label(p.left + p.width, p.top + p.height + 13, "end", fmt::format("{:.0f} epochs", p.x1));
}

// A round number of at least `value`: 1, 2, 2.5 or 5 times a power of ten.
double round_up(double value) {
  if (!(value > 0)) return 1;
  const double unit = std::pow(10, std::floor(std::log10(value)));
  for (const double step : {1.0, 1.5, 2.0, 2.5, 5.0}) {
    if (step * unit >= value) return step * unit;
  }
  return 10 * unit;
}

std::string last_text(const std::vector<double>& values, bool percent) {
  if (values.empty() || std::isnan(values.back())) return "undefined";
  return percent ? percent_text(values.back()) + " %" : fixed_text(values.back(), 3);
}

}  // namespace

ChartScale chart_scale(const StudyOverview& study) {
  ChartScale scale;
  double lowest = 0.9;
  std::vector<double> losses;
  for (const OverviewArm& arm : study.arms) {
    for (const OverviewCurve* c : {&arm.training_accuracy, &arm.validation_accuracy}) {
      for (const double v : c->low) lowest = std::isnan(v) ? lowest : std::min(lowest, v);
    }
    for (const OverviewCurve* c : {&arm.training_loss, &arm.validation_loss}) {
      for (const double v : c->high) {
        if (!std::isnan(v)) losses.push_back(v);
      }
    }
  }
  scale.accuracy_low = std::floor(10 * lowest) / 10;
  // Spikes of the first epochs are not to flatten all that comes after: nine tenths of the points
  // are within two thirds of the height.
  if (!losses.empty()) {
    const double most = *std::max_element(losses.begin(), losses.end());
    scale.loss_high = round_up(std::min(most, 1.5 * linear_quantile(losses, 0.9)));
  }
  return scale;
}

std::string curves_svg(const OverviewArm& arm, const ChartScale& scale) {
  if (arm.epochs.empty()) return "";
  const double first = arm.epochs.front(), last = arm.epochs.back();
  Panel acc{34, 20, 138, 96, first, last, scale.accuracy_low, 1};
  Panel loss{214, 20, 138, 96, first, last, 0, scale.loss_high};
  std::string out = fmt::format(
      "<svg class=\"curves\" viewBox=\"0 0 360 132\" role=\"img\" aria-label=\"Median over {} runs "
      "in the last epoch: training accuracy {}, validation accuracy {}, training loss {}, "
      "validation loss {}\">",
      arm.trials, last_text(arm.training_accuracy.median, true),
      last_text(arm.validation_accuracy.median, true), last_text(arm.training_loss.median, false),
      last_text(arm.validation_loss.median, false));
  const double middle = (scale.accuracy_low + 1) / 2;
  for (const double v : {scale.accuracy_low, middle, 1.0}) {
    out += grid_line(acc, v, fmt::format("{:g}", 100 * v));
  }
  for (const double v : {0.0, scale.loss_high / 2, scale.loss_high}) {
    out += grid_line(loss, v, fmt::format("{:g}", v));
  }
  out += label(acc.left, 11, "start", "accuracy (%)") + label(loss.left, 11, "start", "loss");
  out += epochs_axis(acc) + epochs_axis(loss);
  out += curve(acc, arm.epochs, arm.training_accuracy, "train") +
         curve(acc, arm.epochs, arm.validation_accuracy, "val") +
         curve(loss, arm.epochs, arm.training_loss, "train") +
         curve(loss, arm.epochs, arm.validation_loss, "val");
  return out + "</svg>";
}

std::string accuracy_svg(const OverviewArm& arm, double low, double high) {
  const Panel p{6, 0, 168, 22, low, high, 0, 1};
  std::string out = "<svg class=\"dots\" viewBox=\"0 0 180 22\" aria-hidden=\"true\">";
  out += fmt::format("<line class=\"grid\" x1=\"6\" x2=\"174\" y1=\"11\" y2=\"11\"/>");
  const double from = std::isnan(arm.patients_low) ? arm.seeds_low : arm.patients_low;
  const double to = std::isnan(arm.patients_low) ? arm.seeds_high : arm.patients_high;
  if (!std::isnan(from)) {
    out += fmt::format("<line class=\"bar\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"11\" y2=\"11\"/>",
                       p.x(std::clamp(from, low, high)), p.x(std::clamp(to, low, high)));
  }
  for (const double v : arm.by_seed) {
    out += fmt::format("<circle cx=\"{:.1f}\" cy=\"11\" r=\"2.6\"/>", p.x(v));
  }
  if (!std::isnan(arm.reported)) {
    const double x = p.x(std::clamp(arm.reported, low, high));
    out += fmt::format("<path class=\"cross\" d=\"M{:.1f} 5l8 12m0 -12l-8 12\"/>", x - 4);
  }
  return out + "</svg>";
}

std::string effect_svg(const OverviewClaim& c) {
  if (std::isnan(c.effect) || std::isnan(c.low) || c.verdict == Verdict::not_allowed) return "";
  const double reach =
      1.15 * std::max({std::abs(c.low - c.null_value), std::abs(c.high - c.null_value),
                       std::abs(c.effect - c.null_value), 1e-12});
  const Panel p{4, 0, 112, 18, c.null_value - reach, c.null_value + reach, 0, 1};
  const double from = std::max(c.low, p.x0), to = std::min(c.high, p.x1);
  return fmt::format(
      "<svg class=\"effect {}\" viewBox=\"0 0 120 18\" aria-hidden=\"true\"><line class=\"zero\" "
      "x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"1\" y2=\"17\"/><line class=\"bar\" x1=\"{:.1f}\" "
      "x2=\"{:.1f}\" y1=\"9\" y2=\"9\"/><circle cx=\"{:.1f}\" cy=\"9\" r=\"3.2\"/></svg>",
      claim_name(c.verdict), p.x(c.null_value), p.x(c.null_value), p.x(from), p.x(to),
      p.x(c.effect));
}

}  // namespace bioptic
