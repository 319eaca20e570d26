#include "bioptic/study/summarise_gap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <span>
#include <string_view>
#include <unordered_map>

#include "bioptic/base/counted.h"
#include "bioptic/base/sha256.h"
#include "bioptic/data/area_means.h"
#include "bioptic/stats/effective_groups.h"
#include "bioptic/stats/gap.h"
#include "bioptic/stats/redrawn_gap.h"
#include "bioptic/stats/verdict.h"
#include "bioptic/study/effective_cases.h"
#include "bioptic/study/gap_words.h"

namespace bioptic {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
using Rows = std::vector<std::uint32_t>;

// ---- one arm's right and wrong predictions ------------------------------------------------------

const SplitPredictions* split_of(const TrialSummary& trial, std::string_view split) {
  for (const SplitPredictions& p : trial.result.predictions) {
    if (p.split == split) return &p;
  }
  return nullptr;
}

// Numbers the groups of images from 0.
class GroupNumbers {
 public:
  explicit GroupNumbers(const StudySummary& summary) : summary_(summary) {}
  std::size_t of(std::uint32_t row) {
    return numbers_.emplace(summary_.images[row].group, numbers_.size()).first->second;
  }
  std::size_t count() const { return numbers_.size(); }

 private:
  const StudySummary& summary_;
  std::unordered_map<std::string_view, std::size_t> numbers_;
};

bool is_right(const StudySummary& summary, const ArmSummary& arm, const TrialSummary& trial,
              const SplitPredictions& p, std::size_t i) {
  const float* logits = &p.logits[i * static_cast<std::size_t>(arm.outputs)];
  return predicted_label(arm.loss, 2, summary.positive, trial.result.threshold, logits) ==
         summary.images[p.rows[i]].label;
}

// Right (1) or wrong (0) of every seed on the same images.
struct Fixed {
  std::size_t seeds = 0, images = 0, groups = 0;
  std::vector<double> right;  // seeds x images
  std::vector<std::size_t> group_of;
  std::vector<int> positive;  // 1 for images of the positive class

  double of_seed(std::size_t s) const {
    return mean(s, [](int) { return true; });
  }
  std::optional<double> of_class(std::size_t s, int label) const {
    const double value = mean(s, [=](int is) { return is == label; });
    return std::isnan(value) ? std::nullopt : std::optional(value);
  }
  double share_positive() const {
    double n = 0;
    for (const int is : positive) n += is;
    return n / static_cast<double>(images);
  }
  double average() const {
    double sum = 0;
    for (const double r : right) sum += r;
    return images == 0 || seeds == 0 ? kNan : sum / static_cast<double>(right.size());
  }
  // weight: by class (0, 1) of an image.
  CrossedTable table(double weight0, double weight1) const {
    std::vector<double> values(right.size());
    for (std::size_t k = 0; k < right.size(); ++k) {
      values[k] = right[k] * (positive[k % images] != 0 ? weight1 : weight0);
    }
    return group_values(values, seeds, group_of, groups);
  }

 private:
  template <typename Take>
  double mean(std::size_t s, const Take& take) const {
    double sum = 0, n = 0;
    for (std::size_t i = 0; i < images; ++i) {
      if (!take(positive[i])) continue;
      sum += right[s * images + i];
      n += 1;
    }
    return n == 0 ? kNan : sum / n;
  }
};

// Of `split`, only the rows that `wanted` has (empty = all).
Fixed fixed_of(const StudySummary& summary, const ArmSummary& arm, std::string_view split,
               const Rows* wanted) {
  Fixed fixed;
  GroupNumbers groups(summary);
  const std::set<std::uint32_t> rows =
      wanted == nullptr ? std::set<std::uint32_t>()
                        : std::set<std::uint32_t>(wanted->begin(), wanted->end());
  for (const TrialSummary& trial : arm.trials) {
    const SplitPredictions* p = split_of(trial, split);
    if (p == nullptr) return {};
    ++fixed.seeds;
    for (std::size_t i = 0; i < p->rows.size(); ++i) {
      const std::uint32_t row = p->rows[i];
      if (wanted != nullptr && !rows.contains(row)) continue;
      fixed.right.push_back(is_right(summary, arm, trial, *p, i) ? 1 : 0);
      if (fixed.seeds > 1) continue;
      ++fixed.images;
      fixed.group_of.push_back(groups.of(row));
      fixed.positive.push_back(summary.images[row].label == summary.positive ? 1 : 0);
    }
  }
  fixed.groups = groups.count();
  return fixed;
}

RedrawnValues validation_of(const StudySummary& summary, const ArmSummary& arm) {
  RedrawnValues values;
  values.begin.push_back(0);
  GroupNumbers groups(summary);
  for (const TrialSummary& trial : arm.trials) {
    const SplitPredictions* p = split_of(trial, "val");
    for (std::size_t i = 0; i < p->rows.size(); ++i) {
      values.values.push_back(is_right(summary, arm, trial, *p, i) ? 1 : 0);
      values.group_of.push_back(groups.of(p->rows[i]));
    }
    values.begin.push_back(values.values.size());
  }
  values.groups = groups.count();
  return values;
}

// ---- estimates ----------------------------------------------------------------------------------

// most: the size that the true value cannot exceed.
GapEstimate estimate_of(const Estimate& e, double most, const PatientBound& bound = {}) {
  const Interval i = cut(interval_of(e), {-most, most});
  const Interval within = cut(equivalence_limits(e, bound, kAlpha), {-most, most});
  return {i.low, i.high, two_sided_p(e), "", within.low, within.high};
}

// A part is a difference of two accuracies, each at most 1; a difference of two such differences is
// at most 2.
constexpr double kMostOfPart = 1, kMostOfTwoParts = 2;
// What is smaller than rounding of that is 0.
constexpr double kScaleOfPart = 2;

// values: one per seed.  The same number for e1 and e2 up to the weights of groups.
GapPart part_of(const std::vector<double>& values, const Evidence& other_patients,
                double most = kMostOfPart) {
  GapPart part;
  if (values.empty()) {
    part.e1.reason = part.e2.reason = "no trial has both splits";
    return part;
  }
  double sum = 0;
  for (const double v : values) sum += v;
  part.value = rounded({sum / static_cast<double>(values.size())}, kScaleOfPart).value;
  if (values.size() < 2) {
    part.e1.reason = part.e2.reason = "one seed has no spread";
    return part;
  }
  part.e1 = estimate_of(rounded(mean_estimate(values), kScaleOfPart), most);
  if (other_patients.reason.empty()) {
    part.e2 =
        estimate_of(rounded(other_patients.estimate, kScaleOfPart), most, other_patients.bound);
  } else {
    part.e2.reason = other_patients.reason;
  }
  return part;
}

const char* const kFewGroups = "a split has fewer than two groups";

// first - second over the same seeds, images weighted by class.
struct Weighted {
  const Fixed& images;
  double weight0 = 1, weight1 = 1;
};

// How many cases one side of a difference rests on.
struct Side {
  const char* place;               // "in the hold-out"
  std::vector<std::size_t> sizes;  // images of each group
};

// Images of a class without weight are no cases.
Side side_of(const char* place, const Weighted& of) {
  Side side{place, std::vector<std::size_t>(of.images.groups)};
  for (std::size_t i = 0; i < of.images.images; ++i) {
    const double weight = of.images.positive[i] != 0 ? of.weight1 : of.weight0;
    if (weight != 0) ++side.sizes[of.images.group_of[i]];
  }
  return side;
}

// Of the images that each seed drew.
Side side_of(const RedrawnValues& validation) {
  Side side{"in validation over all seeds", std::vector<std::size_t>(validation.groups)};
  for (const std::size_t group : validation.group_of) ++side.sizes[group];
  return side;
}

// The rules for few patients, as the claims of a gap apply them (effective_groups.h): no evidence
// where a side has too few, else the degrees of freedom of the smaller side, and what its patients
// can show at all.
template <typename Make>
Evidence with_enough(std::size_t seeds, const std::vector<Side>& sides, const Make& make) {
  if (seeds < 2) return Evidence{{kNan, kNan, kNan}, "one seed has no spread"};
  std::optional<EffectiveGroups> smallest;
  PatientBound bound;  // that of the side with the fewest
  for (const Side& side : sides) {
    const auto present = static_cast<std::size_t>(
        std::count_if(side.sizes.begin(), side.sizes.end(), [](std::size_t n) { return n > 0; }));
    if (present < 2) return Evidence{{kNan, kNan, kNan}, kFewGroups};
    const EffectiveGroups groups = effective_groups(side.sizes);
    if (are_few(groups)) {
      const std::size_t images = std::accumulate(side.sizes.begin(), side.sizes.end(), 0UL);
      const std::string which = "the " + counted(images, "image");
      return Evidence{
          {kNan, kNan, kNan},
          fmt::format("{}, {}", side.place, too_few_cases(which, images, present, groups.of_mean))};
    }
    if (!smallest || groups.of_variance < smallest->of_variance) smallest = groups;
    bound.patients = std::min(bound.patients, groups.of_mean);
  }
  return {with_degrees_of(smallest.value(), make()), "", false, bound};
}

const char* const kInHoldout = "in the hold-out";
const char* const kAlone = "among the test images without shared patients";
const char* const kShared = "among the test images of shared patients";
const char* const kInTest = "in test";

struct Placed {
  const char* place;
  Weighted of;
};
Evidence across_patients(const Placed& first, const Placed& second) {
  const std::vector<Side> sides = {side_of(first.place, first.of),
                                   side_of(second.place, second.of)};
  Evidence evidence = with_enough(first.of.images.seeds, sides, [&] {
    return crossed_gap(first.of.images.table(first.of.weight0, first.of.weight1),
                       second.of.images.table(second.of.weight0, second.of.weight1));
  });
  // An image that weighs twice makes twice the difference, so half as many make the margin.
  evidence.bound.scale =
      1 / std::max({1.0, first.of.weight0, first.of.weight1, second.of.weight0, second.of.weight1});
  return evidence;
}

std::vector<double> per_seed(const std::vector<GapParts>& parts,
                             const std::optional<double> GapParts::*part) {
  std::vector<double> values;
  for (const GapParts& p : parts) {
    if (!(p.*part)) return {};
    values.push_back(*(p.*part));
  }
  return values;
}

std::vector<double> difference(const Fixed& a, const Fixed& b) {
  std::vector<double> values;
  for (std::size_t s = 0; s < std::min(a.seeds, b.seeds); ++s) {
    values.push_back(a.of_seed(s) - b.of_seed(s));
  }
  return values;
}

std::vector<double> validation_by_seed(const ArmSummary& arm) {
  std::vector<double> values;
  for (const TrialSummary& trial : arm.trials) values.push_back(trial.result.val_accuracy);
  return values;
}

Evidence validation_minus(const RedrawnValues& validation, const char* place, const Fixed& fixed) {
  return with_enough(fixed.seeds, {side_of(validation), side_of(place, {fixed})},
                     [&] { return redrawn_gap(validation, fixed.table(1, 1)); });
}

// Validation - `fixed`.
GapPart from_validation(const ArmSummary& arm, const RedrawnValues& validation, const char* place,
                        const Fixed& fixed) {
  std::vector<double> values = validation_by_seed(arm);
  for (std::size_t s = 0; s < values.size(); ++s) values[s] -= fixed.of_seed(s);
  return part_of(values, validation_minus(validation, place, fixed));
}

void decompose(const StudySummary& summary, const ArmSummary& arm, const GapRows& rows,
               ArmGap& gap) {
  const Fixed holdout = fixed_of(summary, arm, "holdout", nullptr),
              alone = fixed_of(summary, arm, "test", &rows.test_alone),
              shared = fixed_of(summary, arm, "test", &rows.test_shared);
  const RedrawnValues validation = validation_of(summary, arm);
  const std::vector<double> val = validation_by_seed(arm);
  std::vector<GapRates> rates;
  const double pi = alone.share_positive();
  for (std::size_t s = 0; s < val.size(); ++s) {
    rates.push_back({val[s], holdout.of_seed(s), holdout.of_class(s, 1), holdout.of_class(s, 0),
                     alone.of_seed(s), alone.of_class(s, 1), alone.of_class(s, 0), pi});
  }
  const std::vector<GapParts> parts = gap_parts(rates);
  gap.accuracy.validation = arm.metrics.at("val_accuracy").mean;
  gap.accuracy.holdout = holdout.average();
  gap.accuracy.test_alone = alone.average();
  gap.accuracy.test_shared = shared.average();

  gap.total = from_validation(arm, validation, kAlone, alone);
  gap.selection_and_leakage = from_validation(arm, validation, kInHoldout, holdout);
  // The hold-out's images, weighted so that their classes have the shares of test: each part is a
  // mean over images, so that patients can be judged as for any accuracy.
  const double n = holdout.share_positive();
  const double up1 = pi / n, up0 = (1 - pi) / (1 - n);
  Evidence prevalence = with_enough(holdout.seeds, {side_of(kInHoldout, {holdout})}, [&] {
    return crossed_t(holdout.table(1 - up0, 1 - up1)).estimate;
  });
  prevalence.bound.scale = 1 / std::max({1.0, std::abs(1 - up0), std::abs(1 - up1)});
  gap.prevalence = part_of(per_seed(parts, &GapParts::prevalence), prevalence);
  gap.rest = part_of(per_seed(parts, &GapParts::rest),
                     across_patients({kInHoldout, {holdout, up0, up1}}, {kAlone, {alone}}));
  gap.rest_sensitivity =
      part_of(per_seed(parts, &GapParts::rest_sensitivity),
              across_patients({kInHoldout, {holdout, 0, up1}}, {kAlone, {alone, 0, 1}}));
  gap.rest_specificity =
      part_of(per_seed(parts, &GapParts::rest_specificity),
              across_patients({kInHoldout, {holdout, up0, 0}}, {kAlone, {alone, 1, 0}}));
  gap.holdout_minus_test = part_of(difference(holdout, alone),
                                   across_patients({kInHoldout, {holdout}}, {kAlone, {alone}}));
  gap.shared_minus_alone = shared.images == 0
                               ? part_of({}, {})
                               : part_of(difference(shared, alone),
                                         across_patients({kShared, {shared}}, {kAlone, {alone}}));
}

// ---- leakage ------------------------------------------------------------------------------------

// Share of validation images whose group has images in training, too, over all seeds.
double validation_shared(const StudySummary& summary, const ArmSummary& arm) {
  double shared = 0, images = 0;
  for (const TrialSummary& trial : arm.trials) {
    const SplitPredictions* p = split_of(trial, "val");
    const std::set<std::uint32_t> validated(p->rows.begin(), p->rows.end());
    std::set<std::string_view> trained;
    for (std::uint32_t row = 0; row < summary.images.size(); ++row) {
      const StudyImage image = summary.images[row];
      const bool pool = image.split == "train" || image.split == "val";
      if (pool && !validated.contains(row)) trained.insert(image.group);
    }
    for (const std::uint32_t row : p->rows) {
      shared += trained.contains(summary.images[row].group) ? 1 : 0;
      images += 1;
    }
  }
  return images == 0 ? kNan : shared / images;
}

// Validation - hold-out of the seeds that both arms have, the first arm's less the second's.
std::vector<double> paired_leakage(const StudySummary& summary, const ArmSummary& by_image,
                                   const ArmSummary& by_group) {
  const auto by_seed = [&](const ArmSummary& arm) {
    const Fixed holdout = fixed_of(summary, arm, "holdout", nullptr);
    std::map<int, double> values;
    for (std::size_t s = 0; s < arm.trials.size(); ++s) {
      values[arm.trials[s].seed] = arm.trials[s].result.val_accuracy - holdout.of_seed(s);
    }
    return values;
  };
  const std::map<int, double> first = by_seed(by_image), second = by_seed(by_group);
  std::vector<double> values;
  for (const auto& [seed, value] : first) {
    if (const auto other = second.find(seed); other != second.end()) {
      values.push_back(value - other->second);
    }
  }
  return values;
}

void measure_leakage(const StudySummary& summary, const ArmSummary& arm, ArmGap& gap) {
  gap.validation_shared = validation_shared(summary, arm);
  if (arm.val_by_group) return;
  const auto twin =
      std::find_if(summary.arms.begin(), summary.arms.end(), [&](const ArmSummary& other) {
        return other.val_by_group && other.settings == arm.settings && !other.trials.empty();
      });
  if (twin == summary.arms.end()) {
    gap.leakage = gap.selection_and_leakage;
    return;
  }
  gap.leakage_against = twin->name;
  gap.leakage = part_of(paired_leakage(summary, arm, *twin),
                        {{kNan, kNan, kNan},
                         "validation is drawn anew by every seed; the hold-out's images are the "
                         "same on both sides"},
                        kMostOfTwoParts);
}

// SHA-256 of each image's pixels, by row.
std::vector<std::string> digests_of(const StudySummary& summary, const Dataset& dataset) {
  std::vector<std::string> digests;
  for (std::uint32_t row = 0; row < summary.images.size(); ++row) {
    const auto pixels = dataset.image8(row);
    digests.push_back(
        sha256_hex(std::string_view(reinterpret_cast<const char*>(pixels.data()), pixels.size())));
  }
  return digests;
}

void count_duplicates(const StudySummary& summary, const std::vector<std::string>& digests,
                      GapSummary& gap) {
  std::unordered_map<std::string_view, Rows> copies;
  for (std::uint32_t row = 0; row < digests.size(); ++row) copies[digests[row]].push_back(row);
  const auto place = [&](std::uint32_t row) {
    const std::string_view split = summary.images[row].split;
    return split == "val" ? std::string_view("train") : split;
  };
  std::size_t test = 0, holdout = 0, source = 0;
  for (const auto& [digest, rows] : copies) {
    std::map<std::string_view, std::size_t> places;
    for (const std::uint32_t row : rows) ++places[place(row)];
    if (places.size() > 1) {
      test += places.contains("test") ? places["test"] : 0;
      holdout += places.contains("holdout") ? places["holdout"] : 0;
    }
    if (const auto in_source = places.find("train"); in_source != places.end()) {
      source += in_source->second - 1;
    }
  }
  gap.duplicate_test = test;
  gap.duplicate_holdout = holdout;
  gap.duplicate_source = source;
}

// ---- shift tests --------------------------------------------------------------------------------

// Rows of two samples, the first's before the second's, with what the tests want to know of them.
struct Samples {
  Rows rows;
  std::vector<int> second, groups;
  TwoSamples two() const { return {second, groups}; }
};

Samples samples_of(const StudySummary& summary, const Rows& first, const Rows& second) {
  Samples samples;
  GroupNumbers groups(summary);
  for (const Rows* rows : {&first, &second}) {
    for (const std::uint32_t row : *rows) {
      samples.rows.push_back(row);
      samples.second.push_back(rows == &second ? 1 : 0);
      samples.groups.push_back(static_cast<int>(groups.of(row)));
    }
  }
  return samples;
}

// At most kMostShiftImages of the rows, whole groups, chosen by their images' pixels alone: a hash
// of those is as good as a draw, and neither the order of files nor the names of groups enter.
Rows some_of(const StudySummary& summary, const Rows& rows,
             const std::vector<std::string>& digests) {
  if (rows.size() <= kMostShiftImages) return rows;
  std::unordered_map<std::string_view, Rows> members;
  for (const std::uint32_t row : rows) members[summary.images[row].group].push_back(row);
  std::vector<std::pair<std::string, const Rows*>> order;  // by content
  for (const auto& [name, group] : members) {
    std::vector<std::string> contents;
    for (const std::uint32_t row : group) contents.push_back(digests[row]);
    order.emplace_back(content_of_group(std::move(contents)), &group);
  }
  std::sort(order.begin(), order.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  Rows chosen;
  for (const auto& [content, group] : order) {
    if (chosen.size() + group->size() > kMostShiftImages) continue;
    chosen.insert(chosen.end(), group->begin(), group->end());
  }
  return chosen;
}

void test_images(const StudySummary& summary, const Dataset& dataset, const GapRows& rows,
                 const std::vector<std::string>& digests, GapSummary& gap) {
  const Rows holdout = some_of(summary, rows.holdout, digests),
             test = some_of(summary, rows.test_alone, digests);
  gap.holdout_used = holdout.size();
  gap.test_used = test.size();
  const Samples samples = samples_of(summary, holdout, test);
  if (samples.rows.size() < 4) return;
  std::vector<double> features;
  for (const std::uint32_t row : samples.rows) {
    const std::vector<double> means = area_means(dataset, row);
    features.insert(features.end(), means.begin(), means.end());
  }
  const Gram gram = standardised_gram(features, features.size() / samples.rows.size());
  gap.mmd = mmd_shift_test(gram, samples.two());
  gap.classifier = classifier_shift_test(gram, samples.two());
}

// Score of the positive class, averaged over the arm's seeds; one that is not finite counts as 0.
std::vector<double> average_scores(const StudySummary& summary, const ArmSummary& arm,
                                   const Rows& rows) {
  std::unordered_map<std::uint32_t, std::size_t> place;
  for (std::size_t i = 0; i < rows.size(); ++i) place[rows[i]] = i;
  std::vector<double> scores(rows.size(), 0);
  for (const TrialSummary& trial : arm.trials) {
    for (const char* split : {"holdout", "test"}) {
      const SplitPredictions* p = split_of(trial, split);
      for (std::size_t i = 0; p != nullptr && i < p->rows.size(); ++i) {
        const auto at = place.find(p->rows[i]);
        if (at == place.end()) continue;
        const auto score = static_cast<double>(positive_score(
            arm.loss, summary.positive, &p->logits[i * static_cast<std::size_t>(arm.outputs)]));
        if (std::isfinite(score)) scores[at->second] += score;
      }
    }
  }
  for (double& score : scores) score /= static_cast<double>(arm.trials.size());
  return scores;
}

void test_scores(const StudySummary& summary, const ArmSummary& arm, const GapRows& rows,
                 const GapSummary& of_images, ArmGap& gap) {
  const Samples samples = samples_of(summary, rows.holdout, rows.test_alone);
  gap.ks = ks_shift_test(average_scores(summary, arm, samples.rows), samples.two());
  const std::vector<double> p = {gap.ks.p.value_or(kNan),
                                 of_images.classifier.balanced_accuracy_p.value_or(kNan),
                                 of_images.mmd.p.value_or(kNan)};
  const std::vector<double> corrected = holm(p);
  gap.ks_p_holm = corrected[0];
  gap.classifier_p_holm = corrected[1];
  gap.mmd_p_holm = corrected[2];
  gap.shift_seen =
      std::any_of(corrected.begin(), corrected.end(), [](double value) { return value <= kAlpha; });
}

// ---- control ------------------------------------------------------------------------------------

ControlAnswer answer_of(const GapPart& gap, const GapPart& control, const GapPart& beyond) {
  if (std::isnan(gap.e2.low) || std::isnan(control.e2.low)) return ControlAnswer::undecided;
  if (beyond.e2.low > 0) {
    return control.e2.low > 0 ? ControlAnswer::shrinks : ControlAnswer::vanishes;
  }
  return control.e2.low > 0 ? ControlAnswer::persists : ControlAnswer::undecided;
}

void compare_control(const StudySummary& summary, const ArmSummary& arm, const GapRows& rows,
                     ArmGap& gap) {
  const auto control =
      std::find_if(summary.controls.begin(), summary.controls.end(),
                   [&](const ArmSummary& other) { return other.name == arm.control; });
  if (control == summary.controls.end() || control->trials.empty()) return;
  gap.control = control->name;
  const Fixed holdout = fixed_of(summary, *control, "holdout", nullptr),
              test = fixed_of(summary, *control, "test", nullptr);
  gap.control_accuracy = {control->metrics.at("val_accuracy").mean, holdout.average(),
                          test.average(), kNan};
  gap.control_total = from_validation(*control, validation_of(summary, *control), kInTest, test);
  gap.control_gap = part_of(difference(holdout, test),
                            across_patients({kInHoldout, {holdout}}, {kInTest, {test}}));

  // What the control lacks is leakage and shift, what hold-out - test lacks is leakage: the
  // difference is the shift.  The two arms have other images in their splits: their chances are
  // taken as independent.
  const Fixed own_holdout = fixed_of(summary, arm, "holdout", nullptr),
              own_test = fixed_of(summary, arm, "test", &rows.test_alone);
  const Evidence own = across_patients({kInHoldout, {own_holdout}}, {kAlone, {own_test}});
  const Evidence its = validation_minus(validation_of(summary, *control), kInTest, test);
  gap.beyond_control.value = gap.holdout_minus_test.value - gap.control_total.value;
  gap.beyond_control.e1.reason = "the control's splits are others";
  if (own.reason.empty() && its.reason.empty()) {
    const Estimate &first = own.estimate, &second = its.estimate;
    const double a = first.se * first.se, b = second.se * second.se, v = a + b;
    gap.beyond_control.e2 =
        estimate_of({gap.beyond_control.value, std::sqrt(v),
                     v == 0 ? first.df : v * v / (a * a / first.df + b * b / second.df)},
                    kMostOfTwoParts);
  } else {
    gap.beyond_control.e2.reason = own.reason.empty() ? "the control: " + its.reason : own.reason;
  }
  gap.control_answer = answer_of(gap.holdout_minus_test, gap.control_total, gap.beyond_control);
}

// ---- cause --------------------------------------------------------------------------------------

// As the claim of a gap calls it no effect.
bool within_margin(const GapEstimate& e, double margin) {
  return e.equivalence_low >= -margin && e.equivalence_high <= margin;
}

void conclude(ArmGap& gap) {
  gap.part_seen = gap.holdout_minus_test.e2.low > 0;
  if (gap.seeds < static_cast<std::size_t>(kLeastSeedsForVerdict)) {
    gap.cause = GapCause::not_allowed;
    return;
  }
  const bool shift =
      gap.shift_seen && gap.part_seen && gap.control_answer == ControlAnswer::vanishes;
  gap.leakage_seen =
      gap.leakage && (gap.leakage_against.empty() ? gap.leakage->e2 : gap.leakage->e1).low > 0;
  gap.sign_seen = gap.shift_seen || gap.part_seen || gap.total.e2.low > 0;
  std::vector<double> most;
  for (const GapPart* part : {&gap.total, &gap.holdout_minus_test}) {
    most.push_back(std::max(-part->e2.equivalence_low, part->e2.equivalence_high));
  }
  // Without an interval for both, nothing is known of how large a gap may be.
  if (std::none_of(most.begin(), most.end(), [](double end) { return std::isnan(end); })) {
    gap.not_excluded = *std::max_element(most.begin(), most.end());
  }
  const bool no_gap = within_margin(gap.total.e2, gap.margin) &&
                      within_margin(gap.holdout_minus_test.e2, gap.margin);
  if (shift) {
    gap.cause = gap.leakage_seen ? GapCause::shift_and_leakage : GapCause::shift;
  } else if (gap.leakage_seen && !gap.part_seen) {
    gap.cause = GapCause::leakage;  // there is nothing else to explain
  } else {
    gap.cause = no_gap && !gap.sign_seen ? GapCause::none : GapCause::undecided;
  }
}

SplitCount count(const StudySummary& summary, const Rows& rows) {
  SplitCount out;
  std::set<std::string_view> groups;
  double positive = 0;
  for (const std::uint32_t row : rows) {
    groups.insert(summary.images[row].group);
    positive += summary.images[row].label == summary.positive ? 1 : 0;
  }
  out.images = rows.size();
  out.groups = groups.size();
  out.prevalence = rows.empty() ? kNan : positive / static_cast<double>(rows.size());
  return out;
}

bool has_holdout(const ArmSummary& arm) {
  return !arm.trials.empty() && split_of(arm.trials.front(), "holdout") != nullptr;
}

}  // namespace

GapRows gap_rows(const StudySummary& summary) {
  GapRows rows;
  std::set<std::string_view> elsewhere;
  for (const StudyImage image : summary.images) {
    if (image.split != "test") elsewhere.insert(image.group);
  }
  for (std::uint32_t row = 0; row < summary.images.size(); ++row) {
    const StudyImage image = summary.images[row];
    if (image.split == "holdout") rows.holdout.push_back(row);
    if (image.split != "test") continue;
    (elsewhere.contains(image.group) ? rows.test_shared : rows.test_alone).push_back(row);
  }
  return rows;
}

void summarise_gap(StudySummary& summary, const Dataset* dataset) {
  summary.gap.reset();
  if (summary.holdout_images == 0) return;
  GapSummary gap;
  const GapRows rows = gap_rows(summary);
  gap.holdout = count(summary, rows.holdout);
  gap.test_alone = count(summary, rows.test_alone);
  gap.test_shared = count(summary, rows.test_shared);
  if (summary.dataset.classes.size() != 2) {
    gap.notes.emplace_back("The gap is taken apart for two classes only.");
  } else if (rows.test_alone.empty()) {
    gap.notes.emplace_back(
        "Every group of the test split has images in another split, so hold-out and test cannot be "
        "compared.");
  } else {
    if (dataset != nullptr) {
      const std::vector<std::string> digests = digests_of(summary, *dataset);
      test_images(summary, *dataset, rows, digests, gap);
      count_duplicates(summary, digests, gap);
    } else {
      gap.notes.emplace_back(
          "The images are not at hand, so the tests on images and the search for duplicates are "
          "left out.");
    }
    for (const ArmSummary& arm : summary.arms) {
      if (!has_holdout(arm)) continue;
      ArmGap& one = gap.arms.emplace_back();
      one.arm = arm.name;
      one.seeds = arm.trials.size();
      one.margin = summary.margin;
      one.val_by_group = arm.val_by_group;
      decompose(summary, arm, rows, one);
      measure_leakage(summary, arm, one);
      test_scores(summary, arm, rows, gap, one);
      compare_control(summary, arm, rows, one);
      conclude(one);
      one.sentence = gap_sentence(one);
    }
  }
  summary.gap = std::move(gap);
}

}  // namespace bioptic
