#include "bioptic/study/comparison_sentence.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "bioptic/study/metric_values.h"

namespace bioptic {
namespace {

// Two digits of a rate, four of another metric; more where what is not 0 would round to 0.
std::string points(const Comparison& c, double value, bool sign) {
  const bool rate = c.metric != "brier" && c.metric != "log_loss" && c.metric != "auroc";
  const double shown = (rate ? 100 * value : value) + 0.0;  // no -0
  int digits = rate ? 2 : 4;
  while (shown != 0 && std::abs(shown) < 0.5 * std::pow(10, -digits) && digits < 9) ++digits;
  return sign ? fmt::format("{:+.{}f}", shown, digits) : fmt::format("{:.{}f}", shown, digits);
}

std::string unit(const Comparison& c) {
  return c.metric == "brier" || c.metric == "log_loss" || c.metric == "auroc" ? "" : " points";
}

std::string metric_words(const Comparison& c) {
  const std::optional<Metric> metric = metric_named(c.metric);
  return metric ? std::string(words_of(*metric)) : c.metric;
}

// Of those pairs that could be tested.
std::string corrected_for(std::size_t family) {
  return family > 1 ? fmt::format(" corrected for {} pairs", family) : "";
}

// "95 % interval -0.10 to +2.30 points; p 0.030 corrected for 3 pairs"
std::string numbers(const Comparison& c, const JudgedEvidence& e) {
  std::string text;
  if (!std::isnan(e.low)) {
    text = fmt::format("{} interval {} to {}{}; ", confidence_text(e.confidence),
                       points(c, e.low, true), points(c, e.high, true), unit(c));
  }
  return text + "p " + p_text(e.p_holm) + corrected_for(e.family);
}

// "90 % interval -0.62 to 0.71 points; test of equivalence p 0.012 corrected for 3 pairs"
std::string equivalence_numbers(const Comparison& c, const JudgedEvidence& e) {
  return fmt::format("{} interval {} to {}{}; test of equivalence p {}{}",
                     confidence_text(e.equivalence_confidence), points(c, e.equivalence_low, true),
                     points(c, e.equivalence_high, true), unit(c), p_text(e.equivalence_p_holm),
                     corrected_for(e.equivalence_family));
}

// The interval of how much better the better arm is, whichever it is.
JudgedEvidence size_of(const Comparison& c, JudgedEvidence e) {
  if (c.difference < 0) {
    std::swap(e.low, e.high);
    e.low = -e.low;
    e.high = -e.high;
  }
  return e;
}

// What stands in the way of "no effect", where a reader who sees a small difference will look for
// it: too few patients for the margin, or a test that is not clear enough.
std::string why_not_equivalent(const Comparison& c, const JudgedEvidence& e) {
  if (!(c.margin > 0)) return "";
  const std::string margin = points(c, c.margin, false) + unit(c);
  if (e.smallest_margin > c.margin) {
    return fmt::format(" {} cannot show that two arms differ by less than {}: {} at best.",
                       c.bounded_by, margin, points(c, e.smallest_margin, false) + unit(c));
  }
  const bool looks_small = e.low >= -c.margin && e.high <= c.margin;
  if (!looks_small) return "";
  return fmt::format(
      " That they differ by less than the margin of {} is not shown: test of equivalence p {}{}.",
      margin, p_text(e.equivalence_p_holm), corrected_for(e.equivalence_family));
}

// " at level 0.05 / 3": what Holm's correction asks of the clearest of three pairs.
std::string at_level(const Comparison& c) {
  return c.power_tests > 1 ? fmt::format(" at level {} / {}", kAlpha, c.power_tests) : "";
}

std::string after(const char* before, const std::string& text) {
  return text.empty() ? "" : before + text;
}

// What it takes to find the difference: a plan, and how well so few seeds know it.
std::string more(const Comparison& c, const char* cases) {
  if (!(c.detect > 0)) return "";
  const std::string wanted = points(c, c.detect, false) + unit(c);
  const bool e2 = c.headline_is_e2();
  if (c.seeds_needed) {
    const int n = *c.seeds_needed;
    if (n > static_cast<int>(c.seeds)) {
      return fmt::format(
          " To find a true difference of {} (power 0.8{}), plan for {} seeds in all, {} more{}{}.",
          wanted, at_level(c), n, n - static_cast<int>(c.seeds),
          e2 ? fmt::format(", on these {} {}", c.groups, cases) : "",
          after("; ", judging_from(c.seeds, "seeds", c.seeds_needed_low, n)));
    }
    return fmt::format(
        " {} seeds are enough to find a true difference of {} {} with a power of 0.8{}, going by "
        "how these trainings vary; a smaller one takes more.",
        n, wanted,
        e2 ? fmt::format("on {} {} like these", c.groups, cases) : "on these very images",
        at_level(c));
  }
  const std::string level = c.power_tests > 1 ? "," + at_level(c) : "";
  if (e2 && c.seeds_needed_low) {
    return fmt::format(
        " {} seeds cannot tell yet whether more seeds would settle a difference of {} on these {} "
        "{} (power 0.8{}): as few as {} may be enough, or it may take more {}{}. More seeds will "
        "tell first.",
        c.seeds, wanted, c.groups, cases, at_level(c), *c.seeds_needed_low, cases,
        c.cases_needed
            ? fmt::format(", up to {} with {} seeds", *c.cases_needed, *c.cases_needed_seeds)
            : "");
  }
  if (e2 && c.cases_needed) {
    return fmt::format(
        " More seeds cannot settle a difference of {} on these {} {}: plan for {} {} (with {} "
        "seeds{}){}.",
        wanted, c.groups, cases, *c.cases_needed, cases, *c.cases_needed_seeds, level,
        after("; ", judging_from(c.groups, cases, c.cases_needed_low, *c.cases_needed)));
  }
  if (e2) return "";
  if (c.seeds_needed_low) {
    return fmt::format(" A difference of {} takes at least {} seeds.", wanted, *c.seeds_needed_low);
  }
  return fmt::format(" A difference of {} is beyond what more seeds can find.", wanted);
}

std::string collapsed_text(const Comparison& c) {
  if (c.collapsed_a + c.collapsed_b == 0) return "";
  std::string text;
  const auto one = [&](const std::string& arm, int n) {
    if (n == 0) return;
    text += fmt::format(" {} of {} trainings of {} collapsed and {} counted.", n, c.seeds, arm,
                        n == 1 ? "is" : "are");
  };
  one(c.a, c.collapsed_a);
  one(c.b, c.collapsed_b);
  if (c.without_collapsed) {
    const auto& w = *c.without_collapsed;
    text += fmt::format(
        " Without the seeds of collapsed trainings the difference is {}{} over {} seed{}.",
        points(c, w.difference, true), unit(c), w.seeds, w.seeds == 1 ? "" : "s");
  }
  return text;
}

}  // namespace

std::string difference_text(const Comparison& c, double value) {
  if (std::isnan(value)) return "-";
  return points(c, value, true) + unit(c);
}

std::string judging_from(std::size_t seen, std::string_view what, std::optional<int> low,
                         int high) {
  if (!low || *low >= high) return "";
  return fmt::format("judging from these {} {}, it takes {} to {}", seen, what, *low, high);
}

std::string p_text(double p) {
  if (std::isnan(p)) return "-";
  if (p < 0.001) return "< 0.001";
  // A p just above the level is not shown as the level.
  for (int digits = 3; digits < 6; ++digits) {
    if (p <= kAlpha || std::round(p * std::pow(10, digits)) > kAlpha * std::pow(10, digits)) {
      return fmt::format("{:.{}f}", p, digits);
    }
  }
  return fmt::format("{:.6f}", p);
}

std::string confidence_text(double confidence) {
  const double percent = 100 * confidence;
  // 95 %, 98.3 %, 99.75 %: never rounded up to a whole 100.
  for (const int digits : {0, 1, 2}) {
    const double scale = std::pow(10, digits);
    const double shown = std::round(percent * scale) / scale;
    if (std::abs(shown - percent) < (digits == 0 ? 1e-6 : 0.04) && shown < 100) {
      return fmt::format("{:.{}f} %", shown, digits);
    }
  }
  return fmt::format("{:.4f} %", percent);
}

namespace {

// What one kind of evidence says of the pair, in the words that follow "on these images only".
std::string finding(const Comparison& c, const JudgedEvidence& e, const std::string& where) {
  const std::string metric = c.split + " " + metric_words(c);
  switch (e.verdict) {
    case Verdict::positive:
    case Verdict::negative: {
      const bool a = e.verdict == Verdict::positive;
      return fmt::format("{} is better than {} in {} by {}{} ({}), {}, with this training pool",
                         a ? c.a : c.b, a ? c.b : c.a, metric,
                         points(c, std::abs(c.difference), false), unit(c),
                         numbers(c, size_of(c, e)), where);
    }
    case Verdict::no_effect:
      if (e.equivalence_low == 0 && e.equivalence_high == 0) {
        return fmt::format("{} and {} gave every image the same score in every seed", c.a, c.b);
      }
      return fmt::format(
          "{} and {} differ in {} by less than the margin of {}{} ({}), {}, with this training "
          "pool",
          c.a, c.b, metric, points(c, c.margin, false), unit(c), equivalence_numbers(c, e), where);
    case Verdict::undecided:
      return fmt::format("it is undecided whether {} and {} differ in {}: {}{} ({}), {}", c.a, c.b,
                         metric, points(c, c.difference, true), unit(c), numbers(c, e), where);
    case Verdict::not_allowed:
      break;
  }
  return e.reason;  // not reached: callers ask of allowed evidence
}

std::string as_sentence(std::string text) {
  constexpr std::string_view kOpen = "it is undecided";
  if (text.starts_with(kOpen)) text.replace(0, kOpen.size(), "Undecided");
  return text + ".";
}

}  // namespace

std::string sentence_of(const Comparison& c) {
  const char* cases = c.groups < c.images ? "groups" : "images";
  const bool e2 = c.headline_is_e2();
  const JudgedEvidence& e = c.headline();
  const std::string on_these =
      fmt::format("for other {} on these images{}", c.repeated, e2 ? "" : " only");
  if (e.verdict == Verdict::not_allowed) {
    std::string text = fmt::format("No verdict on {} and {} in {} {}: {}.", c.a, c.b, c.split,
                                   metric_words(c), e.reason);
    if (e2 && c.resampled.empty() && c.e1.verdict != Verdict::not_allowed) {
      text += " On these images only, " + finding(c, c.e1, "for other " + c.repeated) + ".";
    }
    if (!c.chosen.empty() && c.chosen != e.reason) text += " And " + c.chosen + ".";
    return text + collapsed_text(c);
  }
  const std::string where = !c.resampled.empty()
                                ? fmt::format("for other splits of this kind ({})", c.resampled)
                            : e2 ? fmt::format("for other {} and other cases like these {} {}{}",
                                               c.repeated, c.groups, cases, shared_words(c.shared))
                                 : on_these;
  std::string text = as_sentence(finding(c, e, where));
  if (e.verdict == Verdict::undecided) text += why_not_equivalent(c, e) + more(c, cases);
  if (!e2 && !c.chosen.empty()) text += " And " + c.chosen + ".";
  return text + collapsed_text(c);
}

}  // namespace bioptic
