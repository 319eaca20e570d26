#include "bioptic/study/effective_cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "bioptic/base/counted.h"

namespace bioptic {
namespace {

// Rounded down: 9.96 groups are not the 10.0 that would be enough.
constexpr double kRoundingOfTenths = 1e-9;

// The classes that the metric looks at, each by itself; nothing: all images together.
std::vector<std::optional<std::size_t>> classes_of(const PredictionTable& table, Metric metric) {
  switch (metric) {
    case Metric::sensitivity:
      return {table.positive};
    case Metric::specificity:
      return {1 - table.positive};
    case Metric::auroc:
    case Metric::balanced_accuracy: {
      std::vector<std::optional<std::size_t>> all;
      for (std::size_t c = 0; c < table.classes.size(); ++c) all.emplace_back(c);
      return all;
    }
    default:
      return {std::nullopt};
  }
}

std::string too_few(const PredictionTable& table, std::optional<std::size_t> label,
                    std::size_t images, std::size_t groups, double effective) {
  const std::string which =
      fmt::format("the {}{}", counted(images, "image"),
                  label ? fmt::format(" of class '{}'", table.classes[*label]) : "");
  return too_few_cases(which, images, groups, effective);
}

std::string which_images(const PredictionTable& table, std::optional<std::size_t> label,
                         std::size_t images, std::size_t groups, double effective) {
  std::string text = counted(images, "image");
  if (label) text += " of class '" + table.classes[*label] + "'";
  if (groups < images) {
    text += fmt::format(" ({}, worth {:.0f} of equal size)", counted(groups, "group"),
                        std::floor(effective));
  }
  return text;
}

}  // namespace

std::string too_few_cases(const std::string& which, std::size_t images, std::size_t groups,
                          double effective) {
  if (groups == images) {
    return fmt::format("{} {} too few: a verdict on other cases takes at least {:.0f}", which,
                       images == 1 ? "is" : "are", kLeastEffectiveGroups);
  }
  if (groups == 1) {
    return fmt::format("{} are of 1 group: a verdict on other cases takes at least {:.0f}", which,
                       kLeastEffectiveGroups);
  }
  return fmt::format(
      "{} are of {} groups that weigh as much as {:.1f} of equal size: a verdict on other cases "
      "takes at least {:.0f}",
      which, groups, std::floor(10 * effective + kRoundingOfTenths) / 10, kLeastEffectiveGroups);
}

EffectiveCases effective_cases(const PredictionTable& table, const PredictedTrial& trial,
                               Metric metric) {
  EffectiveCases out;
  bool first = true;
  for (const std::optional<std::size_t> label : classes_of(table, metric)) {
    std::vector<std::size_t> count(table.groups, 0);
    std::size_t images = 0;
    for (const std::size_t i : trial.images) {
      if (label && table.images[i].label != *label) continue;
      ++count[table.images[i].group];
      ++images;
    }
    const EffectiveGroups groups = effective_groups(count);
    if (are_few(groups) && (first || groups.of_mean < out.groups.of_mean)) {
      const auto present = static_cast<std::size_t>(
          std::count_if(count.begin(), count.end(), [](std::size_t n) { return n > 0; }));
      out.why_too_few = too_few(table, label, images, present, groups.of_mean);
    }
    if (first || groups.of_mean < out.groups.of_mean) {
      const auto present = static_cast<std::size_t>(
          std::count_if(count.begin(), count.end(), [](std::size_t n) { return n > 0; }));
      out.which = which_images(table, label, images, present, groups.of_mean);
    }
    out.groups.of_mean = first ? groups.of_mean : std::min(out.groups.of_mean, groups.of_mean);
    out.groups.of_variance =
        first ? groups.of_variance : std::min(out.groups.of_variance, groups.of_variance);
    first = false;
  }
  return out;
}

}  // namespace bioptic
