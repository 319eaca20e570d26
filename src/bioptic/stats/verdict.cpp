#include "bioptic/stats/verdict.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

namespace bioptic {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

const char* claim_name(Verdict verdict) {
  constexpr std::array<const char*, 5> kNames = {"supported", "refuted", "no_effect", "undecided",
                                                 "not_allowed"};
  return kNames[static_cast<std::size_t>(verdict)];
}

const char* comparison_name(Verdict verdict) {
  constexpr std::array<const char*, 5> kNames = {"a_better", "b_better", "no_effect", "undecided",
                                                 "not_allowed"};
  return kNames[static_cast<std::size_t>(verdict)];
}

Interval interval_at(const Evidence& evidence, double level) {
  const Estimate& e = evidence.estimate;
  if (std::isnan(level) || (e.se == 0 && !evidence.identical)) return {kNan, kNan};
  return interval_of(e, 1 - level);
}

std::vector<Judgement> judge(std::span<const Evidence> evidence, std::span<const double> margins) {
  std::vector<Judgement> out(evidence.size());
  std::vector<double> p(evidence.size(), kNan), within(evidence.size(), kNan);
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    const Estimate& e = evidence[i].estimate;
    out[i].reason = evidence[i].reason;
    if (out[i].reason.empty() && !evidence[i].test && e.se == 0 && e.value != 0) {
      out[i].reason = kNoVariance;
    }
    if (!out[i].reason.empty()) continue;
    p[i] = evidence[i].test ? evidence[i].test->p : two_sided_p(e);
    const bool identical = evidence[i].test ? evidence[i].test->equivalence == 0
                                            : evidence[i].identical && e.value == 0 && e.se == 0;
    if (margins[i] > 0 || identical) {
      within[i] = evidence[i].test ? evidence[i].test->equivalence
                  : identical      ? 0
                                   : equivalence_p(e, evidence[i].bound, margins[i]);
    }
  }
  const std::vector<double> corrected = holm(p), within_corrected = holm(within);
  const std::vector<double> levels = holm_levels(p, kAlpha),
                            within_levels = holm_levels(within, kAlpha);
  const auto tests = [](const std::vector<double>& values) {
    return static_cast<std::size_t>(
        std::count_if(values.begin(), values.end(), [](double v) { return !std::isnan(v); }));
  };
  const std::size_t family = tests(p), equivalence_family = tests(within);
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    Judgement& j = out[i];
    j.p = p[i];
    j.p_holm = corrected[i];
    j.equivalence = within[i];
    j.equivalence_holm = within_corrected[i];
    j.family = family;
    j.equivalence_family = equivalence_family;
    j.level = levels[i];
    j.equivalence_level = within_levels[i];
    j.interval = j.equivalent = {kNan, kNan};
    if (!j.reason.empty()) continue;
    if (!evidence[i].test) {
      j.interval = interval_at(evidence[i], j.level);
      if (evidence[i].identical && j.equivalence == 0) {
        j.equivalent = {0, 0};
      } else if (margins[i] > 0) {
        j.equivalent =
            equivalence_limits(evidence[i].estimate, evidence[i].bound, j.equivalence_level);
      }
    }
    if (j.equivalence_holm <= kAlpha) {
      j.verdict = Verdict::no_effect;
    } else if (j.p_holm <= kAlpha) {
      j.verdict = evidence[i].estimate.value > 0 ? Verdict::positive : Verdict::negative;
    } else {
      j.verdict = Verdict::undecided;
    }
  }
  return out;
}

}  // namespace bioptic
