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
    const double equivalence = evidence[i].test ? evidence[i].test->equivalence
                               : e.se == 0      ? 0  // identical
                                                : equivalence_p(e, margins[i]);
    if (margins[i] > 0 || equivalence == 0) within[i] = equivalence;
  }
  const std::vector<double> corrected = holm(p), within_corrected = holm(within);
  const auto tests = [](const std::vector<double>& values) {
    return static_cast<std::size_t>(
        std::count_if(values.begin(), values.end(), [](double v) { return !std::isnan(v); }));
  };
  const std::size_t family = tests(p), equivalence_family = tests(within);
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    const Estimate& e = evidence[i].estimate;
    Judgement& j = out[i];
    j.p = p[i];
    j.p_holm = corrected[i];
    j.equivalence = within[i];
    j.equivalence_holm = within_corrected[i];
    j.family = family;
    j.equivalence_family = equivalence_family;
    if (!j.reason.empty()) {
      j.interval = {kNan, kNan};
      continue;
    }
    j.interval = evidence[i].test ? evidence[i].test->interval : interval_of(e);
    if (j.equivalence_holm <= kAlpha) {
      j.verdict = Verdict::no_effect;
    } else if (j.p_holm <= kAlpha) {
      j.verdict = e.value > 0 ? Verdict::positive : Verdict::negative;
    } else {
      j.verdict = Verdict::undecided;
    }
  }
  return out;
}

}  // namespace bioptic
