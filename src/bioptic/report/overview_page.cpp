#include "bioptic/report/overview_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "bioptic/base/counted.h"
#include "bioptic/base/files.h"
#include "bioptic/report/overview_charts.h"
#include "bioptic/report/overview_words.h"
#include "bioptic/report/text.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

// By which pages of every version are known again.
constexpr const char* kMark = "<meta name=\"generator\" content=\"bioptic\">";

constexpr const char* kStyle = R"css(
:root { color-scheme: light dark; --ink: #1d232b; --soft: #56606b; --line: #d9dee4; --paper: #fff; --card: #f6f8fa;
  --train: #0072B2; --val: #B34700; --yes: #00704f; --no: #a34700; --same: #005a8f; --open: #56606b; --mark: #0072B2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #a4afba; --line: #3a434d; --paper: #14181d; --card: #1c2229;
  --train: #56B4E9; --val: #F0A050; --yes: #3fd0a0; --no: #F0A050; --same: #7cc4f2; --open: #a4afba; --mark: #56B4E9; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.4rem 1rem 3rem; max-width: 66rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
h3 { font-size: .95rem; margin: 0 0 .3rem; }
a { color: var(--mark); }
.lead { color: var(--soft); margin: 0 0 1.2rem; max-width: 46rem; }
.answers { display: grid; gap: .8rem; }
.answer { background: var(--card); border-left: 5px solid var(--line); border-radius: 4px; padding: .7rem 1rem .8rem; break-inside: avoid; }
.answer p { margin: 0; } .answer .question { color: var(--soft); font-size: .92rem; }
.answer .said { font-size: 1.1rem; font-weight: 600; margin: .15rem 0 .2rem; }
.answer .more { font-size: .9rem; }
.scroll { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; width: 100%; }
th, td { padding: .35rem .8rem .35rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); font-size: .82rem; vertical-align: bottom; }
td.n, th.n { text-align: right; } td.n { white-space: nowrap; }
table.accuracies th, table.accuracies td { overflow-wrap: normal; padding-right: 1rem; }
table.accuracies td:first-child { min-width: 6.5rem; overflow-wrap: anywhere; } table.accuracies small { display: block; color: var(--soft); }
tr.study th { color: var(--ink); padding-top: .9rem; font-size: .9rem; }
.verdict { white-space: nowrap; font-weight: 600; }
.verdict i { display: inline-block; width: 1.35em; font-style: normal; font-weight: 700; }
.supported { color: var(--yes); } .refuted { color: var(--no); } .no_effect { color: var(--same); } .undecided, .not_allowed { color: var(--open); }
.of { color: var(--soft); font-size: .82rem; }
.id { color: var(--soft); white-space: nowrap; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: 1.1rem 1.6rem; }
figure { margin: 0; break-inside: avoid; } figcaption { font-size: .82rem; color: var(--soft); margin-top: .15rem; }
svg { display: block; } svg text { font-size: 10px; fill: var(--soft); font-family: inherit; }
svg.curves { width: 100%; height: auto; } svg.dots { width: 180px; height: 22px; } svg.effect { width: 120px; height: 18px; }
polyline { fill: none; stroke-width: 1.6; stroke-linejoin: round; } polygon { stroke: none; opacity: .18; }
polyline.train { stroke: var(--train); } polygon.train { fill: var(--train); }
polyline.val { stroke: var(--val); stroke-dasharray: 5 2.5; } polygon.val { fill: var(--val); }
line.grid { stroke: var(--line); stroke-width: 1; } line.zero { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 2 2; }
line.bar { stroke: currentColor; stroke-width: 2.4; } svg.dots .bar { stroke: var(--mark); opacity: .45; stroke-width: 5; }
svg.dots circle { fill: var(--ink); opacity: .55; } svg.effect circle { fill: currentColor; } path.cross { stroke: var(--val); stroke-width: 2; fill: none; }
.key span { margin-right: 1.2rem; } .key svg { display: inline-block; vertical-align: middle; width: 28px; height: 8px; margin-right: .35rem; }
.copy { background: var(--card); border-radius: 4px; padding: .8rem 1rem; max-width: 46rem; }
button { font: inherit; font-size: .85rem; padding: .25rem .8rem; border: 1px solid var(--line); border-radius: 4px; background: var(--paper); color: var(--ink); cursor: pointer; }
.note { border-left: 5px solid #E69F00; background: var(--card); border-radius: 4px; padding: .6rem 1rem; margin: 0 0 1rem; }
.small { font-size: .85rem; color: var(--soft); max-width: 46rem; }
@media (max-width: 40rem) { td .wide { display: none; } table.claims thead { display: none; } table.claims tr { display: block; border-bottom: 1px solid var(--line); padding: .5rem 0; }
  table.accuracies th, table.accuracies td { padding-right: .45rem; font-size: .78rem; }
  table.accuracies td:first-child { min-width: 5rem; }
  table.claims td { display: block; border: 0; padding: .1rem 0; } table.accuracies .narrow-out { display: none; } }
@page { margin: 14mm; }
@media print { :root { --paper: #fff; --ink: #111; --soft: #555; --line: #ccc; --card: #f6f6f6; } body { max-width: none; padding: 0; font-size: 10pt; }
  button { display: none; } .scroll { overflow: visible; } svg.dots { width: 110px; } table.accuracies th, table.accuracies td { padding-right: .5rem; } .grid { grid-template-columns: 1fr 1fr 1fr; gap: 4mm 6mm; } h2 { break-after: avoid; margin-top: 6mm; } table { font-size: 8.5pt; }
  th, td { padding-top: 1mm; padding-bottom: 1mm; } .answer { padding: 2mm 3mm; } .answer .said { font-size: 11pt; } a { color: inherit; text-decoration: none; } }
)css";

// Without it the button is not there; everything else is.
constexpr const char* kScript = R"js(
(function () {
  var text = document.getElementById('paragraph'), place = document.getElementById('copy');
  if (!text || !place || !navigator.clipboard) return;
  var button = document.createElement('button');
  button.textContent = 'Copy';
  button.addEventListener('click', function () {
    navigator.clipboard.writeText(text.textContent).then(function () { button.textContent = 'Copied'; });
  });
  place.appendChild(button);
})();
)js";

bool of_a_report(std::span<const StudyOverview> studies) {
  return std::any_of(studies.begin(), studies.end(), [](const StudyOverview& s) {
    return std::any_of(s.arms.begin(), s.arms.end(), [](const OverviewArm& arm) {
      return arm.figure > 0 || !std::isnan(arm.reported);
    });
  });
}

std::string link(const StudyOverview& s, const std::string& text, const std::string& at = "") {
  return fmt::format("<a href=\"{}/report.html{}\">{}</a>", html_escape(s.name),
                     at.empty() ? "" : "#" + html_escape(at), html_escape(text));
}

std::string answers_html(std::span<const StudyOverview> studies) {
  std::string out = "<div class=\"answers\">\n";
  for (const StudyOverview& s : studies) {
    out += fmt::format(
        "<section class=\"answer\" id=\"{0}\"><p class=\"question\">{1}</p><p "
        "class=\"said\">{2}</p>"
        "<p class=\"more\">{3}{4}</p></section>\n",
        html_escape(file_part(s.name)), html_escape(s.question.empty() ? s.name : s.question),
        html_escape(plain_answer(s)), link(s, "Full report: " + s.name),
        s.unfinished ? " · unfinished: some trainings are missing" : "");
  }
  return out + "</div>\n";
}

std::string claims_table(std::span<const StudyOverview> studies, bool report) {
  std::size_t count = 0;
  std::string rows;
  for (const StudyOverview& s : studies) {
    for (const OverviewClaim& c : s.claims) {
      ++count;
      const std::string measured =
          c.effect_of.empty() ? ""
                              : "<br><span class=\"of\">" + html_escape(c.effect_of) + "</span>";
      rows += fmt::format(
          "<tr><td class=\"id\">{}</td><td>{}{}</td><td class=\"verdict {}\"><i "
          "aria-hidden=\"true\">{}</i>{}</td><td class=\"{}\">{}{}</td><td>{}</td></tr>\n",
          link(s, c.id, "claim-" + file_part(c.id)), html_escape(c.sentence), measured,
          claim_name(c.verdict), claim_mark(c.verdict), claim_verdict_words(c.verdict),
          claim_name(c.verdict), effect_svg(c), html_escape(claim_number(c)), claim_scope(s, c));
    }
  }
  if (rows.empty()) return "";
  return fmt::format(
             "<h2 id=\"statements\">{} {} statement{}</h2>\n<table class=\"claims\"><thead><tr><th "
             "scope=\"col\"></th><th scope=\"col\">statement</th><th scope=\"col\">verdict</th><th "
             "scope=\"col\">what was measured</th><th scope=\"col\">for</th></tr></thead>"
             "<tbody>\n",
             report ? "The report's" : "The", count_word(count), count == 1 ? "" : "s") +
         rows +
         "</tbody></table>\n<p class=\"small\">Supported or refuted: the interval lies on one side "
         "of "
         "the dotted line. No difference: it lies within the margin. Undecided: neither. A "
         "statement "
         "with several parts shows the part that decides. Intervals are corrected for the number "
         "of "
         "statements in a study (Holm).</p>\n";
}

std::string percent(double value, int digits) {
  return std::isnan(value) ? "-" : percent_text(value, digits);
}

std::string accuracy_row(const OverviewArm& arm, bool report, double low, double high) {
  std::string out = fmt::format(
      "<tr><td>{}{}</td><td class=\"n\">{}{}</td><td class=\"narrow-out\">{}</td>",
      html_escape(arm.name),
      arm.figure > 0 ? fmt::format(" <span class=\"id\">Fig. {}</span>", arm.figure) : "",
      percent(arm.test_accuracy, 1), std::isnan(arm.test_sd) ? "" : " ± " + percent(arm.test_sd, 1),
      accuracy_svg(arm, low, high));
  const bool patients = !std::isnan(arm.patients_low);
  const double from = patients ? arm.patients_low : arm.seeds_low;
  const double to = patients ? arm.patients_high : arm.seeds_high;
  out += fmt::format("<td class=\"n\">{}</td>",
                     std::isnan(from) ? "-" : percent(from, 1) + " to " + percent(to, 1));
  out += fmt::format("<td class=\"n narrow-out\">{}</td>", percent(arm.val_accuracy, 1));
  if (report) {
    std::string said = "-";
    if (!std::isnan(arm.reported)) {
      said = percent(arm.reported, 2);
      if (!arm.by_seed.empty()) {
        const auto [least, most] = std::minmax_element(arm.by_seed.begin(), arm.by_seed.end());
        said += fmt::format("<small>{}</small>", arm.reported > *most    ? "above every run"
                                                 : arm.reported < *least ? "below every run"
                                                                         : "within our runs");
      }
    }
    out += fmt::format("<td class=\"n\">{}</td>", said);
  }
  return out + fmt::format("<td class=\"n\">{}{}</td></tr>\n", arm.trials,
                           arm.collapsed > 0 ? fmt::format(", {} collapsed", arm.collapsed) : "");
}

std::string accuracies_table(std::span<const StudyOverview> studies, bool report) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const StudyOverview& s : studies) {
    for (const OverviewArm& arm : s.arms) {
      for (const double v : arm.by_seed) {
        low = std::min(low, v);
        high = std::max(high, v);
      }
      for (const double v : {arm.reported, arm.patients_low, arm.patients_high}) {
        if (std::isnan(v)) continue;
        low = std::min(low, v);
        high = std::max(high, v);
      }
    }
  }
  if (!(low <= high)) return "";
  if (low == high) low -= 0.01;
  std::string out = fmt::format(
      "<h2 id=\"accuracies\">Test accuracy{}</h2>\n<div class=\"scroll\" tabindex=\"0\"><table "
      "class=\"accuracies\"><thead><tr><th scope=\"col\">setting</th><th scope=\"col\" "
      "class=\"n\">mean "
      "± sd, %</th><th scope=\"col\" class=\"narrow-out\">every run, {} to {} %{}</th><th "
      "scope=\"col\" "
      "class=\"n\">95 % interval</th><th scope=\"col\" class=\"n narrow-out\">validation, "
      "%</th>{}<th "
      "scope=\"col\" class=\"n\">runs</th></tr></thead><tbody>\n",
      report ? ", beside the report's" : "", percent_text(low, 0), percent_text(high, 0),
      report ? "; cross: the report" : "",
      report ? "<th scope=\"col\" class=\"n\">the report's, %</th>" : "");
  for (const StudyOverview& s : studies) {
    out += fmt::format("<tr class=\"study\"><th scope=\"colgroup\" colspan=\"{}\">{}</th></tr>\n",
                       report ? 7 : 6, html_escape(s.name));
    for (const OverviewArm& arm : s.arms) out += accuracy_row(arm, report, low, high);
  }
  const bool patients = std::all_of(studies.begin(), studies.end(),
                                    [](const StudyOverview& s) { return s.patients_known; });
  return out + fmt::format(
                   "</tbody></table></div>\n<p class=\"small\">Intervals are for new seeds and new "
                   "{}.</p>\n",
                   patients ? "patients" : "images");
}

std::string figure_html(const StudyOverview& s, const OverviewArm& arm, const ChartScale& scale) {
  const std::string svg = curves_svg(arm, scale);
  if (svg.empty()) return "";
  const std::string number = arm.figure > 0 ? fmt::format("Fig. {} · ", arm.figure) : "";
  return fmt::format("<figure><h3>{}{}: {}</h3>{}{}</figure>\n", number, html_escape(s.name),
                     html_escape(arm.name), svg,
                     arm.collapsed > 0 ? fmt::format("<figcaption>{} of {} collapsed</figcaption>",
                                                     arm.collapsed, counted(arm.trials, "run"))
                                       : "");
}

// Those that the report has, by their numbers; then the others.
std::string figures_html(std::span<const StudyOverview> studies, bool report) {
  constexpr std::size_t kMostFigures = 24;
  std::vector<std::pair<int, std::string>> figures;
  std::size_t left_out = 0;
  for (const StudyOverview& s : studies) {
    const ChartScale scale = chart_scale(s);
    for (const OverviewArm& arm : s.arms) {
      if (figures.size() >= kMostFigures) {
        ++left_out;
        continue;
      }
      figures.emplace_back(arm.figure > 0 ? arm.figure : std::numeric_limits<int>::max(),
                           figure_html(s, arm, scale));
    }
  }
  std::stable_sort(figures.begin(), figures.end(),
                   [](const auto& x, const auto& y) { return x.first < y.first; });
  std::string out = fmt::format(
      "<h2 id=\"curves\">Training curves{}</h2>\n<p class=\"small key\"><span><svg viewBox=\"0 0 "
      "28 "
      "8\" aria-hidden=\"true\"><polyline class=\"train\" points=\"0,4 "
      "28,4\"/></svg>training</span><span><svg "
      "viewBox=\"0 0 28 8\" aria-hidden=\"true\"><polyline class=\"val\" points=\"0,4 "
      "28,4\"/></svg>validation</span><span>line: median of the runs; band: the middle half of "
      "them</span></p>\n<div class=\"grid\">\n",
      report ? ", the counterparts of the report's figures" : "");
  for (const auto& [number, html] : figures) out += html;
  out += "</div>\n";
  if (left_out > 0) {
    out += fmt::format("<p class=\"small\">{} more in the full reports.</p>\n",
                       counted(left_out, "setting"));
  }
  return out;
}

std::string lead_text(std::span<const StudyOverview> studies, bool report) {
  const StudyOverview& s = studies.front();
  std::size_t runs = 0;
  for (const StudyOverview& study : studies) {
    for (const OverviewArm& arm : study.arms) runs += arm.trials;
  }
  return fmt::format(
      "{} trainings in {} studies{}. {} {} of {} × {} pixels{}.", runs, count_word(studies.size()),
      report ? ", as a student's report did them once each" : "", s.images,
      s.simulated ? "simulated chest X-rays" : "images", s.width, s.height,
      !s.simulated        ? ""
      : s.shift_by_design ? ": a stand-in for real ones, not a source of medical insight. Their "
                            "test images come from "
                            "another scanner by design, so a gap that is found here tests the "
                            "method and says nothing "
                            "of real X-rays"
                          : ": a stand-in for real ones, not a source of medical insight");
}

}  // namespace

std::string overview_html(std::span<const StudyOverview> studies) {
  const bool report = of_a_report(studies);
  const bool unfinished = std::any_of(studies.begin(), studies.end(),
                                      [](const StudyOverview& s) { return s.unfinished; });
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\">\n{}\n<title>Is it the setting, or the "
      "seed?</title>\n<style>{}</style></head>\n<body><main>\n<h1>Is it the setting, or the "
      "seed?</h1>\n<p class=\"lead\">{}</p>\n",
      kMark, kStyle, html_escape(lead_text(studies, report)));
  if (unfinished) {
    out +=
        "<p class=\"note\">Not finished: some trainings are missing, and verdicts may change. The "
        "same command goes on.</p>\n";
  }
  if (const std::string caution = shared_patients_text(studies); !caution.empty()) {
    out += "<p class=\"note\">" + caution + "</p>\n";
  }
  out += answers_html(studies);
  out += claims_table(studies, report);
  out += accuracies_table(studies, report);
  out += figures_html(studies, report);
  out += "<h2 id=\"summary\">To copy</h2>\n<p class=\"copy\" id=\"paragraph\">" +
         html_escape(paragraph(studies)) + "</p>\n<p id=\"copy\"></p>\n";
  out += fmt::format(
      "<p class=\"small\">Every seed gives all settings of a study the same split, initial weights "
      "and batch order, so that settings are compared in pairs. Made by bioptic {}; each report "
      "has "
      "the settings, the data and the command to repeat it.</p>\n",
      html_escape(studies.front().version));
  return out + "</main>\n<script>" + kScript + "</script>\n</body></html>\n";
}

std::vector<StudyOverview> read_overviews(const fs::path& out, std::span<const std::string> names) {
  std::vector<StudyOverview> studies;
  for (const std::string& name : names) {
    const fs::path file = out / name / "overview.json";
    if (!fs::exists(file)) continue;
    try {
      studies.push_back(overview_from_json(read_file(file)));
    } catch (const nlohmann::json::exception&) {
      continue;  // the report of a newer version: it makes the page itself
    }
  }
  const auto first_figure = [](const StudyOverview& s) {
    int first = std::numeric_limits<int>::max();
    for (const OverviewArm& arm : s.arms) {
      if (arm.figure > 0) first = std::min(first, arm.figure);
    }
    return first;
  };
  std::stable_sort(studies.begin(), studies.end(),
                   [&](const StudyOverview& x, const StudyOverview& y) {
                     return first_figure(x) < first_figure(y);
                   });
  return studies;
}

std::optional<fs::path> write_overview(const fs::path& out, std::span<const std::string> names) {
  const std::vector<StudyOverview> studies = read_overviews(out, names);
  if (studies.size() < 2) return std::nullopt;
  fs::path page = out / "index.html";
  if (fs::exists(page) && read_file(page).find(kMark) == std::string::npos) return std::nullopt;
  write_file(page, overview_html(studies));
  return page;
}

}  // namespace bioptic
