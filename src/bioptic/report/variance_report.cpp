#include "bioptic/report/variance_report.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "bioptic/report/text.h"

namespace bioptic {
namespace {

using nlohmann::json;

json number(double value) { return std::isfinite(value) ? json(value) : json(); }

// Standard deviation in percentage points.
std::string points(double variance) { return fixed_text(100 * std::sqrt(variance), 2); }

std::string words(const std::string& metric) {
  if (metric == "test_accuracy") return "test accuracy";
  if (metric == "test_auroc") return "test AUROC";
  if (metric == "val_accuracy") return "validation accuracy";
  if (metric == "holdout_accuracy") return "hold-out accuracy";
  return metric;
}

json metric_json(const MetricVariance& metric) {
  json parts = json::array();
  for (std::size_t c = 0; c < kComponents; ++c) {
    const VarianceComponent& part = metric.parts.components[c];
    parts.push_back({{"source", kComponentNames[c]},
                     {"df", part.degrees_of_freedom},
                     {"mean_square", part.mean_square},
                     {"estimate", part.estimate},
                     {"variance", part.variance},
                     {"share", number(part.share)},
                     {"low", part.low},
                     {"high", number(part.high)}});
  }
  return {{"metric", metric.metric},
          {"mean", metric.parts.mean},
          {"variance", metric.parts.total},
          {"components", parts}};
}

std::string metric_table(const MetricVariance& metric) {
  std::string out = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>{}</th><th>share of variance "
      "%</th><th>standard deviation, points</th><th>95 % interval</th><th>degrees of "
      "freedom</th></tr></thead><tbody>\n",
      words(metric.metric));
  for (std::size_t c = 0; c < kComponents; ++c) {
    const VarianceComponent& part = metric.parts.components[c];
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{} to {}</td><td>{}</td></tr>\n",
                       kComponentNames[c], percent_text(part.share, 0), points(part.variance),
                       points(part.low), points(part.high), part.degrees_of_freedom);
  }
  return out +
         fmt::format("<tr><td>all</td><td></td><td>{}</td><td></td><td></td></tr>\n",
                     points(metric.parts.total)) +
         "</tbody></table></div>\n";
}

}  // namespace

json variance_json(const StudySummary& summary) {
  if (summary.variance.empty()) return {};
  json arms = json::array();
  for (const ArmVariance& arm : summary.variance) {
    json metrics = json::array();
    for (const MetricVariance& metric : arm.metrics) metrics.push_back(metric_json(metric));
    arms.push_back(
        {{"arm", arm.arm},
         {"seeds", {{"split", arm.levels[0]}, {"init", arm.levels[1]}, {"order", arm.levels[2]}}},
         {"metrics", metrics},
         {"reason", arm.reason},
         {"sentence", arm.sentence}});
  }
  return {{"arms", arms}};
}

std::string variance_text(const StudySummary& summary) {
  if (summary.variance.empty()) return "";
  std::string out = "Where the chance comes from\n";
  for (const ArmVariance& arm : summary.variance) {
    out += "  " + arm.arm + ": " + (arm.metrics.empty() ? arm.reason : arm.sentence) + "\n";
    if (arm.metrics.empty()) continue;
    const VarianceComponents& parts = arm.metrics.front().parts;
    for (std::size_t c = 0; c < kComponents; ++c) {
      out += fmt::format("    {:22} {:>4} %  sd {} points  [{}, {}]\n", kComponentNames[c],
                         percent_text(parts.components[c].share, 0),
                         points(parts.components[c].variance), points(parts.components[c].low),
                         points(parts.components[c].high));
    }
  }
  return out;
}

std::string variance_html(const StudySummary& summary) {
  if (summary.variance.empty()) return "";
  std::string out = "<h2 id=\"variance\">Where the chance comes from</h2>\n";
  for (const ArmVariance& arm : summary.variance) {
    out += "<p><strong>" + html_escape(arm.arm) + ".</strong> " +
           html_escape(arm.metrics.empty() ? arm.reason : arm.sentence) + "</p>\n";
    for (const MetricVariance& metric : arm.metrics) out += metric_table(metric);
  }
  return out +
         "<p>Every combination of seeds was trained once. Components by the analysis of variance; "
         "a "
         "negative estimate counts as 0. The last row of sources holds the interplay of all three "
         "and whatever else makes trials differ. With few seeds a source the intervals are wide: "
         "read the largest and the smallest, not the second digit.</p>\n";
}

std::vector<Figure> variance_figures(const StudySummary& summary) {
  std::vector<const ArmVariance*> arms;
  for (const ArmVariance& arm : summary.variance) {
    if (!arm.metrics.empty()) arms.push_back(&arm);
  }
  if (arms.empty()) return {};
  Figure f;
  f.name = "variance";
  const double row = 5.5 + 2.5 * static_cast<double>(arms.size() - 1);
  f.height_mm = 20 + row * kComponents;
  f.caption =
      "Where the chance comes from: standard deviation of test accuracy that each source of chance "
      "causes (bar), with its 95 % interval (line).";
  std::string tics, data, plots;
  for (std::size_t c = 0; c < kComponents; ++c) {
    tics += fmt::format("{}{} {}", c == 0 ? "" : ", ", gnuplot_quote(kComponentNames[c]),
                        kComponents - c);
  }
  const double thick = 0.7 / static_cast<double>(arms.size());
  for (std::size_t a = 0; a < arms.size(); ++a) {
    data += fmt::format("$arm{} << EOD\n", a);
    for (std::size_t c = 0; c < kComponents; ++c) {
      const VarianceComponent& part = arms[a]->metrics.front().parts.components[c];
      const double y =
          static_cast<double>(kComponents - c) + 0.35 - thick * (static_cast<double>(a) + 0.5);
      data += fmt::format("{} {} {} {} {}\n", number_text(100 * std::sqrt(part.variance)), y,
                          number_text(100 * std::sqrt(part.low)),
                          number_text(100 * std::sqrt(part.high)), thick * 0.42);
    }
    data += "EOD\n";
    plots += fmt::format(
        "{}$arm{} using ($1/2):2:(0):1:($2-$5):($2+$5) with boxxyerror fs solid 0.45 noborder lc "
        "rgb "
        "'{}' title {}, $arm{} using 1:2:3:4 with xerrorbars pt 7 ps 0.35 lw 1.1 lc rgb '{}' "
        "notitle",
        a == 0 ? "" : ", ", a, series_colour(a), gnuplot_quote(shortened(arms[a]->arm, 24)), a,
        "#202020");
  }
  f.body =
      data + fmt::format(
                 "set ytics ({})\nset yrange [0.4:{}.6]\nset xrange [0:*]\nset lmargin at screen "
                 "0.31\nset rmargin at screen 0.96\nset bmargin at screen {:.3f}\nset tmargin at "
                 "screen {:.3f}\n{}\nset xlabel 'standard deviation of test accuracy (points)' "
                 "offset 0,0.5\nset bars 0\nplot {}",
                 tics, kComponents, 11 / f.height_mm, 1 - 6 / f.height_mm,
                 arms.size() == 1 ? "unset key" : "set key above horizontal", plots);
  return {f};
}

}  // namespace bioptic
