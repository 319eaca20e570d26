// The level of the tests behind E2 where few patients hold most of the images: how often they call
// two arms of one law different.  For tests/ and bench/verdict_simulation.
//
// An image is predicted right where its margin 1 + image + arm x patient + seed + noise is positive
// (standard deviations 1, `interaction`, 0.05 and 0.5); the score for AUROC is the margin with the
// sign of the class.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bioptic::simulation {

struct Layout {
  std::string name;
  std::vector<std::size_t> positive, negative;  // images of every patient
};

// Those of docs/statistics.md.
std::vector<Layout> few_group_layouts();

struct FewGroupsRule {
  std::string metric;         // "accuracy", "balanced accuracy", "AUROC"
  double effective = 0;       // groups that the metric rests on
  bool allowed = false;       // by that number
  int plain = 0, mended = 0;  // rejections: degrees of freedom of all groups, of the effective ones
};

// AUROC is slow and left out unless asked for.
std::vector<FewGroupsRule> simulate_few_groups(const Layout& layout, int seeds, int repetitions,
                                               double interaction, bool with_auroc,
                                               std::uint64_t stream = 0);

}  // namespace bioptic::simulation
