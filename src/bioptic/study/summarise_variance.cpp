#include "bioptic/study/summarise_variance.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace bioptic {

const std::array<const char*, kComponents> kComponentNames = {"split",
                                                              "init",
                                                              "order",
                                                              "split x init",
                                                              "split x order",
                                                              "init x order",
                                                              "split x init x order"};

namespace {

using Levels = std::array<std::vector<std::uint64_t>, 3>;

std::array<std::uint64_t, 3> seeds_of(const TrialSummary& trial) {
  return {trial.seeds.split, trial.seeds.init, trial.seeds.order};
}

Levels levels_of(const ArmSummary& arm) {
  Levels levels;
  for (std::size_t f = 0; f < 3; ++f) {
    std::set<std::uint64_t> seen;
    for (const TrialSummary& trial : arm.trials) seen.insert(seeds_of(trial)[f]);
    levels[f].assign(seen.begin(), seen.end());
  }
  return levels;
}

// Seeds are crossed when each stream has several and some trial shares one with another trial.
bool crossed(const ArmSummary& arm, const Levels& levels) {
  return std::all_of(levels.begin(), levels.end(), [&](const auto& seeds) {
    return seeds.size() >= 2 && seeds.size() < arm.trials.size();
  });
}

// One value per combination, in the order of variance_components(); empty where one is missing.
std::vector<double> table_of(const ArmSummary& arm, const Levels& levels,
                             const std::string& metric) {
  std::vector<double> values(levels[0].size() * levels[1].size() * levels[2].size(), std::nan(""));
  for (const TrialSummary& trial : arm.trials) {
    std::size_t index = 0;
    for (std::size_t f = 0; f < 3; ++f) {
      const auto at = std::lower_bound(levels[f].begin(), levels[f].end(), seeds_of(trial)[f]);
      index = index * levels[f].size() + static_cast<std::size_t>(at - levels[f].begin());
    }
    const auto value = trial.metrics.find(metric);
    if (value != trial.metrics.end()) values[index] = value->second;
  }
  const bool full =
      std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
  return full ? values : std::vector<double>();
}

std::string sentence_of(const VarianceComponents& parts) {
  static constexpr std::array<const char*, 3> kWords = {"the split", "the initial weights",
                                                        "the batch order"};
  if (parts.total == 0) {
    return "Every trial gave the same test accuracy: there is no chance to repeat anything for.";
  }
  // How much of the variance would not be seen if a source stayed the same: all that it is part of.
  std::array<double, 3> hidden{};
  double alone = 0;
  std::size_t first = 0;
  for (std::size_t f = 0; f < 3; ++f) {
    for (std::size_t c = 0; c < kComponents; ++c) {
      const std::string_view name = letters(static_cast<Component>(c));
      if (name.find(static_cast<char>('A' + f)) != std::string_view::npos) {
        hidden[f] += parts.components[c].share;
      }
    }
    alone += parts.components[f].share;
    if (parts.components[f].share > parts.components[first].share) first = f;
  }
  std::string text = fmt::format(
      "A trial with a new split, new initial weights and a new batch order has a standard "
      "deviation "
      "of {:.2f} points of test accuracy. ",
      100 * std::sqrt(parts.total));
  if (alone < 0.5) {
    text += fmt::format(
        "{:.0f} % of its variance belongs to no source alone but to their combination: repeat all "
        "three together, a new seed for each in every trial.",
        100 * (1 - alone));
  } else if (parts.components[first].share < 0.5 || parts.components[first].low <= 0) {
    // An estimate of a third on three degrees of freedom is not a finding.
    text += fmt::format(
        "The largest share of a source alone is that of {}, {:.0f} % of the variance, but that is "
        "{} (its standard deviation: {:.2f} points, 95 % interval {:.2f} to {:.2f}): repeat all "
        "three together, a new seed for each in every trial.",
        kWords[first], 100 * parts.components[first].share,
        parts.components[first].low <= 0 ? "not shown to be more than nothing" : "less than half",
        100 * std::sqrt(parts.components[first].variance),
        100 * std::sqrt(parts.components[first].low),
        100 * std::sqrt(parts.components[first].high));
  } else {
    text += fmt::format(
        "Most of it comes from {}, alone {:.0f} % of the variance (its standard deviation: {:.2f} "
        "points, 95 % interval {:.2f} to {:.2f}): repeat {} first; held still, {:.0f} % of the "
        "variance would not be seen.",
        kWords[first], 100 * parts.components[first].share,
        100 * std::sqrt(parts.components[first].variance),
        100 * std::sqrt(parts.components[first].low), 100 * std::sqrt(parts.components[first].high),
        kWords[first], 100 * hidden[first]);
  }
  return text;
}

}  // namespace

void summarise_variance(StudySummary& summary) {
  summary.variance.clear();
  for (const ArmSummary& arm : summary.arms) {
    const Levels levels = levels_of(arm);
    if (!crossed(arm, levels)) continue;
    ArmVariance variance;
    variance.arm = arm.name;
    variance.levels = {levels[0].size(), levels[1].size(), levels[2].size()};
    for (const char* metric : {"test_accuracy", "test_auroc", "val_accuracy", "holdout_accuracy"}) {
      if (!arm.metrics.contains(metric)) continue;
      const std::vector<double> values = table_of(arm, levels, metric);
      if (values.empty()) continue;
      variance.metrics.push_back({metric, variance_components(values, variance.levels)});
    }
    if (variance.metrics.empty() || variance.metrics.front().metric != "test_accuracy") {
      variance.metrics.clear();
      variance.reason = fmt::format(
          "the components need a trial for each of the {} x {} x {} combinations of seeds, and {} "
          "are done",
          variance.levels[0], variance.levels[1], variance.levels[2], arm.trials.size());
    } else {
      variance.sentence = sentence_of(variance.metrics.front().parts);
    }
    summary.variance.push_back(std::move(variance));
  }
}

}  // namespace bioptic
