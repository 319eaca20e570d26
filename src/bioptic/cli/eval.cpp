#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "bioptic/base/counted.h"
#include "bioptic/base/error.h"
#include "bioptic/base/json_text.h"
#include "bioptic/base/parallel.h"
#include "bioptic/base/temporary_folder.h"
#include "bioptic/cli/command.h"
#include "bioptic/data/dataset.h"
#include "bioptic/data/group_search.h"
#include "bioptic/data/split.h"
#include "bioptic/data/window.h"
#include "bioptic/report/metrics_table.h"
#include "bioptic/study/model_file.h"
#include "bioptic/study/model_metrics.h"
#include "bioptic/study/preprocessing.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Options {
  std::string model, data, split = "test", group;
  bool json = false;
};

// `scratch`: where an import goes, for as long as the dataset is used.
Dataset open_for(const ModelFile& model, const fs::path& data,
                 std::optional<TemporaryFolder>& scratch) {
  fs::path folder = data;
  if (!is_dataset(data)) {
    folder = scratch.emplace(fs::temp_directory_path() / "eval").path() / "dataset";
    ImportOptions import;
    if (model.width() == model.height()) import.size = model.width();
    import.channels = model.channels();
    import.fit = model.fit();
    import.dicom = dicom_options_of(model.preprocessing());
    import_source(data, folder, import);
  }
  Dataset dataset = Dataset::open(folder);
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

struct Result {
  const Options& options;
  const ModelFile& model;
  const ModelMetrics& m;
  double loss = 0;
  std::size_t images = 0, groups = 0;
  std::string groups_from, warning;
  std::vector<PreprocessingDifference> differences;  // from the images of the training
};

// The interval to be read: that over groups where groups are shared.  Null where there is none.
const PatientInterval* interval_of(const ModelMetrics& m, const std::string& name) {
  if (const auto i = m.group_intervals.find(name); i != m.group_intervals.end()) return &i->second;
  const auto i = m.intervals.find(name);
  return i == m.intervals.end() ? nullptr : &i->second;
}

// The metric under its own name, its interval as <name>_low and _high; null where undefined.
void add_flat(json& j, const Result& r, const std::string& name, bool with_interval) {
  const auto value = r.m.values.find(name);
  j[name] = value == r.m.values.end() ? json() : json(value->second);
  if (!with_interval) return;
  const PatientInterval* i = interval_of(r.m, name);
  j[name + "_low"] = i == nullptr ? json() : json(i->low);
  j[name + "_high"] = i == nullptr ? json() : json(i->high);
}

json as_json(const Result& r) {
  const auto classes = static_cast<std::size_t>(r.model.reading().classes);
  json confusion = json::array();
  for (std::size_t row = 0; row < classes; ++row) {
    const auto begin = r.m.confusion.begin() + static_cast<std::ptrdiff_t>(row * classes);
    confusion.push_back(
        std::vector<std::size_t>(begin, begin + static_cast<std::ptrdiff_t>(classes)));
  }
  json metrics = json::object();
  for (const auto& [name, value] : r.m.values) {
    metrics[name] = {{"value", value}};
    if (const auto i = r.m.intervals.find(name); i != r.m.intervals.end()) {
      metrics[name]["low"] = i->second.low;
      metrics[name]["high"] = i->second.high;
      metrics[name]["method"] = i->second.method;
    }
    if (const auto i = r.m.group_intervals.find(name); i != r.m.group_intervals.end()) {
      metrics[name]["groups_low"] = i->second.low;
      metrics[name]["groups_high"] = i->second.high;
      metrics[name]["groups_method"] = i->second.method;
    }
  }
  json j = {{"model", r.options.model},
            {"data", r.options.data},
            {"split", r.options.split},
            {"images", r.images},
            {"groups", r.groups},
            {"groups_from", r.groups_from},
            {"classes", r.model.classes()},
            {"loss", r.loss},
            {"threshold", r.model.threshold()},
            {"threshold_rule", r.model.threshold_rule()},
            {"not_finite", r.m.not_finite},
            {"metrics", metrics},
            {"intervals_over", "patients"},
            {"confusion", confusion}};
  add_flat(j, r, "accuracy", true);
  add_flat(j, r, "auroc", false);
  if (!r.warning.empty()) j["warning"] = r.warning;
  j["preprocessing_differences"] = json::array();
  for (const PreprocessingDifference& d : r.differences) {
    j["preprocessing_differences"].push_back(
        {{"what", d.what}, {"model", d.model}, {"data", d.data}});
  }
  if (classes == 2) {
    j["positive"] = r.model.classes()[static_cast<std::size_t>(r.model.reading().positive)];
    add_flat(j, r, "sensitivity", true);
    add_flat(j, r, "specificity", true);
  }
  return j;
}

void print_metric(const Result& r, const std::string& name, const std::string& heading) {
  const auto value = r.m.values.find(name);
  if (value == r.m.values.end()) {
    fmt::print("{:28} undefined\n", heading);
    return;
  }
  fmt::print("{:28} {:8.4f}", heading, value->second);
  if (const PatientInterval* i = interval_of(r.m, name)) {
    fmt::print("   [{:.4f}, {:.4f}]   {}", i->low, i->high, i->method);
  }
  fmt::print("\n");
}

void print(const Result& r) {
  const std::vector<std::string>& names = r.model.classes();
  fmt::print("{} on {} ({}): {}, {}\n\n", r.options.model, r.options.data, r.options.split,
             counted(r.images, "image"), counted(r.groups, "group"));
  for (const MetricHeading& h : metric_headings()) {
    if (names.size() == 2 || r.m.jackknifed.contains(h.name)) print_metric(r, h.name, h.heading);
  }
  for (const std::string& name : names) {
    if (names.size() > 2) print_metric(r, "auroc_" + name, "AUROC, " + name);
  }
  fmt::print("{:28} {:8.4f}\n", "loss of the training", r.loss);
  fmt::print(
      "\nintervals: 95 %, over patients, for this one trained model; another training would add "
      "its\nown chance. ECE: 10 bins of equal width; net benefit: at a threshold probability of "
      "0.5\n");
  if (names.size() == 2) {
    fmt::print("threshold {} ({}), positive class {}\n", r.model.threshold(),
               r.model.threshold_rule(),
               names[static_cast<std::size_t>(r.model.reading().positive)]);
  }
  if (r.m.not_finite > 0) {
    fmt::print("note: {} scores are not finite and count as wrong\n", r.m.not_finite);
  }
  if (!r.warning.empty()) fmt::print("\nnote: {}\n", r.warning);
  fmt::print("\n{:>16}", "true \\ predicted");
  for (const std::string& name : names) fmt::print("  {:>12}", name);
  fmt::print("\n");
  for (std::size_t row = 0; row < names.size(); ++row) {
    fmt::print("{:>16}", names[row]);
    for (std::size_t c = 0; c < names.size(); ++c) {
      fmt::print("  {:>12}", r.m.confusion[row * names.size() + c]);
    }
    fmt::print("\n");
  }
}

// Logits of 16-bit images through the model's window, some at a time: all of them in 8 bits would
// take as much memory as half the dataset.
std::vector<float> windowed_logits(ModelFile& model, const Dataset& dataset,
                                   const std::vector<std::size_t>& rows) {
  const Window window{static_cast<std::uint16_t>(model.window()[0]),
                      static_cast<std::uint16_t>(model.window()[1])};
  std::vector<std::uint8_t> grey(65536);
  for (std::size_t v = 0; v < grey.size(); ++v) {
    grey[v] = apply_window(static_cast<std::uint16_t>(v), window);
  }
  const std::size_t pixels = dataset.pixels_per_image();
  const std::size_t at_once = std::clamp<std::size_t>((std::size_t{16} << 20) / pixels, 1, 256);
  std::vector<std::uint8_t> bytes(std::min(at_once, rows.size()) * pixels);
  std::vector<const std::uint8_t*> images;
  std::vector<float> logits;
  for (std::size_t begin = 0; begin < rows.size(); begin += at_once) {
    images.clear();
    for (std::size_t i = begin; i < std::min(begin + at_once, rows.size()); ++i) {
      std::uint8_t* image = &bytes[images.size() * pixels];
      const auto stored = dataset.image16(rows[i]);
      std::transform(stored.begin(), stored.end(), image, [&](std::uint16_t v) { return grey[v]; });
      images.push_back(image);
    }
    const std::vector<float> some = model.logits(images);
    logits.insert(logits.end(), some.begin(), some.end());
  }
  return logits;
}

std::vector<float> logits_of(ModelFile& model, const Dataset& dataset,
                             const std::vector<std::size_t>& rows, const std::string& data) {
  if (dataset.info().dtype == PixelType::uint16) {
    if (model.window().size() == 2) return windowed_logits(model, dataset, rows);
    throw InputError(data +
                     ": is 16 bit, and the model was trained on 8-bit images; import "
                     "8-bit files, or train on this dataset");
  }
  std::vector<const std::uint8_t*> images;
  for (const std::size_t row : rows) images.push_back(dataset.image8(row).data());
  return model.logits(images);
}

int eval_command(const Options& options) {
  ModelFile model(options.model, available_processors());
  std::optional<TemporaryFolder> scratch;
  const Dataset dataset = open_for(model, options.data, scratch);
  const Selected selected = select(dataset, model, options.data, options.split);

  const std::vector<float> logits = logits_of(model, dataset, selected.rows, options.data);

  const Reading& reading = model.reading();
  const Groups found = search_groups(dataset, options.group);
  std::vector<std::string_view> names;
  for (const std::size_t row : selected.rows) names.emplace_back(found.names[row]);
  const std::vector<int> groups = number_groups(names);
  const ModelMetrics m =
      model_metrics(reading, selected.labels, logits, groups, model.threshold(), model.classes());
  Result result{options,
                model,
                m,
                mean_loss(reading, selected.labels, logits),
                selected.labels.size(),
                std::set<int>(groups.begin(), groups.end()).size(),
                found.from,
                seen_in_training(model, dataset, options.split),
                preprocessing_differences(model.preprocessing(), dataset.info().preprocessing)};
  if (!result.differences.empty()) {
    fmt::print(stderr,
               "Warning: {}: the images may not have been prepared as those that the model was "
               "trained on ({}); its numbers may be of the preparation.\n",
               options.data, in_words(result.differences));
  }
  for (const std::string& note : search_notes(dataset, options.group, found))
    fmt::print(stderr, "{}\n", note);
  if (options.json) {
    fmt::print("{}\n", json_text(as_json(result), 2));
  } else {
    print(result);
  }
  return 0;
}

}  // namespace

void register_eval(CLI::App& app, Command& run) {
  const auto o = std::make_shared<Options>();
  CLI::App* sub =
      app.add_subcommand("eval", "A saved model on a split: all metrics with intervals, confusion");
  sub->add_option("MODEL", o->model, "a .safetensors file of a run")->required();
  sub->add_option("--data", o->data, "a dataset or any source that can be imported")->required();
  sub->add_option("--split", o->split, "as the source names it, holdout, or all")
      ->check(CLI::IsMember({"train", "val", "test", "holdout", "all"}))
      ->capture_default_str();
  sub->add_option(
      "--group", o->group,
      "search expression for the group (patient) in a file's name (without its folders): its first "
      "capture, or the whole match; as [data] group");
  sub->add_flag("--json", o->json, "as JSON");
  sub->callback([o, &run] { run = [o] { return eval_command(*o); }; });
}

}  // namespace bioptic
