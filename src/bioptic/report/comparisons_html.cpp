#include <fmt/format.h>

#include <cmath>

#include "bioptic/report/cautions.h"
#include "bioptic/report/comparisons.h"
#include "bioptic/report/text.h"
#include "bioptic/study/comparison_sentence.h"

namespace bioptic {
namespace {

std::string cell(const std::string& text) { return "<td>" + html_escape(text) + "</td>"; }

std::string evidence_cells(const Comparison& c, const JudgedEvidence& e) {
  std::string verdict = html_escape(verdict_words(c, e));
  if (e.verdict == Verdict::positive || e.verdict == Verdict::negative) {
    verdict = "<strong>" + verdict + "</strong>";
  }
  const std::string title =
      e.reason.empty() ? "" : fmt::format(" title=\"{}\"", html_escape(e.reason));
  const std::string level = level_words(e);
  return cell(interval_words(c, e) + (level == "-" ? "" : " (" + level + ")")) +
         cell(p_text(e.shown_p())) + fmt::format("<td{}>{}</td>", title, verdict);
}

std::string needed(const Comparison& c) {
  if (c.seeds_needed) return std::to_string(*c.seeds_needed);
  if (c.headline_is_e2() && c.seeds_needed_low) {
    return fmt::format("{} or more", *c.seeds_needed_low);
  }
  if (c.cases_needed) return fmt::format("{} cases", *c.cases_needed);
  return "-";
}

std::string table(std::span<const Comparison> comparisons) {
  std::string out =
      "<div class=\"scroll\" tabindex=\"0\"><table "
      "class=\"dense\"><thead><tr><th>metric</th><th>a</th><th>b</th>"
      "<th>a - b</th><th>E2: interval (level)</th><th>p</th><th>verdict</th><th>E1: interval "
      "(level)</th><th>p</th>"
      "<th>verdict</th><th>P(a &gt; b)</th><th>seeds needed</th></tr></thead><tbody>\n";
  for (const Comparison& c : comparisons) {
    out += "<tr>" + cell(c.split + " " + c.metric) + cell(c.a) + cell(c.b) +
           cell(difference_text(c, c.difference)) + evidence_cells(c, c.e2) +
           evidence_cells(c, c.e1) + cell(fixed_text(c.a_greater, 2)) + cell(needed(c)) + "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

}  // namespace

std::string comparisons_html(std::span<const Comparison> comparisons) {
  if (comparisons.empty()) return "";
  const Comparison& first = comparisons.front();
  std::size_t main = 0;
  while (main < comparisons.size() && comparisons[main].metric == first.metric &&
         comparisons[main].split == first.split) {
    ++main;
  }
  std::string out = "<h2>Comparisons</h2>\n<ul>\n";
  for (const Comparison& c : comparisons.first(main)) {
    out += "<li>" + html_escape(c.explanation) + "</li>\n";
  }
  out += "</ul>\n" + table(comparisons.first(main));
  out += fmt::format(
      "<p>E2: would it hold with other seeds and on other patients (images, where none are "
      "known) like these (crossed t test)? "
      "E1: "
      "with other seeds, on these images only (paired t test)? Both speak of this training pool. "
      "The "
      "verdict is that under {}. Intervals are at the level of their verdict after the correction. "
      "p is "
      "two-sided and corrected (Holm) for those of the {} pair{} of a metric that could be tested; "
      "no effect: equivalent within the margin of {:.2f} points (two one-sided tests, and enough "
      "patients to show it, corrected "
      "likewise). Seeds needed: in all, to find a true difference of {:.2f} points with a power of "
      "0.8 at the level that the correction begins with; cases where seeds alone cannot.</p>\n",
      first.headline_is_e2() ? "E2" : "E1", main, main == 1 ? "" : "s", 100 * first.margin,
      100 * first.detect);
  for (const std::string& caution :
       {chosen_caution(comparisons), several_metrics_caution(comparisons)}) {
    if (!caution.empty()) out += "<p class=\"note\">" + html_escape(caution) + "</p>\n";
  }
  if (main < comparisons.size()) {
    out += "<details><summary>All metrics and splits</summary>\n" +
           table(comparisons.subspan(main)) + "</details>\n";
  }
  return out;
}

}  // namespace bioptic
