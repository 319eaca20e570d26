#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/parallel.h"
#include "bioptic/cli/command.h"
#include "bioptic/data/dataset.h"
#include "bioptic/data/split.h"
#include "bioptic/data/window.h"
#include "bioptic/stats/intervals.h"
#include "bioptic/study/model_file.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Options {
  std::string model, data, split = "test";
  bool json = false;
};

// A folder for an import that goes away with this object.
struct Scratch {
  fs::path path = temporary_beside(fs::temp_directory_path() / "eval");
  Scratch() = default;
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
};

Dataset open_for(const ModelFile& model, const fs::path& data, const Scratch& scratch) {
  if (!is_dataset(data)) {
    ImportOptions import;
    if (model.width() == model.height()) import.size = model.width();
    import.channels = model.channels();
    import.fit = model.fit();
    import_source(data, scratch.path, import);
  }
  Dataset dataset = Dataset::open(is_dataset(data) ? data : scratch.path);
  const DatasetInfo& info = dataset.info();
  if (info.width != model.width() || info.height != model.height() ||
      info.channels != model.channels()) {
    throw InputError(fmt::format(
        "{}: its images are {} x {} with {} channels, the model was trained on {} x {} with {}; "
        "import the source with --size {} {}",
        data.string(), info.width, info.height, info.channels, model.width(), model.height(),
        model.channels(), model.width(), model.channels() == 1 ? "--grey" : "--rgb"));
  }
  return dataset;
}

// Rows of the split and the model's label of each.
struct Selected {
  std::vector<std::size_t> rows;
  std::vector<std::int64_t> labels;
};

// The model's hold-out: drawn again, as its study drew it.
SplitPlan plan_of(const Dataset& dataset, const ModelFile& model, const std::string& data) {
  if (!model.split() || model.split()->holdout_fraction == 0) {
    throw InputError(
        "the model's study has no hold-out; [shift] holdout_fraction in the study file makes one");
  }
  if (dataset.info().content_hash != model.dataset_hash()) {
    throw InputError(fmt::format(
        "{}: is not the dataset that the model's hold-out was drawn from (SHA-256 {} here, {} "
        "there); --split all evaluates the model on all of it",
        data, dataset.info().content_hash.substr(0, 16), model.dataset_hash().substr(0, 16)));
  }
  return plan_splits(dataset, find_groups(dataset, model.group_pattern()), *model.split());
}

Selected select(const Dataset& dataset, const ModelFile& model, const std::string& data,
                const std::string& split) {
  std::vector<std::int64_t> label_of;
  for (const std::string& name : dataset.info().classes) {
    const auto it = std::find(model.classes().begin(), model.classes().end(), name);
    if (it == model.classes().end()) {
      const std::vector<std::string_view> known(model.classes().begin(), model.classes().end());
      throw InputError(fmt::format("{}: the model does not know class '{}'{}", data, name,
                                   suggestion(name, known)));
    }
    label_of.push_back(it - model.classes().begin());
  }
  Selected selected;
  bool named = false;
  if (split == "holdout") {
    for (const std::uint32_t row : plan_of(dataset, model, data).holdout) {
      selected.rows.push_back(row);
      selected.labels.push_back(label_of[static_cast<std::size_t>(dataset.label(row))]);
    }
    return selected;
  }
  for (std::size_t row = 0; row < dataset.size(); ++row) {
    const ImageRecord record = dataset.record(row);
    named = named || !record.split.empty();
    if (split != "all" && record.split != split) continue;
    selected.rows.push_back(row);
    selected.labels.push_back(label_of[static_cast<std::size_t>(record.label)]);
  }
  if (selected.rows.empty()) {
    throw InputError(fmt::format(
        "{}: its source names no {} split{}; splits that a run draws are in the run's store: see "
        "tables/predictions.csv, or use --split all",
        data, split, named ? "" : " (nor any other)"));
  }
  return selected;
}

// A warning where images of the split were trained on, or chosen by; "" where none were.
std::string seen_in_training(const ModelFile& model, const Dataset& dataset,
                             const std::string& split) {
  if (split == "holdout" || dataset.info().content_hash != model.dataset_hash()) return "";
  if (model.split() && model.split()->control) {
    return "the model is a control: it was trained on some of the images of every split that the "
           "source names; unseen are those of its hold-out";
  }
  if (split == "test") return "";
  if (split == "val" && model.val_from_source()) return "";
  return "the model was trained on some of these images; unseen are those that the source calls "
         "test";
}

int eval_command(const Options& options) {
  ModelFile model(options.model, available_processors());
  const Scratch scratch;
  const Dataset dataset = open_for(model, options.data, scratch);
  const Selected selected = select(dataset, model, options.data, options.split);

  std::vector<std::vector<std::uint8_t>> mapped;  // 16-bit images through the model's window
  std::vector<const std::uint8_t*> images;
  if (dataset.info().dtype == PixelType::uint16) {
    if (model.window().size() != 2) {
      throw InputError(options.data + ": is 16 bit, and the model was trained on 8-bit images");
    }
    const Window window{static_cast<std::uint16_t>(model.window()[0]),
                        static_cast<std::uint16_t>(model.window()[1])};
    for (const std::size_t row : selected.rows) {
      auto& bytes = mapped.emplace_back();
      for (const std::uint16_t v : dataset.image16(row)) bytes.push_back(apply_window(v, window));
    }
    for (const auto& bytes : mapped) images.push_back(bytes.data());
  } else {
    for (const std::size_t row : selected.rows) images.push_back(dataset.image8(row).data());
  }
  const std::vector<float> logits = model.logits(images);

  const Reading& reading = model.reading();
  const auto classes = static_cast<std::size_t>(reading.classes);
  std::vector<std::vector<std::size_t>> confusion(classes, std::vector<std::size_t>(classes));
  std::size_t right = 0;
  for (std::size_t i = 0; i < selected.labels.size(); ++i) {
    const int predicted = predicted_label(reading.loss.kind, reading.classes, reading.positive,
                                          model.threshold(), &logits[i * reading.outputs()]);
    ++confusion[static_cast<std::size_t>(selected.labels[i])][static_cast<std::size_t>(predicted)];
    right += predicted == selected.labels[i] ? 1U : 0U;
  }
  const std::size_t n = selected.labels.size();
  const Proportion accuracy_of = wilson_interval(right, n);
  const double auc = area_under_roc(reading, selected.labels, logits);
  const double loss = mean_loss(reading, selected.labels, logits);

  json j = {{"model", options.model},
            {"data", options.data},
            {"split", options.split},
            {"images", n},
            {"classes", model.classes()},
            {"accuracy", accuracy_of.value},
            {"accuracy_low", accuracy_of.low},
            {"accuracy_high", accuracy_of.high},
            {"loss", loss},
            {"auroc", std::isnan(auc) ? json() : json(auc)},
            {"threshold", model.threshold()},
            {"threshold_rule", model.threshold_rule()},
            {"confusion", confusion}};
  const std::string warning = seen_in_training(model, dataset, options.split);
  if (!warning.empty()) j["warning"] = warning;
  const auto p = static_cast<std::size_t>(reading.positive);
  Proportion sensitivity{}, specificity{};
  if (classes == 2) {
    sensitivity = wilson_interval(confusion[p][p], confusion[p][0] + confusion[p][1]);
    specificity =
        wilson_interval(confusion[1 - p][1 - p], confusion[1 - p][0] + confusion[1 - p][1]);
    j["positive"] = model.classes()[p];
    j["sensitivity"] = sensitivity.value;
    j["sensitivity_low"] = sensitivity.low;
    j["sensitivity_high"] = sensitivity.high;
    j["specificity"] = specificity.value;
    j["specificity_low"] = specificity.low;
    j["specificity_high"] = specificity.high;
  }
  if (options.json) {
    fmt::print("{}\n", j.dump(2));
    return 0;
  }
  const auto line = [](const char* name, const Proportion& value) {
    fmt::print("{:12} {:6.2f} %   [{:.2f}, {:.2f}]\n", name, 100 * value.value, 100 * value.low,
               100 * value.high);
  };
  fmt::print("{} on {} ({}): {} images\n\n", options.model, options.data, options.split, n);
  line("accuracy", accuracy_of);
  if (classes == 2) {
    line("sensitivity", sensitivity);
    line("specificity", specificity);
  }
  fmt::print("{:12} {}\n", "AUROC",
             std::isnan(auc) ? "undefined (a class is absent)" : fmt::format("{:.4f}", auc));
  fmt::print("{:12} {:.4f}\n", "loss", loss);
  if (classes == 2) {
    fmt::print("\nthreshold {} ({}), positive class {}; intervals: Wilson, 95 %, over images\n",
               model.threshold(), model.threshold_rule(), model.classes()[p]);
  }
  if (!warning.empty()) fmt::print("\nnote: {}\n", warning);
  fmt::print("\n{:>16}", "true \\ predicted");
  for (const std::string& name : model.classes()) fmt::print("  {:>12}", name);
  fmt::print("\n");
  for (std::size_t r = 0; r < classes; ++r) {
    fmt::print("{:>16}", model.classes()[r]);
    for (const std::size_t count : confusion[r]) fmt::print("  {:>12}", count);
    fmt::print("\n");
  }
  return 0;
}

}  // namespace

void register_eval(CLI::App& app, Command& run) {
  const auto o = std::make_shared<Options>();
  CLI::App* sub =
      app.add_subcommand("eval", "A saved model on a split: accuracy, AUROC, confusion");
  sub->add_option("MODEL", o->model, "a .safetensors file of a run")->required();
  sub->add_option("--data", o->data, "a dataset or any source that can be imported")->required();
  sub->add_option("--split", o->split, "as the source names it, holdout, or all")
      ->check(CLI::IsMember({"train", "val", "test", "holdout", "all"}))
      ->capture_default_str();
  sub->add_flag("--json", o->json, "as JSON");
  sub->callback([o, &run] { run = [o] { return eval_command(*o); }; });
}

}  // namespace bioptic
