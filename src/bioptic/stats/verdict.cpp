#include "bioptic/stats/verdict.h"

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
  std::vector<double> p(evidence.size(), kNan);
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    const Estimate& e = evidence[i].estimate;
    out[i].reason = evidence[i].reason;
    if (out[i].reason.empty() && !evidence[i].test && e.se == 0 && e.value != 0) {
      out[i].reason = kNoVariance;
    }
    if (out[i].reason.empty()) p[i] = evidence[i].test ? evidence[i].test->p : two_sided_p(e);
  }
  const std::vector<double> corrected = holm(p);
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    const Estimate& e = evidence[i].estimate;
    Judgement& j = out[i];
    j.p = p[i];
    j.p_holm = corrected[i];
    if (!j.reason.empty()) {
      j.equivalence = kNan;
      j.interval = {kNan, kNan};
      continue;
    }
    if (evidence[i].test) {
      j.interval = evidence[i].test->interval;
      j.equivalence = evidence[i].test->equivalence;
    } else {
      j.interval = interval_of(e);
      j.equivalence = e.se == 0 ? 0 : equivalence_p(e, margins[i]);  // se = 0 here: identical
    }
    if (j.equivalence <= kAlpha) {
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
