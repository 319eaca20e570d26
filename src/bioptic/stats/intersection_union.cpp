#include "bioptic/stats/intersection_union.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "bioptic/stats/distributions.h"
#include "bioptic/stats/power.h"
#include "bioptic/stats/seed_tests.h"

namespace bioptic {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double upper_tail(int hits, int n, double share) {  // P(X >= hits)
  return hits == 0 ? 1 : binomial_cdf(n - hits, n, 1 - share);
}

}  // namespace

DirectedTest t_test(const Evidence& evidence, double margin) {
  const Estimate& e = evidence.estimate;
  DirectedTest out;
  out.value = e.value;
  out.reason = evidence.reason;
  if (out.reason.empty() && e.se == 0 && e.value != 0) out.reason = kNoVariance;
  if (!out.reason.empty()) {
    out.p = kNan;
    return out;
  }
  out.interval = [evidence](double level) { return interval_at(evidence, level); };
  out.equivalent = [evidence](double level) {
    return equivalence_limits(evidence.estimate, evidence.bound, level);
  };
  out.p = two_sided_p(e);
  if (evidence.identical && e.se == 0) {
    out.not_below = out.not_above = 0;
    out.equivalent = [](double) { return Interval{0, 0}; };
  } else {
    // Without a margin the larger of the two is at least 1/2.
    const OneSided p = one_sided_p(e, evidence.bound, margin);
    out.not_below = p.not_below;
    out.not_above = p.not_above;
  }
  return out;
}

DirectedTest share_test(int hits, int n, double margin) {
  DirectedTest out;
  out.value = static_cast<double>(hits) / n - 0.5;
  out.p = binomial_p(hits, n);
  const auto around_half = [hits, n](double level) {
    const Interval share = exact_interval(hits, n, 1 - level);
    return Interval{share.low - 0.5, share.high - 0.5};
  };
  out.interval = around_half;
  out.equivalent = [around_half](double level) { return around_half(2 * level); };
  out.not_below = upper_tail(hits, n, 0.5 - margin);
  out.not_above = binomial_cdf(hits, n, 0.5 + margin);
  return out;
}

int share_seeds_needed(double detect, double alpha) {
  constexpr int kMost = 10000;
  for (int n = kLeastSeedsForVerdict; n <= kMost; ++n) {
    // The test rejects from `critical` hits on, and, by symmetry, up to n - critical.
    int critical = n / 2 + 1;
    while (critical <= n && binomial_p(critical, n) > alpha) ++critical;
    if (critical > n) continue;
    const double power =
        upper_tail(critical, n, 0.5 + detect) + binomial_cdf(n - critical, n, 0.5 + detect);
    if (power >= kPowerWanted) return n;
  }
  return 0;
}

UnionTest intersection_union(std::span<const DirectedTest> tests) {
  UnionTest out;
  std::vector<double> p;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    if (!tests[i].reason.empty()) return {tests[i], i};
    p.push_back(tests[i].p);
  }
  const bool all_positive =
      std::all_of(tests.begin(), tests.end(), [](const DirectedTest& t) { return t.value > 0; });
  if (all_positive) {
    out.deciding = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
  } else {
    p = holm(p);
    bool found = false;
    for (std::size_t i = 0; i < tests.size(); ++i) {
      if (tests[i].value > 0) continue;
      if (!found || p[i] < p[out.deciding]) out.deciding = i;
      found = true;
    }
  }
  out.test = tests[out.deciding];
  out.test.p = p[out.deciding];
  // The interval at the level that is left to the deciding test after the correction.
  const double own = tests[out.deciding].p;
  const double times = own > 0 ? out.test.p / own : static_cast<double>(tests.size());
  out.test.interval = [interval = tests[out.deciding].interval, times](double level) {
    return interval(level / times);
  };
  const auto n = static_cast<double>(tests.size());
  double not_below = 0;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    not_below = std::max(not_below, tests[i].not_below);
    if (tests[i].not_above < tests[out.equivalent].not_above) out.equivalent = i;
  }
  out.test.not_below = not_below;
  out.test.not_above = std::min(1.0, n * tests[out.equivalent].not_above);
  out.test.equivalent = [limits = tests[out.equivalent].equivalent, n](double level) {
    return Interval{limits(level).low, limits(level / n).high};
  };
  return out;
}

Evidence evidence_of(const DirectedTest& test) {
  Evidence evidence;
  evidence.estimate.value = test.value;
  evidence.reason = test.reason;
  if (test.reason.empty()) {
    evidence.test = {test.p, std::max(test.not_below, test.not_above)};
  }
  return evidence;
}

}  // namespace bioptic
