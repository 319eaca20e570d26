#include "bioptic/stats/few_groups_simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bioptic/base/random.h"
#include "bioptic/stats/crossed.h"
#include "bioptic/stats/effective_groups.h"
#include "bioptic/stats/reader_study.h"
#include "bioptic/stats/verdict.h"

namespace bioptic::simulation {
namespace {

constexpr double kSeedSd = 0.05, kNoiseSd = 0.5;
using Numbers = std::vector<double>;

struct Split {
  std::vector<std::size_t> group_of, label;  // label 1: positive
  std::vector<int> positive;
  std::size_t groups = 0;
  EffectiveGroups all, of_class[2];
};

Split split_of(const Layout& layout) {
  Split s;
  std::vector<std::size_t> sizes = layout.positive;
  sizes.insert(sizes.end(), layout.negative.begin(), layout.negative.end());
  for (std::size_t g = 0; g < sizes.size(); ++g) {
    const std::size_t label = g < layout.positive.size() ? 1 : 0;
    s.group_of.insert(s.group_of.end(), sizes[g], g);
    s.label.insert(s.label.end(), sizes[g], label);
  }
  s.positive.assign(s.label.begin(), s.label.end());
  s.groups = sizes.size();
  s.all = effective_groups(sizes);
  s.of_class[0] = effective_groups(layout.negative);
  s.of_class[1] = effective_groups(layout.positive);
  return s;
}

// [arm][seed][image]
using Margins = std::vector<std::vector<Numbers>>;

Margins draw(RandomStream& stream, const Split& split, int seeds, double interaction) {
  const std::size_t n = split.label.size();
  Numbers image(n);
  for (double& v : image) v = 1 + stream.normal();
  Margins out(2);
  for (std::vector<Numbers>& arm : out) {
    Numbers of_group(split.groups);
    for (double& v : of_group) v = interaction * stream.normal();
    for (int s = 0; s < seeds; ++s) {
      const double of_seed = kSeedSd * stream.normal();
      Numbers& margin = arm.emplace_back(n);
      for (std::size_t i = 0; i < n; ++i) {
        margin[i] = image[i] + of_group[split.group_of[i]] + of_seed + kNoiseSd * stream.normal();
      }
    }
  }
  return out;
}

Estimate auroc_difference(const Margins& margins, const Split& split) {
  Numbers d, scores(split.label.size());
  std::vector<Numbers> without;
  for (std::size_t s = 0; s < margins[0].size(); ++s) {
    d.push_back(0);
    without.emplace_back(split.groups, 0);
    for (std::size_t arm = 0; arm < 2; ++arm) {
      for (std::size_t i = 0; i < scores.size(); ++i) {
        scores[i] = (split.label[i] == 1 ? 1 : -1) * margins[arm][s][i];
      }
      const JackknifedAuroc one =
          jackknifed_auroc(scores, split.positive, split.group_of, split.groups);
      const double sign = arm == 0 ? 1 : -1;
      d[s] += sign * one.value;
      for (std::size_t g = 0; g < split.groups; ++g) without[s][g] += sign * one.without[g];
    }
  }
  return reader_contrast(d, without).estimate;
}

const EffectiveGroups& fewest(const Split& split) {
  return split.of_class[0].of_mean < split.of_class[1].of_mean ? split.of_class[0]
                                                               : split.of_class[1];
}

void count(const Estimate& e, const EffectiveGroups& groups, FewGroupsRule& rule) {
  rule.plain += two_sided_p(e) <= kAlpha ? 1 : 0;
  rule.mended += two_sided_p(with_degrees_of(groups, e)) <= kAlpha ? 1 : 0;
}

}  // namespace

std::vector<Layout> few_group_layouts() {
  const auto positives = [](std::size_t patients) {
    return Layout{fmt::format("{} positive patients of 6, 100 negative of 1", patients),
                  std::vector<std::size_t>(patients, 6), std::vector<std::size_t>(100, 1)};
  };
  // Both classes alike: half of the large patients and of the others each.
  const auto large = [](std::size_t patients, std::size_t size, std::size_t single) {
    Layout out{fmt::format("{} patients of {}, {} of 1", patients, size, single), {}, {}};
    for (std::size_t k = 0; k < patients; ++k) {
      (k % 2 == 0 ? out.positive : out.negative).push_back(size);
    }
    for (std::size_t k = 0; k < single; ++k) {
      (k % 2 == 0 ? out.positive : out.negative).push_back(1);
    }
    return out;
  };
  std::vector<Layout> out;
  for (const std::size_t patients : {2U, 3U, 5U, 8U, 10U, 12U, 20U})
    out.push_back(positives(patients));
  out.push_back(large(2, 40, 20));
  out.push_back(large(4, 30, 40));
  out.push_back(large(5, 20, 50));
  out.push_back(large(2, 20, 60));
  out.push_back(large(8, 20, 40));
  out.push_back(large(1, 50, 150));
  out.push_back(large(6, 10, 40));
  out.push_back(large(5, 20, 100));
  return out;
}

std::vector<FewGroupsRule> simulate_few_groups(const Layout& layout, int seeds, int repetitions,
                                               double interaction, bool with_auroc,
                                               std::uint64_t stream_number) {
  const Split split = split_of(layout);
  const auto s = static_cast<std::size_t>(seeds);
  const std::size_t n = split.label.size();
  RandomStream stream(stream_number, "few groups simulation");
  FewGroupsRule accuracy{"accuracy", split.all.of_mean, !are_few(split.all)};
  FewGroupsRule balanced{"balanced accuracy", fewest(split).of_mean, !are_few(fewest(split))};
  FewGroupsRule area{"AUROC", fewest(split).of_mean, !are_few(fewest(split))};
  for (int k = 0; k < repetitions; ++k) {
    const Margins margins = draw(stream, split, seeds, interaction);
    Numbers d;
    for (std::size_t seed = 0; seed < s; ++seed) {
      for (std::size_t i = 0; i < n; ++i) {
        d.push_back((margins[0][seed][i] > 0 ? 1.0 : 0.0) - (margins[1][seed][i] > 0 ? 1.0 : 0.0));
      }
    }
    count(crossed_t(group_values(d, s, split.group_of, split.groups)).estimate, split.all,
          accuracy);
    count(crossed_t(class_mean_group_values(d, s, split.group_of, split.groups, split.label, 2))
              .estimate,
          fewest(split), balanced);
    if (with_auroc) count(auroc_difference(margins, split), fewest(split), area);
  }
  std::vector<FewGroupsRule> out = {accuracy, balanced};
  if (with_auroc) out.push_back(area);
  return out;
}

}  // namespace bioptic::simulation
