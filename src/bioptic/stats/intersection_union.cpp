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

DirectedTest t_test(const Estimate& e, double margin) {
  DirectedTest out;
  out.value = e.value;
  out.interval = interval_of(e);
  if (e.se == 0 && e.value == 0) {
    out.not_below = out.not_above = 0;
    return out;
  }
  if (e.se == 0) {
    out.p = kNan;
    out.reason = kNoVariance;
    return out;
  }
  out.p = two_sided_p(e);
  // Without a margin the larger of the two is at least 1/2.
  out.not_below = t_cdf(-(e.value + margin) / e.se, e.df);
  out.not_above = t_cdf((e.value - margin) / e.se, e.df);
  return out;
}

DirectedTest share_test(int hits, int n, double margin) {
  DirectedTest out;
  out.value = static_cast<double>(hits) / n - 0.5;
  out.p = binomial_p(hits, n);
  const Interval share = exact_interval(hits, n);
  out.interval = {share.low - 0.5, share.high - 0.5};
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
  double not_below = 0, not_above = 1;
  for (const DirectedTest& t : tests) {
    not_below = std::max(not_below, t.not_below);
    not_above = std::min(not_above, t.not_above);
  }
  out.test.not_below = not_below;
  out.test.not_above = std::min(1.0, static_cast<double>(tests.size()) * not_above);
  if (std::max(out.test.not_below, out.test.not_above) <= kAlpha) {
    // "No effect" is then the verdict, and the test that it rests on the one to show.
    for (std::size_t i = 0; i < tests.size(); ++i) {
      if (tests[i].not_above < tests[out.deciding].not_above) out.deciding = i;
    }
    out.test.value = tests[out.deciding].value;
    out.test.interval = tests[out.deciding].interval;
  }
  return out;
}

Evidence evidence_of(const DirectedTest& test) {
  Evidence evidence;
  evidence.estimate.value = test.value;
  evidence.reason = test.reason;
  if (test.reason.empty()) {
    evidence.test = {test.p, std::max(test.not_below, test.not_above), test.interval};
  }
  return evidence;
}

}  // namespace bioptic
