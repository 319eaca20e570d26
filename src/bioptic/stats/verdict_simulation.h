// How the rules behind a verdict behave on studies whose truth is known: the level, power and
// coverage of each over many simulated studies.  For tests/ and bench/verdict_simulation.
//
// A simulated study has two arms, S seeds and the test split of the chest X-rays: 400 images of 305
// groups of one to seven, every group of one class.  An image is predicted right where its margin
//   c + seed + image + arm x image + seed x image + noise
// is positive; the score for AUROC is the margin with the sign of the class.  The effects of images
// are Gaussian and correlate within a group.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bioptic::simulation {

struct Law {
  double accuracy = 0.8;  // of arm B, expected over seeds and patients
  double difference = 0;  // A - B, expected
  // Within a group, of every effect of an image on the margin.  At 0.7 the difference of
  // correctness that an image has in the mean over seeds correlates by 0.5 within its group.
  double correlation = 0.7;
  double interaction = 0.6;   // sd of arm x image; 0: images favour no arm
  double seed_sd = 0.15;      // of a seed's own level
  double low_peak_share = 0;  // of the seeds of both arms: their accuracy is lower by ...
  double low_peak_drop = 0.08;
  // Of A's seeds: they predict one class for everything; its other seeds are better, so that the
  // expected difference stays.
  double collapse_share_a = 0;
};

// A rule over all repetitions: how often it called the arms different, and how often its interval
// held the true difference.  `at_true_variance`: how often the same t, with the same df in every
// study, would have called them different given the true variance.
struct Rule {
  std::string name;
  int rejected = 0, covered = 0, at_true_variance = 0;
  int useless = 0;  // no interval (variance below 0, no degrees of freedom), or all of [-1, 1]
  bool has_interval = false;
};

struct Outcome {
  int seeds = 0, repetitions = 0;
  Law law;
  // crossed t; reader study (AUROC; only when asked for), also with a floor; crossed t without the
  // floors; crossed t with images as cases; paired t over seeds; McNemar pooled over seeds; one run
  // each, 2 points
  std::vector<Rule> rules;
  const Rule& operator[](const std::string& name) const;
  int floored = 0;    // studies in which a component of the crossed t was below the error's
  int different = 0;  // judge()'s verdicts a_better or b_better, margin 0.01
  double mean_difference = 0;  // of accuracy, over the studies
};

// `stream`: number of the random stream, so that scenarios are independent.
Outcome simulate(const Law& law, int seeds, int repetitions, bool with_auroc,
                 std::uint64_t stream = 0);

// "" or what is wrong with the rule, by the bounds that a headline rule must keep: a level within 3
// standard errors of at most 0.05; coverage of at least 0.95 - 3 standard errors and at most 0.99,
// no interval useless; power of at least 0.9 times that given the true variance.
std::string level_complaint(const Rule& rule, int repetitions);
std::string coverage_complaint(const Rule& rule, int repetitions);
std::string power_complaint(const Rule& rule, int repetitions);

}  // namespace bioptic::simulation
