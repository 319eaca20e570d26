#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bioptic/report/comparisons.h"
#include "bioptic/report/text.h"
#include "bioptic/study/comparison_sentence.h"

namespace bioptic {
namespace {

// A difference as the axis shows it: rates in points.
bool in_points(const Comparison& c) {
  return difference_text(c, 0).find("points") != std::string::npos;
}

bool has_interval(const JudgedEvidence& e) { return std::isfinite(e.shown().low); }

// Rows of one kind of evidence: difference, y, low, high.
std::string rows(std::span<const Comparison* const> pairs, bool e2, double scale, double shift) {
  std::string out;
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    const JudgedEvidence& e = e2 ? pairs[k]->e2 : pairs[k]->e1;
    if (!has_interval(e)) continue;
    out += fmt::format("{} {} {} {}\n", number_text(scale * pairs[k]->difference),
                       static_cast<double>(pairs.size() - k) + shift,
                       number_text(scale * e.shown().low), number_text(scale * e.shown().high));
  }
  return out;
}

}  // namespace

std::optional<Figure> forest_figure(std::span<const Comparison> comparisons) {
  std::vector<const Comparison*> pairs;
  bool any = false;
  for (const Comparison& c : comparisons) {
    if (c.metric != comparisons.front().metric || c.split != comparisons.front().split) continue;
    pairs.push_back(&c);
    any = any || has_interval(c.e1) || has_interval(c.e2);
  }
  if (!any) return std::nullopt;
  const Comparison& first = *pairs.front();
  const std::size_t n = pairs.size();
  const double scale = in_points(first) ? 100 : 1;
  const auto count = static_cast<double>(n);

  Figure f;
  f.name = "forest";
  f.width_mm = 170;
  constexpr double kTop = 9, kBottom = 12;
  f.height_mm = kTop + kBottom + (n > 12 ? 7.0 : 10.0) * count;
  f.caption = fmt::format(
      "Difference in {} {} of every pair of arms, mean over seeds, with intervals at the level of "
      "their verdict after Holm's correction: diamond, for other seeds and other cases (E2); "
      "circle, for other seeds on these images only (E1). Right: the verdict under {}.{}",
      first.split, first.metric, first.headline_is_e2() ? "E2" : "E1",
      first.margin > 0 ? " Shaded: differences within the margin." : "");
  const std::string e2 = rows(pairs, true, scale, 0.12), e1 = rows(pairs, false, scale, -0.2);
  if (!e2.empty()) f.body += "$e2 << EOD\n" + e2 + "EOD\n";
  if (!e1.empty()) f.body += "$e1 << EOD\n" + e1 + "EOD\n";
  std::string tics, verdicts;
  std::size_t longest = 0, longest_verdict = 0;
  for (std::size_t k = 0; k < n; ++k) {
    const Comparison& c = *pairs[k];
    const std::string name = shortened(c.a, 22) + " - " + shortened(c.b, 22);
    const Verdict v = c.headline().verdict;
    const std::string verdict = v == Verdict::positive || v == Verdict::negative
                                    ? shortened(v == Verdict::positive ? c.a : c.b, 18) + " better"
                                    : verdict_words(c, c.headline());
    tics += fmt::format("{}{} {}", k == 0 ? "" : ", ", gnuplot_tic(name), n - k);
    verdicts +=
        fmt::format("set label {} at graph 1.02, first {} left\n", gnuplot_quote(verdict), n - k);
    longest = std::max(longest, display_width(name));
    longest_verdict = std::max(longest_verdict, display_width(verdict));
  }
  // Widths of text at 7.5 pt: about 1.55 mm a character.
  const double left = (6 + 1.55 * static_cast<double>(longest)) / f.width_mm;
  const double right = 1 - (4 + 1.55 * static_cast<double>(longest_verdict)) / f.width_mm;
  f.body += fmt::format(
      "set lmargin at screen {:.3f}\nset rmargin at screen {:.3f}\nset bmargin at screen {:.3f}\n"
      "set tmargin at screen {:.3f}\nset yrange [0.4:{}]\nset ytics ({}) scale 0\n",
      std::min(left, 0.42), std::max(right, 0.66), kBottom / f.height_mm, 1 - kTop / f.height_mm,
      count + 0.6, tics);
  f.body += verdicts;
  if (first.margin > 0) {
    f.body += fmt::format(
        "set object 1 rectangle from first {0}, graph 0 to first {1}, graph 1 behind fc rgb "
        "'#e8eef3' fs solid noborder\n",
        number_text(-scale * first.margin), number_text(scale * first.margin));
  }
  f.body += fmt::format(
      "set arrow 1 from 0, graph 0 to 0, graph 1 nohead back lw 0.8 lc rgb '#666666'\n"
      "set xrange [*<{1} : {2}<*]\nset xlabel '{0}' offset 0,0.5\n"
      "set offsets graph 0.05, graph 0.05, 0, 0\n"
      "set key at graph 1, screen 0.995 top right horizontal maxrows 1 samplen 1 width 1\n"
      "set bars 0\nplot ",
      fmt::format("difference in {} {}{}", first.split, first.metric,
                  scale == 100 ? " (points)" : ""),
      number_text(-scale * first.margin), number_text(scale * first.margin));
  std::vector<std::string> plots;
  if (!e2.empty()) {
    plots.emplace_back(
        "$e2 using 1:2:3:4 with xerrorbars pt 13 ps 0.7 lw 1.4 lc rgb '#000000' title "
        "'other seeds, other cases (E2)'");
  }
  if (!e1.empty()) {
    plots.emplace_back(
        "$e1 using 1:2:3:4 with xerrorbars pt 6 ps 0.45 lw 0.9 lc rgb '#0072B2' title "
        "'other seeds, these images (E1)'");
  }
  f.body += fmt::format("{}", fmt::join(plots, ", "));
  return f;
}

}  // namespace bioptic
