#include "bioptic/study/reach.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "bioptic/base/counted.h"
#include "bioptic/study/summary.h"

namespace bioptic {
namespace {

constexpr const char* kStreams[] = {"split", "initial weights", "batch order"};
constexpr const char* kPlurals[] = {"splits", "initial weights", "batch orders"};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t k = 0; k < words.size(); ++k) {
    text += (k == 0 ? "" : k + 1 == words.size() ? " and " : ", ") + words[k];
  }
  return text;
}

bool contains(const std::vector<std::string>& words, const char* word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

std::vector<std::string> standing_still(const ArmSummary& arm) {
  std::vector<std::string> out;
  if (arm.trials.size() < 2) return out;
  const TrialSeeds& first = arm.trials.front().seeds;
  bool split = true, init = true, order = true;
  for (const TrialSummary& trial : arm.trials) {
    split = split && trial.seeds.split == first.split;
    init = init && trial.seeds.init == first.init;
    order = order && trial.seeds.order == first.order;
  }
  if (split) out.emplace_back(kStreams[0]);
  if (init) out.emplace_back(kStreams[1]);
  if (order) out.emplace_back(kStreams[2]);
  return out;
}

std::string other_seeds(const std::vector<std::pair<std::string, std::vector<std::string>>>& arms) {
  std::vector<std::string> still, changed, holders;
  bool in_all = true;
  for (std::size_t k = 0; k < 3; ++k) {
    std::size_t n = 0;
    for (const auto& [name, of_arm] : arms) {
      if (!contains(of_arm, kStreams[k])) continue;
      ++n;
      const std::string quoted = "'" + name + "'";
      if (!contains(holders, quoted.c_str())) holders.push_back(quoted);
    }
    if (n == 0) {
      changed.emplace_back(kPlurals[k]);
    } else {
      still.emplace_back(kStreams[k]);
      in_all = in_all && n == arms.size();
    }
  }
  if (still.empty()) return "seeds";
  const bool one = still.size() == 1 && still.front() != kStreams[1];
  return fmt::format("{} ({} {} still{})", changed.empty() ? std::string("seeds") : joined(changed),
                     joined(still), one ? "stands" : "stand",
                     in_all ? "" : " in " + joined(holders));
}

std::optional<SharedGroups> shared_with_training(const StudySummary& summary,
                                                 const std::string& split) {
  bool redrawn = false;
  for (const ArmSummary& arm : summary.arms) {
    for (const TrialSummary& trial : arm.trials) {
      redrawn = redrawn || trial.seeds.split != arm.trials.front().seeds.split;
    }
  }
  std::set<std::string_view> training, tested;
  for (const StudyImage image : summary.images) {
    if (image.split == split) {
      tested.insert(image.group);
    } else if (image.split == "train" || (image.split == "val" && redrawn)) {
      training.insert(image.group);
    }
  }
  // An image without a group is its own and shared with none.
  tested.erase("");
  if (tested.empty()) return std::nullopt;
  SharedGroups out;
  out.groups = tested.size();
  for (const std::string_view group : tested) out.shared += training.contains(group) ? 1 : 0;
  return out;
}

std::string shared_words(const std::optional<SharedGroups>& shared) {
  if (!shared || shared->shared == 0) return "";
  return fmt::format(" ({} of the {} tested on also {} images in training)", shared->shared,
                     counted(shared->groups, "patient"), shared->shared == 1 ? "has" : "have");
}

}  // namespace bioptic
