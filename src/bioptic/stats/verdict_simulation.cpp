#include "bioptic/stats/verdict_simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <utility>

#include "bioptic/base/random.h"
#include "bioptic/stats/crossed.h"
#include "bioptic/stats/distributions.h"
#include "bioptic/stats/reader_study.h"
#include "bioptic/stats/seed_tests.h"
#include "bioptic/stats/verdict.h"

namespace bioptic::simulation {
namespace {

constexpr double kImageSd = 1.2, kNoiseSd = 0.8;

// Groups of the test split by size, 1 to 7 images, of the classes normal and pneumonia.
constexpr std::array<std::array<int, 7>, 2> kGroups = {
    {{152, 18, 4, 0, 0, 0, 0}, {89, 26, 9, 5, 1, 0, 1}}};

struct Cases {
  std::vector<std::size_t> group_of, own;  // own: every image its own group
  std::vector<int> label;
  std::size_t groups = 0;
};

Cases test_split() {
  Cases c;
  for (int label = 0; label < 2; ++label) {
    for (int size = 1; size <= 7; ++size) {
      for (int k = 0;
           k < kGroups[static_cast<std::size_t>(label)][static_cast<std::size_t>(size - 1)];
           ++k, ++c.groups) {
        for (int i = 0; i < size; ++i) {
          c.own.push_back(c.own.size());
          c.group_of.push_back(c.groups);
          c.label.push_back(label);
        }
      }
    }
  }
  return c;
}

using Numbers = std::vector<double>;

// One effect per image, of sd 1, correlated within groups.
void draw_effect(RandomStream& stream, const Cases& cases, double correlation, Numbers& out) {
  const double shared = std::sqrt(correlation), own = std::sqrt(1 - correlation);
  std::size_t group = cases.groups;  // none
  double of_group = 0;
  out.resize(cases.group_of.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (cases.group_of[i] != group) {
      group = cases.group_of[i];
      of_group = correlation > 0 ? stream.normal() : 0;
    }
    out[i] = shared * of_group + (correlation < 1 ? own * stream.normal() : 0);
  }
}

struct Study {
  std::vector<Numbers> margin[2];  // [arm][seed][image]
};

// The margin's constant for which an arm has this accuracy; sd: of everything else.
double constant_for(double accuracy, double sd) { return sd * normal_quantile(accuracy); }

Study draw(RandomStream& stream, const Law& law, int seeds, const Cases& cases) {
  const double sd = std::sqrt(kImageSd * kImageSd + law.interaction * law.interaction +
                              kNoiseSd * kNoiseSd + law.seed_sd * law.seed_sd);
  Study study;
  Numbers image, interaction, noise;
  draw_effect(stream, cases, law.correlation, image);
  for (int arm = 0; arm < 2; ++arm) {
    draw_effect(stream, cases, law.correlation, interaction);
    double accuracy = law.accuracy + (arm == 0 ? law.difference : 0);
    const double collapse = arm == 0 ? law.collapse_share_a : 0;
    accuracy = (accuracy - 0.5 * collapse) / (1 - collapse);
    for (int s = 0; s < seeds; ++s) {
      Numbers& margin = study.margin[arm].emplace_back(cases.label.size());
      if (collapse > 0 && stream.uniform() < collapse) {
        const int predicted = static_cast<int>(stream.below(2));
        for (std::size_t i = 0; i < margin.size(); ++i) {
          margin[i] = cases.label[i] == predicted ? 1 : -1;
        }
        continue;
      }
      const bool low = law.low_peak_share > 0 && stream.uniform() < law.low_peak_share;
      // The peaks are law.low_peak_drop apart, and their mean is `accuracy`.
      const double own = accuracy + law.low_peak_drop * (law.low_peak_share - (low ? 1 : 0)) *
                                        (law.low_peak_share > 0 ? 1 : 0);
      const double c = constant_for(own, sd) + law.seed_sd * stream.normal();
      draw_effect(stream, cases, law.correlation, noise);
      for (std::size_t i = 0; i < margin.size(); ++i) {
        margin[i] =
            c + kImageSd * image[i] + law.interaction * interaction[i] + kNoiseSd * noise[i];
      }
    }
  }
  return study;
}

Numbers differences_of(const Study& study) {
  Numbers d;
  for (std::size_t s = 0; s < study.margin[0].size(); ++s) {
    for (std::size_t i = 0; i < study.margin[0][s].size(); ++i) {
      d.push_back((study.margin[0][s][i] > 0 ? 1.0 : 0.0) -
                  (study.margin[1][s][i] > 0 ? 1.0 : 0.0));
    }
  }
  return d;
}

// The rule broken on purpose: mean squares as they come.
Estimate without_floors(const CrossedEstimate& c, double s, double g) {
  const double sum = c.ms_seeds + c.ms_groups - c.ms_error;
  const double df = sum * sum /
                    (c.ms_seeds * c.ms_seeds / (s - 1) + c.ms_groups * c.ms_groups / (g - 1) +
                     c.ms_error * c.ms_error / ((s - 1) * (g - 1)));
  return {c.estimate.value, std::sqrt(sum / (s * g)), df};
}

// Beside Hillis' rule, as in the crossed t: the readers' mean square is not taken below its error,
// and the groups have degrees of freedom too.
Estimate with_floor(const ReaderEstimate& e, double s, double g) {
  const double a = std::max(e.over_readers, e.own - e.shared) / s, c = std::max(e.shared, 0.0);
  const double v = a + c;
  return {e.estimate.value, std::sqrt(v), v * v / (a * a / (s - 1) + c * c / (g - 1))};
}

// Difference of the mean AUROC over seeds, each by the jackknife over groups.
ReaderEstimate auroc_difference(const Study& study, const Cases& cases) {
  std::vector<Numbers> values(2);
  std::vector<std::vector<Numbers>> without(2);
  Numbers scores(cases.label.size());
  for (std::size_t arm = 0; arm < 2; ++arm) {
    for (const Numbers& margin : study.margin[arm]) {
      for (std::size_t i = 0; i < scores.size(); ++i) {
        scores[i] = cases.label[i] != 0 ? margin[i] : -margin[i];
      }
      JackknifedAuroc one = jackknifed_auroc(scores, cases.label, cases.group_of, cases.groups);
      values[arm].push_back(one.value);
      without[arm].push_back(std::move(one.without));
    }
  }
  Numbers d = values[0];
  std::vector<Numbers> d_without = without[0];
  for (std::size_t r = 0; r < d.size(); ++r) {
    d[r] -= values[1][r];
    for (std::size_t g = 0; g < cases.groups; ++g) d_without[r][g] -= without[1][r][g];
  }
  return reader_contrast(d, d_without);
}

// The expected AUROC of an arm: of two independent margins of different classes, both about c.
double true_auroc(const Law& law, double accuracy) {
  const double within =
      kImageSd * kImageSd + law.interaction * law.interaction + kNoiseSd * kNoiseSd;
  const double sd = std::sqrt(within + law.seed_sd * law.seed_sd);
  // z1 + z0 is N(2c, 2 within + (2 seed)^2): a seed's level moves both classes the same way.
  return normal_cdf(2 * constant_for(accuracy, sd) /
                    std::sqrt(2 * within + 4 * law.seed_sd * law.seed_sd));
}

// Counts a rule that is a t test with an interval; keeps what the true variance needs.
class Tally {
 public:
  explicit Tally(std::string name) { rule_.name = std::move(name); }
  void add(const Estimate& e, double truth) {
    rule_.has_interval = true;
    estimates_.push_back(e);
    // Below a tenth of a degree of freedom the quantile is beyond any use, and soon beyond a
    // double.
    if (!std::isfinite(e.se) || !(e.df > 0.1)) {  // no test and no interval
      ++rule_.useless;
      return;
    }
    rule_.rejected += two_sided_p(e) <= kAlpha ? 1 : 0;
    const Interval i = interval_of(e);
    rule_.covered += i.low <= truth && truth <= i.high ? 1 : 0;
    rule_.useless += i.high - i.low >= 2 ? 1 : 0;  // no difference is outside [-1, 1]
  }
  Rule finish() {
    double mean = 0, squares = 0;
    const auto n = static_cast<double>(estimates_.size());
    for (const Estimate& e : estimates_) mean += e.value / n;
    for (const Estimate& e : estimates_) squares += (e.value - mean) * (e.value - mean);
    const double se = std::sqrt(squares / (n - 1));
    for (const Estimate& e : estimates_) {
      if (!std::isfinite(e.se) || !(e.df > 0.1)) continue;
      rule_.at_true_variance += two_sided_p({e.value, se, e.df}) <= kAlpha ? 1 : 0;
    }
    mean_ = mean;
    return rule_;
  }
  double mean() const { return mean_; }

 private:
  Rule rule_;
  std::vector<Estimate> estimates_;
  double mean_ = 0;
};

}  // namespace

const Rule& Outcome::operator[](const std::string& name) const {
  for (const Rule& rule : rules) {
    if (rule.name == name) return rule;
  }
  throw std::logic_error("no rule '" + name + "'");
}

Outcome simulate(const Law& law, int seeds, int repetitions, bool with_auroc,
                 std::uint64_t stream_number) {
  const Cases cases = test_split();
  const std::size_t n = cases.label.size();
  const auto s = static_cast<std::size_t>(seeds);
  RandomStream stream(stream_number, "verdict simulation");
  Outcome out;
  out.seeds = seeds;
  out.repetitions = repetitions;
  out.law = law;
  Tally crossed("crossed t"), readers("reader study"), floored_readers("reader study with a floor"),
      no_floors("crossed t without floors"), by_image("images as cases"),
      paired("paired t over seeds");
  Rule mcnemar{"McNemar pooled over seeds", 0, 0, 0, 0, false},
      one_run{"one run each, 2 points", 0, 0, 0, 0, false};
  const double auroc_truth =
      true_auroc(law, law.accuracy + law.difference) - true_auroc(law, law.accuracy);
  for (int k = 0; k < repetitions; ++k) {
    const Study study = draw(stream, law, seeds, cases);
    const Numbers d = differences_of(study);
    const CrossedEstimate c = crossed_t(group_values(d, s, cases.group_of, cases.groups));
    crossed.add(c.estimate, law.difference);
    no_floors.add(without_floors(c, seeds, static_cast<double>(cases.groups)), law.difference);
    by_image.add(crossed_t(group_values(d, s, cases.own, n)).estimate, law.difference);
    out.floored += c.seeds_floored || c.groups_floored ? 1 : 0;
    const std::vector<Evidence> evidence = {{c.estimate, ""}};
    const Verdict verdict = judge(evidence, std::vector<double>{0.01})[0].verdict;
    out.different += verdict == Verdict::positive || verdict == Verdict::negative ? 1 : 0;

    Numbers per_seed(s);
    int only_a = 0, only_b = 0;
    for (std::size_t i = 0; i < d.size(); ++i) {
      per_seed[i / n] += d[i] / static_cast<double>(n);
      only_a += d[i] > 0 ? 1 : 0;
      only_b += d[i] < 0 ? 1 : 0;
    }
    paired.add(mean_estimate(per_seed), law.difference);
    mcnemar.rejected += mcnemar_p(only_a, only_b) <= kAlpha ? 1 : 0;
    // 8 images of 400; the sum of steps of 1/400 is not exact
    one_run.rejected += std::abs(per_seed[0]) >= 0.02 - 1e-9 ? 1 : 0;
    if (with_auroc) {
      const ReaderEstimate e = auroc_difference(study, cases);
      readers.add(e.estimate, auroc_truth);
      floored_readers.add(with_floor(e, seeds, static_cast<double>(cases.groups)), auroc_truth);
    }
  }
  out.rules.push_back(crossed.finish());
  out.mean_difference = crossed.mean();
  if (with_auroc) {
    out.rules.push_back(readers.finish());
    out.rules.push_back(floored_readers.finish());
  }
  for (Tally* tally : {&no_floors, &by_image, &paired}) out.rules.push_back(tally->finish());
  out.rules.push_back(mcnemar);
  out.rules.push_back(one_run);
  return out;
}

std::string level_complaint(const Rule& rule, int repetitions) {
  const double rate = static_cast<double>(rule.rejected) / repetitions;
  const double most = kAlpha + 3 * std::sqrt(kAlpha * (1 - kAlpha) / repetitions);
  return rate <= most ? "" : fmt::format("{}: level {:.4f}, above {:.4f}", rule.name, rate, most);
}

std::string coverage_complaint(const Rule& rule, int repetitions) {
  const double rate = static_cast<double>(rule.covered) / repetitions;
  const double least = 1 - kAlpha - 3 * std::sqrt(kAlpha * (1 - kAlpha) / repetitions);
  if (rule.useless > 0) {
    return fmt::format("{}: no interval, or one wider than the scale, in {} of {} studies",
                       rule.name, rule.useless, repetitions);
  }
  if (rate >= least && rate <= 0.99) return "";
  return fmt::format("{}: coverage {:.4f}, outside [{:.4f}, 0.99]", rule.name, rate, least);
}

std::string power_complaint(const Rule& rule, int repetitions) {
  const double power = static_cast<double>(rule.rejected) / repetitions;
  const double best = static_cast<double>(rule.at_true_variance) / repetitions;
  if (power >= 0.9 * best && best > 0) return "";
  return fmt::format("{}: power {:.4f}, below 0.9 of the {:.4f} that the true variance gives",
                     rule.name, power, best);
}

}  // namespace bioptic::simulation
