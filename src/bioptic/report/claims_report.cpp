#include "bioptic/report/claims_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bioptic/data/csv.h"
#include "bioptic/report/text.h"
#include "bioptic/study/comparison_sentence.h"
#include "bioptic/study/explain_claim.h"
#include "bioptic/study/steadiness.h"

namespace bioptic {
namespace {

const char* css_class(Verdict verdict) {
  switch (verdict) {
    case Verdict::positive:
      return "yes";
    case Verdict::negative:
      return "no";
    case Verdict::no_effect:
      return "none";
    default:
      return "open";
  }
}

std::string p_cell(double p) {
  if (std::isnan(p)) return "-";
  return html_escape(p_text(p));
}

std::string side_row(const char* name, const char* question, const ClaimResult& r,
                     const JudgedEvidence& e, double effect) {
  std::string row = fmt::format("<tr><td><abbr title=\"{}\">{}</abbr></td><td>{}</td>", question,
                                name, verdict_words(e.verdict));
  if (e.verdict == Verdict::not_allowed) {
    return row + "<td colspan=\"4\" class=\"why\">" + html_escape(e.reason) + "</td></tr>\n";
  }
  const bool share = r.null_value > 0;
  const auto text = [&](double v) { return html_escape(effect_text(v, r.points, r.null_value)); };
  const JudgedEvidence::Shown shown = e.shown();
  row += fmt::format(
      "<td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", text(effect),
      std::isnan(shown.low) ? std::string("-")
                            : fmt::format("{} to {} ({})", text(shown.low), text(shown.high),
                                          confidence_text(shown.confidence)),
      p_cell(e.shown_p()), share || std::isnan(e.df) ? "-" : fmt::format("{:.1f}", e.df));
  return row;
}

std::string claim_card(const ClaimResult& r) {
  const JudgedEvidence& e = r.headline();
  std::string out = fmt::format(
      "<section class=\"claim {}\" id=\"claim-{}\"><p class=\"verdict\"><strong>{}</strong> "
      "<span>{}</span></p>\n"
      "<p class=\"said\">{}</p>\n",
      css_class(e.verdict), html_escape(file_part(r.spec.id)), verdict_words(e.verdict),
      html_escape(r.spec.id), html_escape(r.spec.sentence));
  out += "<p class=\"effect\">" + html_escape(effect_with_interval(r)) + "</p>\n";
  out += "<p>" + html_escape(r.explanation) + "</p>\n";
  out +=
      "<details><summary>The numbers</summary><div class=\"scroll\" tabindex=\"0\"><table>"
      "<thead><tr><th></th><th>verdict</th><th>effect</th><th>interval (level)</th>"
      "<th>p, corrected</th><th>df</th></tr></thead><tbody>\n";
  out += side_row("E1", "would it hold with other seeds, on these images?", r, r.e1, r.effect1);
  out += side_row("E2", "would it hold on other patients, too?", r, r.e2, r.effect2);
  out += "</tbody></table></div>\n";
  if (!r.parts.empty()) {
    out +=
        "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>every one must hold</th>"
        "<th>effect</th><th>95 % interval, seeds, uncorrected</th><th>p, seeds, uncorrected</th>"
        "<th>p, patients, uncorrected</th></tr>"
        "</thead><tbody>\n";
    for (const ClaimPart& part : r.parts) {
      const auto text = [&](double v) {
        return html_escape(effect_text(v, part.points, part.null_value));
      };
      out += fmt::format(
          "<tr><td class=\"wide\">{}</td><td>{}</td><td>{} to {}</td><td>{}</td>"
          "<td>{}</td></tr>\n",
          html_escape(part.words), text(part.effect), text(part.low), text(part.high),
          p_cell(part.p1), p_cell(part.p2));
    }
    out += "</tbody></table></div>\n";
  }
  return out + "</details></section>\n";
}

std::string curve_name(const Steadiness& row) {
  ClaimSpec curve;
  curve.split = row.split;
  curve.metric = row.metric;
  curve.value = CurveValue::end;
  return quantity_words(curve);
}

std::string window_words(const EpochWindow& w) {
  if (w.last > 0) return fmt::format("epochs {} to {}", w.first, w.last);
  return w.first > 1 ? fmt::format("from epoch {} on", w.first) : std::string("all epochs");
}

std::string index_cell(const Steadiness& row) {
  const MetricSummary& m = row.over_seeds;
  if (std::isnan(m.mean)) return "<td>-</td>";
  const bool points = row.metric == "accuracy";
  const double scale = points ? 100 : 1;
  const int digits = points ? 2 : 4;
  std::string text = fixed_text(scale * m.mean, digits);
  if (!std::isnan(m.low)) {
    text += fmt::format(" <small>({} to {})</small>", fixed_text(scale * m.low, digits),
                        fixed_text(scale * m.high, digits));
  }
  return "<td>" + text + "</td>";
}

}  // namespace

std::string claims_text(const StudySummary& summary) {
  std::string out;
  for (const ClaimResult& r : summary.claims) {
    std::string verdict = verdict_words(r.headline().verdict);
    std::transform(verdict.begin(), verdict.end(), verdict.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    out += filled(r.spec.id + "  " + verdict + ": " + r.spec.sentence, "", "", 100);
    out += filled(r.explanation, "    ", "    ", 100);
  }
  return out.empty() ? out : "Claims\n" + out;
}

const char* claims_css() {
  return R"css(
.claim { border: 1px solid var(--line); border-left: 6px solid var(--soft); border-radius: 4px; padding: .7rem .9rem .6rem; margin: .9rem 0; break-inside: avoid; }
.claim p { margin: .25rem 0; }
.claim .verdict { display: flex; justify-content: space-between; gap: 1rem; }
.claim .verdict strong { text-transform: uppercase; letter-spacing: .04em; font-size: .85rem; }
.claim .verdict span { color: var(--soft); font-size: .85rem; }
.claim .said { font-size: 1.05rem; font-weight: 600; }
.claim .effect { font-variant-numeric: tabular-nums; }
.claim details { font-size: .9rem; margin-top: .4rem; }
.claim details table { margin: .4rem 0; }
.claim td.why, .claim td.wide { white-space: normal; text-align: left; min-width: 16rem; }
.claim.yes { border-left-color: #009E73; } .claim.yes strong { color: #00704f; }
.claim.no { border-left-color: #D55E00; } .claim.no strong { color: #a34700; }
.claim.none { border-left-color: #0072B2; } .claim.none strong { color: #005a8f; }
)css";
}

std::string claims_html(const StudySummary& summary) {
  if (summary.claims.empty()) return "";
  std::string out =
      "<h2>Verdicts</h2>\n<p class=\"lead\">E1 asks whether a difference would hold if the "
      "training "
      "were repeated with other seeds on these images, E2 whether it would hold on other patients, "
      "too. The headline is E2; of curves and of training, which no other patient has, it is E1. "
      "Where E2 cannot be given there is no verdict, and E1 stands beside it for what it is. Both "
      "speak of this training pool. Intervals are at the level of their verdict after Holm's "
      "correction.</p>\n";
  for (const ClaimResult& claim : summary.claims) out += claim_card(claim);
  return out;
}

std::string steadiness_html(const StudySummary& summary) {
  const std::vector<Steadiness> rows = steadiness(summary);
  std::string out =
      "<h2>How steady the curves are</h2>\n<p>Mean over seeds with its 95 % interval; smaller is "
      "steadier. Step spread: interquartile range of the steps from epoch to epoch. Noise level: "
      "scatter about a straight line, from second differences. Accuracies in points. The other "
      "indices, and every seed, are in <code>tables/indices.csv</code>.</p>\n"
      "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>curve</th><th>epochs</th>"
      "<th>index</th>";
  for (const ArmSummary& arm : summary.arms) out += "<th>" + html_escape(arm.name) + "</th>";
  out += "</tr></thead><tbody>\n";
  const std::size_t arms = summary.arms.size();
  for (std::size_t i = 0; i + arms <= rows.size(); i += arms) {
    if (rows[i].index != CurveValue::step_spread && rows[i].index != CurveValue::noise_level) {
      continue;
    }
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td>", curve_name(rows[i]),
                       window_words(rows[i].window),
                       rows[i].index == CurveValue::step_spread ? "step spread" : "noise level");
    for (std::size_t a = 0; a < arms; ++a) out += index_cell(rows[i + a]);
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string indices_csv(const StudySummary& summary) {
  std::string out = "arm,split,metric,index,first_epoch,last_epoch,seed,value\n";
  for (const Steadiness& row : steadiness(summary)) {
    for (const Steadiness::Seed& seed : row.seeds) {
      out += fmt::format("{},{},{},{},{},{},{},{}\n", csv_text(row.arm), row.split, row.metric,
                         name_of(row.index), row.window.first,
                         row.window.last > 0 ? std::to_string(row.window.last) : std::string(),
                         seed.seed, number_text(seed.value));
    }
  }
  return out;
}

}  // namespace bioptic
