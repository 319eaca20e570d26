#include "bioptic/cli/eval_split.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "bioptic/base/error.h"
#include "bioptic/data/split.h"

namespace bioptic {
namespace {

using Rows = std::vector<std::size_t>;

// The model's label of each of the dataset's classes.
std::vector<std::int64_t> labels_of(const ModelFile& model, const Dataset& dataset,
                                    const std::string& name) {
  std::vector<std::int64_t> labels;
  for (const std::string& c : dataset.info().classes) {
    const auto it = std::find(model.classes().begin(), model.classes().end(), c);
    if (it == model.classes().end()) {
      const std::vector<std::string_view> known(model.classes().begin(), model.classes().end());
      throw InputError(
          fmt::format("{}: the model does not know class '{}'{}", name, c, suggestion(c, known)));
    }
    labels.push_back(it - model.classes().begin());
  }
  return labels;
}

Rows all_rows(const Dataset& dataset) {
  Rows rows(dataset.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

Rows named_rows(const Dataset& dataset, const std::string& split) {
  Rows rows;
  for (std::size_t row = 0; row < dataset.size(); ++row) {
    if (dataset.record(row).split == split) rows.push_back(row);
  }
  return rows;
}

Rows known_rows(const ModelInput& input, const PixelHashes& hashes, ThreadPool& pool) {
  const Rows all = all_rows(input.dataset());
  const std::vector<ImageTraits> traits = input.traits(all, pool);
  Rows rows;
  for (const std::size_t row : all) {
    if (hashes.contains(traits[row].hash)) rows.push_back(row);
  }
  return rows;
}

// As the model's study drew it.
Rows drawn_rows(const ModelFile& model, const Dataset& dataset, bool holdout) {
  const SplitPlan plan =
      plan_splits(dataset, find_groups(dataset, model.group_pattern()), *model.split());
  const std::vector<std::uint32_t>& rows = holdout ? plan.holdout : plan.test;
  return {rows.begin(), rows.end()};
}

[[noreturn]] void throw_no_holdout(const ModelFile& model, const Dataset& dataset,
                                   const std::string& name) {
  if (!model.split() || model.split()->holdout_fraction == 0) {
    throw InputError(
        "the model's study has no hold-out; [shift] holdout_fraction in the study file makes one");
  }
  throw InputError(fmt::format(
      "{}: is not the dataset that the model's hold-out was drawn from (SHA-256 {} here, {} "
      "there), "
      "nor has it an image of it; --split all evaluates the model on all of it",
      name, dataset.info().content_hash.substr(0, 16), model.dataset_hash().substr(0, 16)));
}

[[noreturn]] void throw_no_split(const Dataset& dataset, const std::string& name,
                                 const std::string& split) {
  bool named = false;
  for (std::size_t row = 0; row < dataset.size(); ++row) {
    named = named || !dataset.record(row).split.empty();
  }
  throw InputError(
      fmt::format("{}: its source names no {} split{}{}; use --split all, or see "
                  "tables/predictions.csv for the "
                  "splits that a run drew",
                  name, split, named ? "" : " (nor any other)",
                  split == "test" ? ", and has no image of one that the model's study drew" : ""));
}

}  // namespace

const char* name_of(SplitFrom from) {
  switch (from) {
    case SplitFrom::source:
      return "source";
    case SplitFrom::drawn:
      return "drawn";
    case SplitFrom::pixels:
      return "pixels";
  }
  return "";
}

EvaluatedImages evaluated_images(const ModelFile& model, const ModelInput& input,
                                 const std::string& name, const std::string& split,
                                 ThreadPool& pool) {
  const Dataset& dataset = input.dataset();
  const std::vector<std::int64_t> label_of = labels_of(model, dataset, name);
  const bool holdout = split == "holdout";
  const bool may_be_drawn =
      model.split() && (holdout ? model.split()->holdout_fraction > 0
                                : split == "test" && draws_test(dataset, *model.split()));
  const std::optional<PixelHashes>& hashes = holdout ? model.images().holdout : model.images().test;
  EvaluatedImages found;
  if (may_be_drawn && dataset.info().content_hash == model.dataset_hash()) {
    found = {drawn_rows(model, dataset, holdout), {}, SplitFrom::drawn};
  } else if (may_be_drawn && hashes) {
    found = {known_rows(input, *hashes, pool), {}, SplitFrom::pixels};
  }
  if (found.rows.empty()) {
    if (holdout) throw_no_holdout(model, dataset, name);
    found = {
        split == "all" ? all_rows(dataset) : named_rows(dataset, split), {}, SplitFrom::source};
  }
  if (found.rows.empty()) throw_no_split(dataset, name, split);
  for (const std::size_t row : found.rows) {
    found.labels.push_back(label_of[static_cast<std::size_t>(dataset.label(row))]);
  }
  return found;
}

}  // namespace bioptic
