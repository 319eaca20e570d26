#include "bioptic/data/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/base/random.h"
#include "bioptic/data/group_search.h"

namespace bioptic {
namespace {

// A source's own validation split smaller than this is no basis for a choice.
constexpr std::size_t kSmallestSourceValidation = 100;

using Rows = std::vector<std::uint32_t>;

// Rows of each class, in order.
std::vector<Rows> by_class(const Dataset& dataset, const Rows& rows) {
  std::vector<Rows> classes(dataset.info().classes.size());
  for (const std::uint32_t row : rows) {
    classes[static_cast<std::size_t>(dataset.label(row))].push_back(row);
  }
  return classes;
}

struct Parted {
  Rows taken, left;
};

// Draws `fraction` of each class, image by image.
Parted draw_images(const Dataset& dataset, const Rows& rows, double fraction,
                   RandomStream& stream) {
  Parted parted;
  for (Rows& members : by_class(dataset, rows)) {
    const auto wanted =
        static_cast<std::size_t>(std::floor(fraction * static_cast<double>(members.size()) + 0.5));
    stream.shuffle(std::span(members));
    const auto cut = members.begin() + static_cast<std::ptrdiff_t>(wanted);
    parted.taken.insert(parted.taken.end(), members.begin(), cut);
    parted.left.insert(parted.left.end(), cut, members.end());
  }
  return parted;
}

// Images that a class gives: of its label and how many images its groups have.
using WantedOfClass = std::function<double(std::size_t label, double images)>;

// Draws whole groups until each class has given about as many images as are wanted.  A group
// belongs to the class that most of its images have (of equals, the lower label).
Parted draw_groups(const Dataset& dataset, const Groups& groups, const Rows& rows,
                   const WantedOfClass& wanted_of, RandomStream& stream) {
  Rows ordered = rows;  // by group, ordered by name: the same on every machine
  std::stable_sort(ordered.begin(), ordered.end(), [&](std::uint32_t a, std::uint32_t b) {
    return groups.names[a] < groups.names[b];
  });
  using Group = std::span<const std::uint32_t>;
  const std::size_t classes = dataset.info().classes.size();
  std::vector<std::vector<Group>> of_class(classes);
  std::vector<std::size_t> images(classes);
  for (std::size_t begin = 0, end = 0; begin < ordered.size(); begin = end) {
    std::vector<std::size_t> counts(classes);
    for (; end < ordered.size() && groups.names[ordered[end]] == groups.names[ordered[begin]];
         ++end) {
      ++counts[static_cast<std::size_t>(dataset.label(ordered[end]))];
    }
    const auto major =
        static_cast<std::size_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
    of_class[major].push_back(Group(ordered).subspan(begin, end - begin));
    images[major] += end - begin;
  }
  Parted parted;
  for (std::size_t c = 0; c < classes; ++c) {
    stream.shuffle(std::span(of_class[c]));
    const double wanted = wanted_of(c, static_cast<double>(images[c]));
    double taken = 0;
    for (const Group group : of_class[c]) {
      // A group is taken while that brings the count nearer to what is wanted.
      const auto size = static_cast<double>(group.size());
      const bool take = std::fabs(taken + size - wanted) < std::fabs(taken - wanted);
      if (take) taken += size;
      Rows& target = take ? parted.taken : parted.left;
      target.insert(target.end(), group.begin(), group.end());
    }
  }
  return parted;
}

Parted draw_groups(const Dataset& dataset, const Groups& groups, const Rows& rows, double fraction,
                   RandomStream& stream) {
  return draw_groups(
      dataset, groups, rows, [=](std::size_t, double images) { return fraction * images; }, stream);
}

// The same, of each class `fraction` of the images that `of` has.
Parted draw_groups_like(const Dataset& dataset, const Groups& groups, const Rows& rows,
                        const Rows& of, double fraction, RandomStream& stream) {
  const std::vector<Rows> classes = by_class(dataset, of);
  return draw_groups(
      dataset, groups, rows,
      [&](std::size_t label, double) {
        return fraction * static_cast<double>(classes[label].size());
      },
      stream);
}

void require_every_class(const Dataset& dataset, const Rows& rows, const char* split,
                         const char* remedy) {
  const std::vector<Rows> classes = by_class(dataset, rows);
  for (std::size_t c = 0; c < classes.size(); ++c) {
    if (classes[c].empty()) {
      throw InputError(fmt::format("{}: the {} split has no image of class '{}'; {}",
                                   dataset.folder().string(), split, dataset.info().classes[c],
                                   remedy));
    }
  }
}

Rows sorted(Rows rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

// Takes the hold-out out of plan.pool.
void draw_holdout(const Dataset& dataset, const Groups& groups, const SplitSpec& spec,
                  SplitPlan& plan) {
  std::set<std::string_view> elsewhere;
  for (const std::uint32_t row : plan.test) elsewhere.insert(groups.names[row]);
  for (const std::uint32_t row : plan.fixed_val) elsewhere.insert(groups.names[row]);
  Rows candidates, rest;
  for (const std::uint32_t row : plan.pool) {
    (elsewhere.contains(groups.names[row]) ? rest : candidates).push_back(row);
  }
  RandomStream stream(0, "holdout split");  // never depends on a seed
  Parted parted =
      draw_groups_like(dataset, groups, candidates, plan.pool, spec.holdout_fraction, stream);
  rest.insert(rest.end(), parted.left.begin(), parted.left.end());
  plan.holdout = sorted(std::move(parted.taken));
  plan.pool = sorted(std::move(rest));
  require_every_class(dataset, plan.holdout, "hold-out",
                      "enlarge [shift] holdout_fraction, or add images of groups that are not in "
                      "the test split");
  std::set<std::string_view> held;
  for (const std::uint32_t row : plan.holdout) held.insert(groups.names[row]);
  plan.notes.push_back(fmt::format(
      "{}: {} images of {} groups that are not in the test split, drawn once, the same for every "
      "seed; nothing is trained or validated on them.",
      spec.control ? "The control's hold-out" : "Hold-out", plan.holdout.size(), held.size()));
}

// The control arm's plan, from the one that the source's splits give.
SplitPlan pooled(const Dataset& dataset, const Groups& groups, const SplitPlan& source) {
  Rows all(dataset.size());
  for (std::uint32_t row = 0; row < all.size(); ++row) all[row] = row;
  RandomStream stream(0, "control test split");  // never depends on a seed
  Parted parted = draw_groups_like(dataset, groups, all, source.test, 1, stream);
  SplitPlan plan;
  plan.test = sorted(std::move(parted.taken));
  plan.pool = sorted(std::move(parted.left));
  plan.notes.push_back(
      fmt::format("Control: all {} images were pooled and {} of them drawn once, by group, for the "
                  "test, with the classes of the source's.",
                  dataset.size(), plan.test.size()));
  return plan;
}

}  // namespace

std::size_t Groups::count() const {
  std::vector<std::string_view> sorted(names.begin(), names.end());
  std::sort(sorted.begin(), sorted.end());
  return static_cast<std::size_t>(std::unique(sorted.begin(), sorted.end()) - sorted.begin());
}

Groups find_groups(const Dataset& dataset, const std::string& pattern) {
  Groups groups;
  groups.names.resize(dataset.size());
  const bool by_name = dataset.info().groups_from.empty() && !pattern.empty();
  const GroupSearch search(pattern, "group =");
  std::size_t found = 0;
  for (std::size_t row = 0; row < dataset.size(); ++row) {
    const ImageRecord record = dataset.record(row);
    std::string name = by_name ? search.in(record.source) : std::string(record.group);
    found += name.empty() ? 0U : 1U;
    // '#' and the id: no name that a search or a source gives collides with it by chance
    groups.names[row] = name.empty() ? "#" + std::string(record.id) : std::move(name);
  }
  groups.known = by_name ? found > 0 : !dataset.info().groups_from.empty();
  groups.from = !groups.known ? "none: every image is its own group"
                : by_name     ? "search '" + pattern + "' in the file name"
                              : dataset.info().groups_from;
  return groups;
}

SplitPlan plan_splits(const Dataset& dataset, const Groups& groups, const SplitSpec& spec) {
  SplitPlan plan;
  Rows train, val, unnamed;
  for (std::uint32_t row = 0; row < dataset.size(); ++row) {
    const std::string_view split = dataset.record(row).split;
    if (split == "test") {
      plan.test.push_back(row);
    } else if (split == "val") {
      val.push_back(row);
    } else if (split == "train") {
      train.push_back(row);
    } else if (split.empty()) {
      unnamed.push_back(row);
    } else {
      throw InputError(
          fmt::format("{}: row {} of index.csv names the split '{}'; expected train, "
                      "val, test or nothing",
                      dataset.folder().string(), row, split));
    }
  }
  train.insert(train.end(), unnamed.begin(), unnamed.end());
  if (dataset.info().classes.size() < 2) {
    throw InputError(dataset.folder().string() +
                     ": has one class only; two are needed to classify");
  }

  if (plan.test.empty()) {
    Rows all = train;
    all.insert(all.end(), val.begin(), val.end());
    val.clear();
    RandomStream stream(0, "test split");  // never depends on a seed
    Parted parted = draw_groups(dataset, groups, sorted(all), spec.test_fraction, stream);
    plan.test = sorted(parted.taken);
    train = parted.left;
    plan.notes.push_back(
        fmt::format("The source names no test split: {} of {} images were drawn once for the test, "
                    "{}; the same "
                    "for every seed.",
                    plan.test.size(), dataset.size(), groups.known ? "by group" : "by image"));
  }

  const bool keep = spec.val == ValidationFrom::source || (spec.val == ValidationFrom::automatic &&
                                                           val.size() >= kSmallestSourceValidation);
  if (spec.val == ValidationFrom::source && val.empty()) {
    throw InputError(dataset.folder().string() +
                     ": val = \"source\", but the source names no validation split; use \"draw\"");
  }
  if (keep) {
    plan.fixed_val = sorted(val);
    plan.val_from_source = true;
    plan.notes.push_back(
        fmt::format("Validation is the source's own split of {} images.", val.size()));
    require_every_class(dataset, plan.fixed_val, "validation", "use val = \"draw\"");
  } else if (!val.empty()) {
    train.insert(train.end(), val.begin(), val.end());
    plan.notes.push_back(
        fmt::format("The source's validation split of {} images {}; it joined training, and "
                    "validation is drawn "
                    "from both.",
                    val.size(),
                    spec.val == ValidationFrom::draw
                        ? "is not used (val = \"draw\")"
                        : fmt::format("is smaller than {}", kSmallestSourceValidation)));
  }
  plan.pool = sorted(train);
  if (spec.control) plan = pooled(dataset, groups, plan);
  if (spec.holdout_fraction > 0) draw_holdout(dataset, groups, spec, plan);
  require_every_class(dataset, plan.pool, "training",
                      "every class needs images to train on: check the source's folders");
  require_every_class(dataset, plan.test, "test", "every class needs images to test on");
  return plan;
}

Splits draw_splits(const Dataset& dataset, const Groups& groups, const SplitSpec& spec,
                   const SplitPlan& plan, std::uint64_t seed) {
  Splits splits;
  splits.test = plan.test;
  if (plan.val_from_source) {
    splits.train = plan.pool;
    splits.val = plan.fixed_val;
    return splits;
  }
  RandomStream stream(seed, "split");
  Parted parted = spec.split_by == SplitBy::group
                      ? draw_groups(dataset, groups, plan.pool, spec.val_fraction, stream)
                      : draw_images(dataset, plan.pool, spec.val_fraction, stream);
  splits.val = sorted(parted.taken);
  splits.train = sorted(parted.left);
  if (splits.val.empty()) {
    throw InputError(fmt::format(
        "val_fraction = {} of {} images leaves no validation image; enlarge it or add images",
        spec.val_fraction, plan.pool.size()));
  }
  require_every_class(dataset, splits.val, "validation", "enlarge val_fraction or add images");
  require_every_class(dataset, splits.train, "training", "lower val_fraction or add images");
  return splits;
}

}  // namespace bioptic
