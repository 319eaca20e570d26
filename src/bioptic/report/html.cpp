#include "bioptic/report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "bioptic/base/counted.h"
#include "bioptic/base/files.h"
#include "bioptic/data/plain_facts.h"
#include "bioptic/report/audit_report.h"
#include "bioptic/report/cautions.h"
#include "bioptic/report/claims_report.h"
#include "bioptic/report/comparisons.h"
#include "bioptic/report/gap_report.h"
#include "bioptic/report/metrics_table.h"
#include "bioptic/report/tables.h"
#include "bioptic/report/text.h"
#include "bioptic/report/variance_report.h"
#include "bioptic/study/collapse.h"
#include "bioptic/study/seed_independence.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// By which reports of every version are known again.
constexpr const char* kKicker = "<p class=\"kicker\">bioptic study: ";

constexpr const char* kStyle = R"css(
:root { color-scheme: light; --ink: #1d232b; --soft: #5a6470; --line: #d9dee4; --mark: #0072B2; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem 1rem 3rem; max-width: 68rem; color: var(--ink); background: #fff;
  font: 16px/1.55 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.55rem; line-height: 1.25; margin: .2rem 0 .3rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
.kicker { color: var(--soft); margin: 0; font-size: .9rem; }
.lead { color: var(--soft); margin-top: 0; }
.scroll { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem .3rem 0; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; color: var(--soft); vertical-align: bottom; white-space: normal; overflow-wrap: normal; }
th:first-child, td:first-child { text-align: left; }
table.facts td { white-space: normal; text-align: left; vertical-align: top; }
table.facts td:first-child { color: var(--soft); white-space: nowrap; }
/* Twelve columns on a page of 68rem. */
table.dense { font-size: .8rem; } table.dense th, table.dense td { padding-right: .5rem; }
/* Fits a telephone: cells wrap, nothing scrolls. */
table.metrics { width: 100%; max-width: 46rem; margin: .5rem 0 1rem; }
table.metrics td, table.metrics th { white-space: normal; padding-right: .5rem; overflow-wrap: normal; }
.small { font-size: .85rem; color: var(--soft); padding-left: 1.1rem; }
@media (max-width: 30rem) { table.metrics { font-size: .78rem; } table.metrics td, table.metrics th { padding-right: .35rem; } }
.note { border-left: 3px solid #E69F00; padding: .35rem .8rem; margin: .7rem 0; background: #fdf7ea; }
figure { margin: 1.2rem 0; break-inside: avoid; }
figure img { width: 100%; height: auto; display: block; }
figure.single { max-width: 27rem; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: .5rem 2rem; align-items: start; }
.grid figure.double { grid-column: 1 / -1; }
figcaption { font-size: .85rem; color: var(--soft); margin-top: .3rem; }
pre { background: #f5f7f9; padding: .8rem; overflow-x: auto; font-size: .8rem; line-height: 1.4; }
code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
pre code { overflow-wrap: normal; }
summary { cursor: pointer; }
@page { margin: 14mm; }
@media print { .grid { grid-template-columns: 1fr 1fr; gap: 0 8mm; } .grid figure { margin: 3mm 0; }
  .grid figure.single { max-width: 74mm; } .grid figure.double { max-width: 140mm; }
  details::details-content { content-visibility: visible; display: block; }
  body { max-width: none; font-size: 10.5pt; padding: 0; } details > *:not(summary) { display: block; }
  .scroll { overflow: visible; } table { font-size: 8.5pt; } h2 { break-after: avoid; } pre { white-space: pre-wrap; }
  th, td { padding-right: .45rem; } table.dense { font-size: 7pt; } table.dense th, table.dense td { padding-right: .3rem; } }
)css";

std::string base64(const std::string& bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve(bytes.size() * 4 / 3 + 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t block = 0;
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k) {
      block = block << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= n ? kDigits[block >> (18 - 6 * k) & 63] : '=';
    }
  }
  return out;
}

std::string figure_html(const Figure& figure, const fs::path& folder) {
  // Figures with pixels in them are smaller and sharper as PNG.
  const bool pixels = figure.name == "montage" || figure.name == "augmented" ||
                      figure.name == "most-wrong" || figure.name == "gap-mean-images";
  const fs::path file = folder / (figure.name + (pixels ? ".png" : ".svg"));
  if (!fs::exists(file)) return "";
  const std::string kind = pixels ? "image/png" : "image/svg+xml";
  return fmt::format(
      "<figure class=\"{}\"><img alt=\"{}\" src=\"data:{};base64,{}\">"
      "<figcaption>{}</figcaption></figure>\n",
      figure.width_mm > 100 ? "double" : "single", html_escape(figure.caption), kind,
      base64(read_file(file)), html_escape(figure.caption));
}

// Curves of so many arms are looked at one by one; of more, all of them would be most of the file.
constexpr std::size_t kMostInlinedAlike = 12;

std::string figures_html(const std::vector<Figure>& figures, const fs::path& folder) {
  const auto alike = static_cast<std::size_t>(std::count_if(
      figures.begin(), figures.end(), [](const Figure& figure) { return figure.one_of_many; }));
  const bool named = alike > kMostInlinedAlike;
  std::string out = "<h2>Figures</h2>\n<div class=\"grid\">\n", links;
  for (const Figure& figure : figures) {
    if (!named || !figure.one_of_many) {
      out += figure_html(figure, folder);
    } else if (const std::string file = figure.name + ".svg"; fs::exists(folder / file)) {
      links += fmt::format("{}<a href=\"figures/{}\">{}</a>", links.empty() ? "" : ", ",
                           html_escape(file), html_escape(figure.name));
    }
  }
  out += "</div>\n";
  if (links.empty()) return out;
  return out +
         fmt::format(
             "<details><summary>The curves of each of the {} arms, one by one, are files beside "
             "this report, in figures/.</summary>\n<p class=\"small\">{}</p></details>\n",
             alike, links);
}

std::string mean_cell(const ArmSummary& arm, const ShownMetric& shown) {
  const auto it = arm.metrics.find(shown.key);
  if (it == arm.metrics.end()) return "<td>-</td>";
  const double scale = shown.percent ? 100 : 1;
  const int digits = shown.percent ? 1 : 3;
  std::string text = fixed_text(scale * it->second.mean, digits);
  if (!std::isnan(it->second.sd)) text += " ± " + fixed_text(scale * it->second.sd, digits);
  return "<td>" + text + "</td>";
}

std::string interval_cell(double low, double high) {
  if (std::isnan(low)) return "<td>-</td>";
  return fmt::format("<td>{} to {}</td>", percent_text(low), percent_text(high));
}

std::string arms_table(const StudySummary& summary) {
  const bool with_report =
      std::any_of(summary.arms.begin(), summary.arms.end(),
                  [](const ArmSummary& arm) { return arm.reported.contains("test_accuracy"); });
  const std::vector<ShownMetric> metrics = shown_metrics(summary);
  std::string out = "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>arm</th>";
  for (std::size_t k = 0; k < metrics.size(); ++k) {
    out += fmt::format("<th>{}{}</th>", metrics[k].heading, metrics[k].percent ? " %" : "");
    if (k == 0) {
      out += "<th>over seeds</th><th>over seeds and patients</th>";
      if (with_report) out += "<th>the report's %</th>";
    }
  }
  out += "<th>seeds</th><th>collapsed</th></tr></thead><tbody>\n";
  for (const ArmSummary& arm : summary.arms) {
    out += "<tr><td>" + html_escape(arm.name) + "</td>";
    for (std::size_t k = 0; k < metrics.size(); ++k) {
      out += mean_cell(arm, metrics[k]);
      if (k != 0) continue;
      const auto it = arm.metrics.find(metrics[0].key);
      const MetricSummary none{0, kNan, kNan, kNan, 0};
      const MetricSummary& m = it == arm.metrics.end() ? none : it->second;
      out += interval_cell(m.low, m.high) + interval_cell(m.patients_low, m.patients_high);
      if (with_report) {
        const auto r = arm.reported.find("test_accuracy");
        out += "<td>" + (r == arm.reported.end() ? "-" : percent_text(r->second, 2)) + "</td>";
      }
    }
    out += fmt::format("<td>{}</td><td>{}</td></tr>\n", arm.trials.size(),
                       arm.collapsed > 0 ? fmt::format("<strong>{}</strong>", arm.collapsed) : "0");
  }
  return out + "</tbody></table></div>\n";
}

std::string facts_row(const std::string& key, const std::string& value) {
  return "<tr><td>" + html_escape(key) + "</td><td>" + html_escape(value) + "</td></tr>\n";
}

// Settings that all arms share, then what each sets itself.
std::string settings_tables(const StudySummary& summary) {
  std::string shared = "<table class=\"facts\"><tbody>\n", own;
  std::map<std::string, bool> differs;
  for (const auto& [key, value] : summary.arms.front().settings) {
    for (const ArmSummary& arm : summary.arms) {
      for (const auto& [k, v] : arm.settings) {
        if (k == key && v != value) differs[key] = true;
      }
    }
    if (!differs[key]) shared += facts_row(key, value);
  }
  shared += "</tbody></table>\n";
  own = "<div class=\"scroll\" tabindex=\"0\"><table class=\"facts\"><thead><tr><th>arm</th>";
  for (const auto& [key, value] : summary.arms.front().settings) {
    if (differs[key]) own += "<th>" + html_escape(key) + "</th>";
  }
  own += "</tr></thead><tbody>\n";
  for (const ArmSummary& arm : summary.arms) {
    own += "<tr><td>" + html_escape(arm.name) + "</td>";
    for (const auto& [key, value] : arm.settings) {
      if (differs[key]) own += "<td>" + html_escape(value) + "</td>";
    }
    own += "</tr>\n";
  }
  own += "</tbody></table></div>\n";
  return "<p>What differs between the arms:</p>" + own + "<p>Shared by all arms:</p>" + shared;
}

std::string other_reported(const StudySummary& summary) {
  std::string rows;
  for (const ArmSummary& arm : summary.arms) {
    for (const auto& [key, value] : arm.reported) {
      if (key == "test_accuracy") continue;
      const auto m = arm.metrics.find(key);
      rows += fmt::format(
          "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", html_escape(arm.name),
          html_escape(key), number_text(value),
          m == arm.metrics.end()
              ? "-"
              : fixed_text(m->second.mean, 4) +
                    (std::isnan(m->second.sd) ? "" : " ± " + fixed_text(m->second.sd, 4)));
    }
  }
  if (rows.empty()) return "";
  return "<p>Other numbers that the report gives:</p><div "
         "class=\"scroll\"><table><thead><tr><th>arm"
         "</th><th>metric</th><th>the report's</th><th>here, mean ± sd</th></tr></thead><tbody>" +
         rows + "</tbody></table></div>\n";
}

std::string data_table(const StudySummary& summary) {
  const DatasetInfo& info = summary.dataset;
  std::string classes;
  for (const std::string& name : info.classes) classes += (classes.empty() ? "" : ", ") + name;
  std::string out = "<table class=\"facts\"><tbody>\n";
  out += facts_row("images", fmt::format("{} of {} x {} pixels, {}", info.images, info.width,
                                         info.height, info.channels == 1 ? "grey" : "RGB"));
  out +=
      facts_row("classes", fmt::format("{}; positive: {}", classes,
                                       info.classes[static_cast<std::size_t>(summary.positive)]));
  out += facts_row("splits",
                   fmt::format("{} to train, {} to validate, {} to test (seed 0)",
                               summary.train_images, summary.val_images, summary.test_images));
  out += facts_row("groups (patients)",
                   fmt::format("{}, of them {} in the test split; from: {}", summary.groups,
                               summary.test_groups, summary.groups_from));
  const auto facts = [](const std::string& text) {
    return fmt::format("{}", fmt::join(plain_facts(text), "; "));
  };
  out += facts_row("preprocessing", facts(info.preprocessing));
  out += facts_row("source", facts(info.provenance));
  out += facts_row("dataset", summary.dataset_path);
  out += facts_row("SHA-256", summary.dataset_hash);
  return out + "</tbody></table>\n";
}

}  // namespace

bool is_report_html(std::string_view html) { return html.find(kKicker) != std::string_view::npos; }

std::string report_html(const StudySummary& summary, const std::vector<Figure>& figures,
                        const fs::path& folder, const std::vector<std::string>& notes) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  out += "<title>" + html_escape(summary.name) + " - bioptic</title>\n<style>" + kStyle +
         claims_css() + "</style></head>\n<body>\n<main>\n";
  out += kKicker + html_escape(summary.name) + "</p>\n<h1>" +
         html_escape(summary.question.empty() ? summary.name : summary.question) + "</h1>\n";
  std::size_t seeds = 0;
  for (const ArmSummary& arm : summary.arms) seeds = std::max(seeds, arm.trials.size());
  out += fmt::format(
      "<p class=\"lead\">{}, {} each; {} to train on, {} to validate, {} to "
      "test.</p>\n",
      counted(summary.arms.size(), "arm"), counted(seeds, "seed"),
      counted(static_cast<std::size_t>(summary.train_images), "image"), summary.val_images,
      summary.test_images);
  if (summary.unfinished) {
    std::string which;
    for (const ArmSummary& arm : summary.arms) {
      if (arm.missing + arm.failed > 0) {
        which += fmt::format(" {}: {} missing, {} failed.", html_escape(arm.name), arm.missing,
                             arm.failed);
      }
    }
    out += "<p class=\"note\"><strong>This run is unfinished.</strong>" + which +
           " Everything below is over the trials that are done.</p>\n";
  }
  out += claims_html(summary);
  if (!summary.claims.empty()) out += "<h2>Arms</h2>\n";
  for (const ArmSummary& arm : summary.arms) {
    if (arm.collapsed > 0) {
      out += fmt::format(
          "<p class=\"note\">{}: {} of {} collapsed: {}. They are counted in every "
          "number.</p>\n",
          html_escape(arm.name), arm.collapsed, counted(arm.trials.size(), "training"),
          html_escape(collapse_words(arm)));
    }
  }
  out += arms_table(summary);
  out += fmt::format(
      "<p>Mean ± standard deviation over seeds, and two 95 % intervals of the mean test accuracy: "
      "over seeds, for the training repeated on these images (t), and over seeds and patients, for "
      "other patients in the test split, too (crossed t). {} Another training pool would add its "
      "own chance. Training values are running means over the last epoch; {}.</p>\n",
      seeds < 2 ? "<strong>With one seed there is no spread and no interval.</strong>" : "",
      html_escape(thresholds_said(summary)));
  if (const std::string note = dependent_seeds_note(summary); !note.empty()) {
    out += "<p class=\"note\">" + html_escape(note) + "</p>\n";
  }
  out += other_reported(summary);
  out += gap_html(summary);
  out += variance_html(summary);

  out += comparisons_html(summary.comparisons);
  if (const std::string caution = more_seeds_caution(summary.comparisons, summary.claims);
      !caution.empty()) {
    out += "<p class=\"note\">" + html_escape(caution) + "</p>\n";
  }

  out += steadiness_html(summary);
  out += figures_html(figures, folder);
  for (const std::string& note : notes) out += "<p class=\"note\">" + html_escape(note) + "</p>\n";

  out += metrics_html(summary);
  out += "<h2>Settings</h2>\n" + settings_tables(summary);
  out += "<h2>Data</h2>\n" + data_table(summary);
  if (summary.audit) out += audit_html(*summary.audit);
  for (const std::string& note : summary.notes) {
    out += "<p class=\"note\">" + html_escape(note) + "</p>\n";
  }
  out += "<h2>Environment</h2>\n<table class=\"facts\"><tbody>\n";
  for (const auto& [key, value] : summary.environment) out += facts_row(key, value);
  out += "</tbody></table>\n<h2>How to reproduce</h2>\n<pre><code>" + html_escape(summary.command) +
         "</code></pre>\n<p>The same version on the same images gives the same weights, bit for "
         "bit, on "
         "any number of threads; <code>summary.json</code> has the SHA-256 of every trial's "
         "weights. Every trial, its curves and its predictions are in <code>tables/</code>.</p>\n";
  out += "<details><summary>The study file</summary>\n<pre><code>" + html_escape(summary.toml) +
         "</code></pre></details>\n</main>\n</body></html>\n";
  return out;
}

}  // namespace bioptic
