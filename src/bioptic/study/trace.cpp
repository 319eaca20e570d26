#include "bioptic/study/trace.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "bioptic/base/files.h"
#include "bioptic/base/json_text.h"
#include "bioptic/base/temporary_folder.h"
#include "bioptic/model/safetensors.h"
#include "bioptic/train/weights.h"

namespace bioptic {
namespace fs = std::filesystem;

void TraceWriter::add(std::int64_t number, const Step& step, double loss,
                      std::span<const std::uint32_t> rows) {
  order_ += fmt::format("{},{}\n", number, fmt::join(rows, " "));
  steps_ += fmt::format("{},{},{},{}\n", number, step.lr, step.momentum, loss);
}

void TraceWriter::write(const fs::path& folder, const PlannedStudy& study,
                        const PlannedTrial& trial, int threads) const {
  const Dataset& dataset = study.data.dataset;
  const DatasetInfo& info = dataset.info();
  nlohmann::json spec = nlohmann::json::parse(canonical_json(trial.spec));
  const Splits splits = draw_splits(dataset, study.data.groups, trial.spec.split,
                                    study.data.plan_of(trial.spec), trial.spec.seeds.split);
  TrainSpec train = trial.spec.train;  // with the numbers that a replay needs
  train.loss = settled_loss(train.loss, trial.spec.positive, count_classes(dataset, splits.train),
                            info.classes);
  spec["train"] = nlohmann::json::parse(canonical_json(train));
  const auto batch = static_cast<std::size_t>(trial.spec.train.batch_size);
  spec["trial"] = trial.id;
  spec["dataset_sha256"] = spec["dataset"];
  spec["dataset"] = fs::absolute(dataset.folder()).string();
  spec["classes"] = info.classes;
  spec["channels"] = info.channels;
  spec["height"] = info.height;
  spec["width"] = info.width;
  spec["epochs"] = trial.spec.train.epochs;
  spec["steps_per_epoch"] = (splits.train.size() + batch - 1) / batch;
  spec["threads"] = threads;

  const Parameters initial = initial_parameters(
      layer_shapes(dataset.pixels_per_image(), trial.spec.train.model,
                   output_count(trial.spec.train.loss.kind, static_cast<int>(info.classes.size()))),
      trial.spec.seeds.init);
  TemporaryFolder scratch(folder);
  const fs::path& temporary = scratch.path();
  write_file(temporary / "spec.json", json_text(spec, 2) + "\n");
  write_file(temporary / "initial.safetensors",
             to_safetensors(initial, trial.spec.train.model.dropout > 0, {}));
  write_file(temporary / "order.csv", order_);
  write_file(temporary / "steps.csv", steps_);
  fs::remove_all(folder);  // a trace without its whole set of files is not one
  scratch.become(folder);
}

bool has_trace(const fs::path& folder, const std::string& trial_id) {
  const fs::path file = folder / "spec.json";
  if (!fs::exists(file)) return false;
  const nlohmann::json spec = nlohmann::json::parse(read_file(file), nullptr, false);
  return spec.is_object() && spec.value("trial", "") == trial_id;
}

fs::path trace_path(const fs::path& out, const StudySpec& study, const PlannedTrial& trial) {
  return out / study.name / "trace" / arm_file_name(study, trial.arm) /
         ("seed" + std::to_string(trial.seed));
}

}  // namespace bioptic
