#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "bioptic/report/cautions.h"
#include "bioptic/report/comparisons.h"
#include "bioptic/report/text.h"
#include "bioptic/study/comparison_sentence.h"

namespace bioptic {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string padded(const std::string& text, std::size_t width, bool left) {
  const std::size_t own = display_width(text);
  const std::string fill(width > own ? width - own : 0, ' ');
  return left ? text + fill : fill + text;
}

// The first `words` columns flush left, the rest flush right.
std::string aligned(const Rows& rows, std::size_t words) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      widths[c] = std::max(widths[c], display_width(row[c]));
    }
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      line += (c == 0 ? "" : "  ") + padded(row[c], widths[c], c < words);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

constexpr std::size_t kWidth = 96;  // columns

// Why metrics beside the first, whose sentences stand in full, have no verdict: one sentence a
// reason.
std::vector<std::string> not_allowed_sentences(std::span<const Comparison> comparisons) {
  std::vector<std::pair<std::string, std::string>> metrics_of_reason;  // in the order of the table
  for (const Comparison& c : comparisons) {
    if (c.metric == comparisons.front().metric && c.split == comparisons.front().split) continue;
    const JudgedEvidence& e = c.headline();
    if (e.verdict != Verdict::not_allowed || e.reason == comparisons.front().headline().reason) {
      continue;
    }
    const auto known = std::find_if(metrics_of_reason.begin(), metrics_of_reason.end(),
                                    [&](const auto& m) { return m.first == e.reason; });
    const std::string metric = c.split + " " + c.metric;
    if (known == metrics_of_reason.end()) {
      metrics_of_reason.emplace_back(e.reason, metric);
    } else if (known->second.find(metric) == std::string::npos) {
      known->second += ", " + metric;
    }
  }
  std::vector<std::string> out;
  for (const auto& [reason, metrics] : metrics_of_reason) {
    out.push_back(fmt::format("No verdict in {}: {}.", metrics, reason));
  }
  return out;
}

}  // namespace

std::string verdict_words(const Comparison& c, const JudgedEvidence& e) {
  switch (e.verdict) {
    case Verdict::positive:
      return c.a + " better";
    case Verdict::negative:
      return c.b + " better";
    case Verdict::no_effect:
      return e.equivalence_low == 0 && e.equivalence_high == 0 ? "identical" : "no effect";
    case Verdict::undecided:
      return "undecided";
    case Verdict::not_allowed:
      break;
  }
  return "not allowed";
}

std::string interval_words(const Comparison& c, const JudgedEvidence& e) {
  const JudgedEvidence::Shown shown = e.shown();
  if (std::isnan(shown.low)) return "-";
  const auto text = [&](double v) {
    std::string t = difference_text(c, v);
    return t.substr(0, t.find(' '));
  };
  return fmt::format("[{}, {}]", text(shown.low), text(shown.high));
}

std::string level_words(const JudgedEvidence& e) {
  const JudgedEvidence::Shown shown = e.shown();
  return std::isnan(shown.low) ? "-" : confidence_text(shown.confidence);
}

std::string comparisons_text(std::span<const Comparison> comparisons, bool all) {
  if (comparisons.empty()) return "";
  const Comparison& first = comparisons.front();
  Rows rows = {
      {"a", "b", "metric", "a - b", "interval", "level", "p", "P(a>b)", "rule", "verdict"}};
  std::vector<std::string> sentences;
  for (const Comparison& c : comparisons) {
    const bool main = c.metric == first.metric && c.split == first.split;
    if (main) sentences.push_back(c.explanation);
    if (!main && !all) continue;
    const JudgedEvidence& e = c.headline();
    const std::string difference = difference_text(c, c.difference);
    rows.push_back({shortened(c.a, 24), shortened(c.b, 24), c.split + " " + c.metric,
                    difference.substr(0, difference.find(' ')), interval_words(c, e),
                    level_words(e), p_text(e.shown_p()), fixed_text(c.a_greater, 2),
                    e.verdict == Verdict::not_allowed ? "-"
                    : c.headline_is_e2()              ? "E2"
                                                      : "E1",
                    e.verdict == Verdict::positive   ? "a better"
                    : e.verdict == Verdict::negative ? "b better"
                                                     : verdict_words(c, e)});
  }
  std::string out = aligned(rows, 3);
  out +=
      "Rates in percentage points. Rule E2: a verdict for other seeds and other cases; E1: for "
      "other\n"
      "seeds on these images only. p, interval and verdict are corrected (Holm) for the pairs of "
      "a\n"
      "metric, hence the level of the interval; beside \"no effect\" both are of the test of "
      "equivalence.\n\n";
  for (const std::string& sentence : sentences) out += filled(sentence, "- ", "  ", kWidth);
  if (!all) return out;
  for (const std::string& sentence : not_allowed_sentences(comparisons)) {
    out += filled(sentence, "- ", "  ", kWidth);
  }
  // Sentences are those of the first metric, which come first.
  const std::span<const Comparison> said = comparisons.first(sentences.size());
  for (const std::string& caution :
       {several_metrics_caution(comparisons), more_seeds_caution(said, {})}) {
    if (!caution.empty()) out += "\n" + filled(caution, "", "", kWidth);
  }
  return out;
}

}  // namespace bioptic
