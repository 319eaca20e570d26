#include "bioptic/study/keep_images.h"

#include <map>
#include <set>
#include <string_view>

namespace bioptic {
namespace {

// The rows of `values` (columns numbers each) whose flag is set.
template <typename T>
std::vector<T> kept_rows(const std::vector<T>& values, std::size_t columns,
                         const std::vector<bool>& flags) {
  std::vector<T> out;
  if (values.empty()) return out;
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (!flags[i]) continue;
    for (std::size_t c = 0; c < columns; ++c) out.push_back(values[i * columns + c]);
  }
  return out;
}

}  // namespace

PredictionTable keep_images(const PredictionTable& table, const std::vector<bool>& keep) {
  PredictionTable out = table;
  out.images.clear();
  std::vector<std::size_t> place(table.images.size(), 0);
  std::map<std::size_t, std::size_t> groups;  // old number -> new
  std::map<std::size_t, std::size_t> sizes;
  for (std::size_t i = 0; i < table.images.size(); ++i) {
    if (!keep[i]) continue;
    place[i] = out.images.size();
    PredictedImage image = table.images[i];
    image.group = groups.emplace(image.group, groups.size()).first->second;
    ++sizes[image.group];
    out.images.push_back(image);
  }
  out.groups = groups.size();
  out.grouped = out.groups < out.images.size();
  for (PredictedArm& arm : out.arms) {
    for (PredictedTrial& trial : arm.trials) {
      std::vector<bool> flags;
      std::vector<std::size_t> images;
      for (const std::size_t i : trial.images) {
        flags.push_back(keep[i]);
        if (keep[i]) images.push_back(place[i]);
      }
      trial.images = images;
      trial.scores = kept_rows(trial.scores, table.columns(), flags);
      trial.ranks = kept_rows(trial.ranks, table.columns(), flags);
      trial.logits = kept_rows(trial.logits, table.columns(), flags);
      trial.predicted = kept_rows(trial.predicted, 1, flags);
    }
  }
  return out;
}

PredictionTable without_shared_groups(const PredictionTable& test, const StudySummary& summary) {
  std::set<std::string_view> elsewhere;
  std::map<std::string_view, std::string_view> group_of;  // of the test images, by id
  for (const StudyImage image : summary.images) {
    if (image.split == "test") {
      group_of[image.id] = image.group;
    } else if (!image.group.empty()) {
      elsewhere.insert(image.group);
    }
  }
  std::vector<bool> keep;
  for (const PredictedImage& image : test.images) {
    keep.push_back(!elsewhere.contains(group_of[image.id]));
  }
  return keep_images(test, keep);
}

}  // namespace bioptic
