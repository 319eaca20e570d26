#include "bioptic/study/explain_claim.h"

#include <fmt/format.h>

#include <cmath>

#include "bioptic/study/comparison_sentence.h"

namespace bioptic {
namespace {

// Enough digits to tell the value from 0, not more than can be meant.
std::string number(double value, bool points, bool sign) {
  if (std::isnan(value)) return "-";
  const double shown = points ? 100 * value : value;
  const double size = std::abs(shown);
  const int digits = size >= 10 ? 1 : size >= 0.1 ? 2 : size >= 0.01 ? 3 : 5;
  std::string text = sign ? fmt::format("{:+.{}f}", shown, size == 0 ? 0 : digits)
                          : fmt::format("{:.{}f}", shown, size == 0 ? 0 : digits);
  return size == 0 ? "0" : text;
}

std::string interval(const ClaimResult& r, double low, double high) {
  if (std::isnan(low)) return "";
  if (r.null_value > 0) {
    return fmt::format("95 % interval {:.0f} to {:.0f} %", 100 * low, 100 * high);
  }
  return fmt::format("95 % interval {} to {}", number(low, r.points, true),
                     number(high, r.points, true));
}

// Of those claims that could be tested.
std::string after_holm(std::size_t family) {
  return family > 1 ? fmt::format(" after Holm's correction for {} claims", family) : "";
}

// Of the test that the verdict rests on.
std::string p_words(const ClaimResult& r, const JudgedEvidence& e) {
  if (e.verdict == Verdict::no_effect && !std::isnan(e.equivalence_p) && r.low != r.high) {
    const std::string p =
        (e.equivalence_p_holm < 0.001 ? "p < 0.001"
                                      : fmt::format("p = {:.3f}", e.equivalence_p_holm)) +
        after_holm(e.equivalence_family);
    if (std::isnan(e.equivalence_low)) return "test of equivalence " + p;
    return fmt::format("test of equivalence {}, 90 % interval {} to {}", p,
                       number(e.equivalence_low, r.points, true),
                       number(e.equivalence_high, r.points, true));
  }
  std::string text = e.p_holm < 0.001 ? "p < 0.001" : fmt::format("p = {:.3f}", e.p_holm);
  return text + after_holm(r.family);
}

// Where every image is its own case, no patients are known.
const char* case_word(const ClaimResult& r) { return r.groups < r.images ? "patients" : "images"; }

std::string cases_words(const ClaimResult& r) {
  return r.groups < r.images ? fmt::format("{} groups of {} images", r.groups, r.images)
                             : fmt::format("{} images", r.images);
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
    const std::string range = interval(r, r.low, r.high);
    if (!range.empty()) text += " (" + range + ")";
    if (e2) {
      text += fmt::format(", and on the hold-out less test, whose {} are apart, {} ({}) over {}",
                          case_word(r), effect_text(r.effect2, r.points, 0),
                          interval(r, e.low, e.high), cases_words(r));
    }
    if (e.verdict != Verdict::not_allowed) text += "; " + p_words(r, e);
    return text;
  }
  if (e2) text += " and " + cases_words(r);
  if (e.verdict == Verdict::not_allowed) return text;
  const std::string range = interval(r, r.low, r.high);
  return text + " (" + (range.empty() ? "" : range + "; ") + p_words(r, e) + ")";
}

std::string scope(const ClaimResult& r) {
  return r.headline_is_e2() ? fmt::format("for other {} and other {} like these{}", r.repeated,
                                          case_word(r), shared_words(r.shared))
                            : fmt::format("for other {} on these images", r.repeated);
}

std::string detect_words(const ClaimResult& r) {
  return r.null_value > 0 ? fmt::format("a true share of {:.0f} %", 100 * (0.5 + r.detect))
                          : fmt::format("a true effect of {}", number(r.detect, r.points, false) +
                                                                   (r.points ? " points" : ""));
}

std::string what_it_takes(const ClaimResult& r) {
  if (!(r.detect > 0)) return "; no margin or effect to detect is declared in its units";
  const std::string wanted = detect_words(r);
  // What Holm's correction asks of the clearest of the claims.
  const std::string level = r.family > 1 ? fmt::format(" at level {} / {}", kAlpha, r.family) : "";
  if (r.seeds_needed) {
    if (*r.seeds_needed > static_cast<int>(r.seeds)) {
      return fmt::format("; to see {} (power 0.8{}) takes about {} seeds, {} more", wanted, level,
                         *r.seeds_needed, *r.seeds_needed - static_cast<int>(r.seeds));
    }
    return fmt::format("; {} would have been seen with a power of 0.8{} by {} seeds", wanted, level,
                       *r.seeds_needed);
  }
  if (r.cases_needed) {
    return fmt::format(
        "; more seeds cannot settle {} on these {}, it takes about {} of them{} with {} seeds{}",
        wanted, case_word(r), *r.cases_needed,
        r.spec.kind == ClaimKind::gap ? ", of hold-out and test together," : "",
        r.cases_needed_seeds.value_or(0), level.empty() ? "" : "," + level);
  }
  return fmt::format("; {} is beyond what more seeds can find", wanted);
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
      if (r.low == r.high && r.effect == r.null_value) {
        text = ", exactly the same in every seed: there is no effect";
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
      text = fmt::format(", so, given this training pool, the claim stays open {}{}", scope(r),
                         what_it_takes(r));
      break;
    case Verdict::not_allowed:
      return fmt::format(", but no verdict is allowed: {}", e.reason);
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
  if (r.null_value > 0)
    return text + fmt::format(" ({:.0f} to {:.0f} %)", 100 * r.low, 100 * r.high);
  return text +
         fmt::format(" ({} to {})", number(r.low, r.points, true), number(r.high, r.points, true));
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
