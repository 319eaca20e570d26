#include "bioptic/study/compare_arms.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "bioptic/stats/seed_tests.h"
#include "bioptic/study/comparison_sentence.h"
#include "bioptic/study/needed.h"

namespace bioptic {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// 0 stays 0, not -0.
double negated(double value) { return 0 - value; }

// Over the seeds of the contrast, and as it takes them: over folds all images of a repetition.
double mean_of_arm(const PredictionTable& table, const MetricValues& values, std::size_t arm,
                   const ContrastResult& result) {
  if (!result.resampled.empty() && !result.seeds.empty()) {
    std::vector<double> weights(table.arms.size(), 0);
    weights[arm] = 1;
    return contrast(table, values, weights, result.seeds).effect;
  }
  double sum = 0;
  for (std::size_t k = 0; k < table.arms[arm].trials.size(); ++k) {
    const std::int64_t seed = table.arms[arm].trials[k].seed;
    if (std::binary_search(result.seeds.begin(), result.seeds.end(), seed)) {
      sum += values.arms[arm][k].value;
    }
  }
  return result.seeds.empty() ? kNan : sum / static_cast<double>(result.seeds.size());
}

// Adds what stands beside the verdicts.
void describe_seeds(const ContrastResult& result, bool allowed, Comparison& c) {
  c.sign_flip_p = c.a_greater = kNan;
  c.a_greater_between = {kNan, kNan};
  if (result.seeds.size() < 2 || !std::isfinite(result.e1.estimate.value)) return;
  std::vector<double> better = result.per_seed;
  if (c.less_is_better) {
    for (double& d : better) d = -d;
  }
  // Over splits of the same images seeds are no repetitions, whose signs could be flipped.
  if (!result.resampled.empty()) return;
  c.sign_flip_p = sign_flip_p(better);
  // Of fewer seeds, and of seeds that are no repetitions of each other, a share says nothing.
  if (!allowed || result.seeds.size() < static_cast<std::size_t>(kLeastSeedsForVerdict)) return;
  const ShareGreater share = share_greater(better);
  c.a_greater = share.share;
  c.a_greater_between = share.interval;
  c.meaningful = share.meaningful;
}

void count_collapsed(const PredictionTable& table, const MetricValues& values, ArmPair pair,
                     std::span<const double> weights, const ContrastResult& result, Comparison& c) {
  std::vector<std::int64_t> sound;
  for (const std::int64_t seed : result.seeds) {
    const bool a = table.trial(pair.a, seed)->collapsed, b = table.trial(pair.b, seed)->collapsed;
    c.collapsed_a += a ? 1 : 0;
    c.collapsed_b += b ? 1 : 0;
    if (!a && !b) sound.push_back(seed);
  }
  // Over a few images of a fold one predicted class is chance, and the rest are no whole
  // repetition.
  if (!result.resampled.empty()) c.collapsed_a = c.collapsed_b = 0;
  const auto some = [&](int n) { return n > 0 && n < static_cast<int>(result.seeds.size()); };
  if ((!some(c.collapsed_a) && !some(c.collapsed_b)) || sound.empty()) return;
  const ContrastResult without = contrast(table, values, weights, sound);
  if (std::isnan(without.effect)) return;
  Comparison::WithoutCollapsed w{sound.size(), without.effect, kNan, kNan};
  if (sound.size() >= 2 && std::isfinite(without.e1.estimate.value)) {
    const Interval i = cut(interval_of(without.e1.estimate), without.bounds);
    w.low = i.low;
    w.high = i.high;
  }
  c.without_collapsed = w;
}

JudgedEvidence within(JudgedEvidence e, Interval bounds) {
  const Interval i = cut({e.low, e.high}, bounds);
  const Interval equivalent = cut({e.equivalence_low, e.equivalence_high}, bounds);
  e.low = i.low;
  e.high = i.high;
  e.equivalence_low = equivalent.low;
  e.equivalence_high = equivalent.high;
  return e;
}

std::vector<Comparison> compare_by(const PredictionTable& table, const CompareOptions& options,
                                   std::span<const ArmPair> pairs, Metric metric) {
  const MetricValues values = metric_values(table, metric);
  const double margin = has_points(metric) ? options.margin : 0;
  std::vector<Comparison> out;
  std::vector<Evidence> e1, e2;
  std::vector<ContrastResult> results;
  const Interval bounds = bounds_of(metric, std::vector<double>{1, -1}, table.classes.size());
  for (const auto& [a, b] : pairs) {
    std::vector<double> weights(table.arms.size(), 0);
    weights[a] = 1;
    weights[b] = -1;
    const ContrastResult result = contrast(table, values, weights);
    Comparison& c = out.emplace_back();
    c.a = table.arms[a].name;
    c.b = table.arms[b].name;
    c.split = table.split;
    c.metric = name_of(metric);
    c.less_is_better = !larger_is_better(metric);
    c.mean_a = mean_of_arm(table, values, a, result);
    c.mean_b = mean_of_arm(table, values, b, result);
    c.difference = result.effect;
    c.seeds = result.seeds.size();
    c.images = result.images;
    c.groups = result.groups;
    c.chosen = result.chosen;
    c.repeated = result.repeated;
    c.resampled = result.resampled;
    c.shared = result.shared;
    c.bootstrap = result.bootstrap;
    c.seeds_floored = result.seeds_floored;
    c.groups_floored = result.groups_floored;
    c.margin = margin;
    // Over other images with every seed no other question is left.
    c.inference = c.resampled.empty() ? options.inference : Inference::patients;
    c.worth = result.e2.reason.empty() ? result.effective.of_mean : 0;
    c.bounded_by = result.bounded_by;
    c.detect = has_points(metric) ? options.detect : 0;
    describe_seeds(result, options.not_allowed.empty(), c);
    count_collapsed(table, values, {a, b}, weights, result, c);
    e1.push_back(result.e1);
    e2.push_back(result.e2);
    for (Evidence* evidence : {&e1.back(), &e2.back()}) {
      if (evidence->reason.empty()) evidence->reason = options.not_allowed;
    }
    results.push_back(result);
  }
  const std::vector<double> margins(out.size(), margin);
  const std::vector<JudgedEvidence> one = judged(e1, metric, margins),
                                    two = judged(e2, metric, margins);
  for (std::size_t k = 0; k < out.size(); ++k) {
    out[k].e1 = within(one[k], bounds);
    out[k].e2 = within(two[k], bounds);
    Comparison& c = out[k];
    // Without any test, of all the pairs that there may be.
    c.power_tests = c.headline().family > 0 ? c.headline().family : out.size();
    const Needed needed =
        c.headline_is_e2()
            ? needed_for(results[k], c.detect, kAlpha / static_cast<double>(c.power_tests))
            : needed_over_seeds(results[k].e1.estimate, static_cast<int>(c.seeds), c.detect,
                                kAlpha / static_cast<double>(c.power_tests));
    c.seeds_needed = needed.seeds;
    c.seeds_needed_low = needed.seeds_low;
    c.cases_needed = needed.cases;
    c.cases_needed_low = needed.cases_low;
    c.cases_needed_seeds = needed.cases_seeds;
    c.explanation = sentence_of(c);
  }
  return out;
}

}  // namespace

std::vector<JudgedEvidence> judged(std::span<const Evidence> evidence, Metric metric,
                                   std::span<const double> margins) {
  std::vector<Evidence> turned;
  turned.reserve(evidence.size());
  for (const Evidence& e : evidence) turned.push_back(towards_better(e, metric));
  const std::vector<Judgement> judgements = judge(turned, margins);
  std::vector<JudgedEvidence> out;
  for (std::size_t k = 0; k < judgements.size(); ++k) {
    const Judgement& j = judgements[k];
    JudgedEvidence& e = out.emplace_back();
    const bool up = larger_is_better(metric);
    e.verdict = j.verdict;
    e.p = j.p;
    e.p_holm = j.p_holm;
    e.low = up ? j.interval.low : negated(j.interval.high);
    e.high = up ? j.interval.high : negated(j.interval.low);
    e.confidence = 1 - j.level;
    e.df = j.reason.empty() ? evidence[k].estimate.df : kNan;
    e.equivalence_p = margins[k] > 0 ? j.equivalence : kNan;
    e.equivalence_p_holm = margins[k] > 0 ? j.equivalence_holm : kNan;
    e.family = j.family;
    e.equivalence_family = j.equivalence_family;
    e.equivalence_low = up ? j.equivalent.low : negated(j.equivalent.high);
    e.equivalence_high = up ? j.equivalent.high : negated(j.equivalent.low);
    e.equivalence_confidence = 1 - 2 * j.equivalence_level;
    e.smallest_margin = smallest_margin(evidence[k].bound, j.equivalence_level);
    e.reason = j.reason;
  }
  return out;
}

std::vector<Comparison> compare_arms(const PredictionTable& table, const CompareOptions& options,
                                     std::span<const Metric> metrics) {
  const std::vector<ArmPair> pairs =
      options.pairs ? *options.pairs : pairs_of(names_of_arms(table), {}).pairs;
  std::vector<Comparison> out;
  for (const Metric metric : metrics) {
    for (Comparison& c : compare_by(table, options, pairs, metric)) out.push_back(std::move(c));
  }
  return out;
}

std::vector<Comparison> compare_arms(const PredictionTable& table, const CompareOptions& options) {
  return compare_arms(table, options, metrics_of(table));
}

}  // namespace bioptic
