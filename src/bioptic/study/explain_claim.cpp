#include "bioptic/study/explain_claim.h"

#include <fmt/format.h>

#include <cmath>

#include "bioptic/base/counted.h"
#include "bioptic/study/comparison_sentence.h"

namespace bioptic {
namespace {

// Enough digits to tell the value from 0, not more than can be meant.
std::string number(double value, bool points, bool sign) {
  if (std::isnan(value)) return "-";
  const double shown = points ? 100 * value : value;
  const double size = std::abs(shown);
  int digits = size >= 10 ? 1 : size >= 0.1 ? 2 : size >= 0.01 ? 3 : 5;
  while (size > 0 && size < 0.5 * std::pow(10, -digits) && digits < 9) ++digits;
  std::string text = sign ? fmt::format("{:+.{}f}", shown, size == 0 ? 0 : digits)
                          : fmt::format("{:.{}f}", shown, size == 0 ? 0 : digits);
  return size == 0 ? "0" : text;
}

std::string interval(const ClaimResult& r, double low, double high, double confidence) {
  if (std::isnan(low)) return "";
  const std::string which = confidence_text(confidence) + " interval ";
  if (r.null_value > 0) {
    return which + fmt::format("{:.0f} to {:.0f} %", 100 * low, 100 * high);
  }
  return which + fmt::format("{} to {}", number(low, r.points, true), number(high, r.points, true));
}

std::string interval(const ClaimResult& r, const JudgedEvidence& e) {
  const JudgedEvidence::Shown shown = e.shown();
  return interval(r, shown.low, shown.high, shown.confidence);
}

// Of those claims that could be tested.
std::string after_holm(std::size_t family) {
  return family > 1 ? fmt::format(" after Holm's correction for {} claims", family) : "";
}

std::string p_equals(double p) { return p < 0.001 ? "p < 0.001" : "p = " + p_text(p); }

// Of the test that the verdict rests on.
std::string p_words(const JudgedEvidence& e) {
  if (e.verdict == Verdict::no_effect && !std::isnan(e.equivalence_p)) {
    return "test of equivalence " + p_equals(e.equivalence_p_holm) +
           after_holm(e.equivalence_family);
  }
  return p_equals(e.p_holm) + after_holm(e.family);
}

// "95 % interval +0.4 to +2.1; p = 0.012 after ..."
std::string numbers(const ClaimResult& r, const JudgedEvidence& e) {
  const std::string range = interval(r, e);
  return (range.empty() ? "" : range + "; ") + p_words(e);
}

bool is_identical(const ClaimResult& r, const JudgedEvidence& e) {
  return e.verdict == Verdict::no_effect && r.null_value == 0 && e.equivalence_low == 0 &&
         e.equivalence_high == 0;
}

// Where every image is its own case, no patients are known.
const char* case_word(const ClaimResult& r) { return r.groups < r.images ? "patients" : "images"; }

std::string cases_words(const ClaimResult& r) {
  return r.groups < r.images ? counted(r.groups, "group") + " of " + counted(r.images, "image")
                             : counted(r.images, "image");
}

// What was measured: "the test accuracy of 'a' less that of 'b' is +0.80 points over 10 seeds ..."
std::string measured(const ClaimResult& r) {
  const JudgedEvidence& e = r.headline();
  const bool e2 = r.headline_is_e2();
  std::string text;
  if (r.spec.kind == ClaimKind::order) text = "Against the rival that decides, the ";
  if (r.spec.kind == ClaimKind::all_of) text = "In the part that decides, the ";
  if (text.empty()) text = "The ";
  text +=
      fmt::format("{} is {} over {} seed{}", r.words, effect_text(r.effect, r.points, r.null_value),
                  r.seeds, r.seeds == 1 ? "" : "s");
  if (r.spec.kind == ClaimKind::gap) {
    const std::string range = interval(r, r.low, r.high, r.confidence);
    if (!range.empty())
      text += e2 ? " (over seeds, uncorrected, " + range + ")" : " (" + range + ")";
    if (e2 && e.verdict != Verdict::not_allowed) {
      text += fmt::format(", and on the hold-out less test, whose {} are apart, {} ({}) over {}",
                          case_word(r), effect_text(r.effect2, r.points, 0), numbers(r, e),
                          cases_words(r));
    } else if (e.verdict != Verdict::not_allowed) {
      text += "; " + p_words(e);
    }
    return text;
  }
  if (e2 && r.images > 0) text += " and " + cases_words(r);
  if (e.verdict == Verdict::not_allowed) return text;
  return text + " (" + numbers(r, e) + ")";
}

std::string scope(const ClaimResult& r) {
  if (!r.resampled.empty()) return fmt::format("for other splits of this kind ({})", r.resampled);
  return r.headline_is_e2() ? fmt::format("for other {} and other {} like these{}", r.repeated,
                                          case_word(r), shared_words(r.shared))
                            : fmt::format("for other {} on these images only", r.repeated);
}

std::string detect_words(const ClaimResult& r) {
  return r.null_value > 0 ? fmt::format("a true share of {:.0f} %", 100 * (0.5 + r.detect))
                          : fmt::format("a true effect of {}", number(r.detect, r.points, false) +
                                                                   (r.points ? " points" : ""));
}

std::string in_brackets(const std::string& text) { return text.empty() ? "" : " (" + text + ")"; }

std::string what_it_takes(const ClaimResult& r) {
  if (!r.resampled.empty()) return "";
  if (!(r.detect > 0)) return "; no margin or effect to detect is declared in its units";
  const std::string wanted = detect_words(r);
  // What Holm's correction asks of the clearest of the claims.
  const std::string level = r.family > 1 ? fmt::format(" at level {} / {}", kAlpha, r.family) : "";
  if (r.seeds_needed) {
    if (*r.seeds_needed > static_cast<int>(r.seeds)) {
      return fmt::format(
          "; to see {} (power 0.8{}), plan for {} seeds, {} more{}", wanted, level, *r.seeds_needed,
          *r.seeds_needed - static_cast<int>(r.seeds),
          in_brackets(judging_from(r.seeds, "seeds", r.seeds_needed_low, *r.seeds_needed)));
    }
    return fmt::format("; {} would have been seen with a power of 0.8{} by {} seeds", wanted, level,
                       *r.seeds_needed);
  }
  const char* both = r.spec.kind == ClaimKind::gap ? ", of hold-out and test together," : "";
  if (r.headline_is_e2() && r.seeds_needed_low) {
    return fmt::format(
        "; {} seeds cannot tell yet whether more seeds would settle {} on these {} (power 0.8{}): "
        "as few as {} may be enough, or it may take more {}{}, which more seeds will tell first",
        r.seeds, wanted, case_word(r), level, *r.seeds_needed_low, case_word(r),
        r.cases_needed ? fmt::format(", up to {}{} with {} seeds", *r.cases_needed, both,
                                     r.cases_needed_seeds.value_or(0))
                       : "");
  }
  if (r.cases_needed) {
    return fmt::format(
        "; more seeds cannot settle {} on these {}, so plan for {} of them{} with {} seeds{}{}",
        wanted, case_word(r), *r.cases_needed, both, r.cases_needed_seeds.value_or(0),
        level.empty() ? "" : "," + level,
        in_brackets(judging_from(r.groups, case_word(r), r.cases_needed_low, *r.cases_needed)));
  }
  if (r.seeds_needed_low) {
    return fmt::format("; {} takes at least {} seeds", wanted, *r.seeds_needed_low);
  }
  return fmt::format("; {} is beyond what more seeds can find", wanted);
}

// Where a reader who sees a small effect will look for "no effect": too few patients for the
// margin, or a test that is not clear enough.
std::string why_not_equivalent(const ClaimResult& r, const JudgedEvidence& e) {
  if (!(r.margin > 0) || r.null_value > 0 || std::isnan(e.low)) return "";
  const std::string unit = r.points ? " points" : "";
  const std::string margin = number(r.margin, r.points, false) + unit;
  if (e.smallest_margin > r.margin) {
    return fmt::format("; {} cannot show an effect to be smaller than {}, but than {} at best",
                       r.bounded_by, margin, number(e.smallest_margin, r.points, false) + unit);
  }
  if (e.low < -r.margin || e.high > r.margin) return "";
  return fmt::format(
      "; that it is smaller than the margin of {} is not shown (test of equivalence {}{})", margin,
      p_equals(e.equivalence_p_holm), after_holm(e.equivalence_family));
}

// E1 beside a verdict that is not allowed, for what it is.
std::string on_these_images(const ClaimResult& r) {
  const char* said = "";
  switch (r.e1.verdict) {
    case Verdict::positive:
      said = "is supported";
      break;
    case Verdict::negative:
      said = "is refuted";
      break;
    case Verdict::no_effect:
      said = "has no effect as large as the margin";
      break;
    case Verdict::undecided:
      said = "stays open";
      break;
    case Verdict::not_allowed:
      return "";
  }
  return fmt::format("; on these images only, for other {}, the claim {} (effect {}; {})",
                     r.repeated, said, effect_text(r.effect1, r.points, r.null_value),
                     numbers(r, r.e1));
}

std::string concluded(const ClaimResult& r, const ShiftEvidence* shift) {
  const JudgedEvidence& e = r.headline();
  std::string text;
  switch (e.verdict) {
    case Verdict::positive:
      text = fmt::format(", so, given this training pool, the claim is supported {}", scope(r));
      break;
    case Verdict::negative:
      text = r.spec.because_of_shift && r.effect > 0
                 ? std::string(
                       ", so there is a gap, but the evidence on its reason refutes the "
                       "claim")
                 : fmt::format(", so, given this training pool, the claim is refuted {}", scope(r));
      break;
    case Verdict::no_effect:
      if (is_identical(r, e)) {
        text = ", for the arms gave every image the same score in every seed: there is no effect";
      } else {
        const std::string margin =
            r.null_value > 0 ? fmt::format("{:.0f} % about one half", 100 * r.margin)
                             : number(r.margin, r.points, false) + (r.points ? " points" : "");
        text = fmt::format(
            ", which shows, given this training pool, that there is no effect as large as the "
            "margin of {} {}",
            margin, scope(r));
      }
      break;
    case Verdict::undecided:
      if (r.spec.because_of_shift && e.p_holm <= kAlpha) {
        text = ", so there is a gap, but that a shift is its cause stays open";
        break;
      }
      text = fmt::format(", so, given this training pool, the claim stays open {}{}{}", scope(r),
                         why_not_equivalent(r, e), what_it_takes(r));
      break;
    case Verdict::not_allowed:
      text = fmt::format(", but no verdict is allowed: {}", e.reason);
      if (r.headline_is_e2() && r.resampled.empty() && r.e1.verdict != Verdict::not_allowed) {
        text += on_these_images(r);
      }
      return text;
  }
  if (r.spec.because_of_shift && shift != nullptr && !shift->words.empty()) {
    text += "; " + shift->words;
  }
  return text;
}

}  // namespace

std::string effect_text(double effect, bool points, double null_value) {
  if (std::isnan(effect)) return "-";
  if (null_value > 0) return fmt::format("{:.0f} %", 100 * effect);
  return number(effect, points, true) + (points ? " points" : "");
}

std::string effect_with_interval(const ClaimResult& r) {
  std::string text = effect_text(r.effect, r.points, r.null_value);
  if (std::isnan(r.low)) return text;
  const bool beside = r.spec.kind == ClaimKind::gap && r.headline_is_e2();
  return text + (beside ? " (over seeds, uncorrected, " : " (") +
         interval(r, r.low, r.high, r.confidence) + ")";
}

std::string verdict_words(Verdict verdict) {
  switch (verdict) {
    case Verdict::positive:
      return "supported";
    case Verdict::negative:
      return "refuted";
    case Verdict::no_effect:
      return "no effect";
    case Verdict::undecided:
      return "undecided";
    case Verdict::not_allowed:
      return "not allowed";
  }
  return "";
}

std::string explain(const ClaimResult& r, const ShiftEvidence* shift) {
  std::string text;
  if (std::isnan(r.effect)) {
    text = "No verdict is allowed: " + r.headline().reason;
  } else {
    text = measured(r) + concluded(r, shift);
  }
  for (const std::string& aside : r.asides) text += "; " + aside;
  if (r.without_collapsed) {
    text += fmt::format("; without the seeds of collapsed trainings it is {} over {} seed{}",
                        effect_text(r.without_collapsed->effect, r.points, r.null_value),
                        r.without_collapsed->seeds, r.without_collapsed->seeds == 1 ? "" : "s");
  }
  return text + ".";
}

}  // namespace bioptic
