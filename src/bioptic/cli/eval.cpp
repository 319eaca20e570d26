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
#include "bioptic/base/print.h"
#include "bioptic/base/private_folder.h"
#include "bioptic/cli/command.h"
#include "bioptic/cli/eval_split.h"
#include "bioptic/data/dataset.h"
#include "bioptic/data/group_search.h"
#include "bioptic/data/source_extent.h"
#include "bioptic/report/metrics_table.h"
#include "bioptic/study/known_images.h"
#include "bioptic/study/model_file.h"
#include "bioptic/study/model_input.h"
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
                 std::optional<PrivateFolder>& scratch) {
  fs::path folder = data;
  if (!is_dataset(data)) {
    folder = scratch.emplace("eval").path() / "dataset";
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

// Images of the split that were trained on, or chosen by; "" where none were.  By their pixels;
// with a model that does not remember those, by the names of the splits.
std::string seen_in_training(const ModelFile& model, const Dataset& dataset,
                             const KnownImages& images, const std::string& split) {
  if (model.images().train) return seen_in_words(images);
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

// In what the source of the images is unlike that of the training images, where both are known.
std::vector<std::string> unlike_source(const ModelFile& model, const Dataset& dataset) {
  const std::optional<SourceExtent> here = source_extent(dataset.info().provenance);
  if (!here || !model.images().source) return {};
  return TrainingSource(model.images().source, model.channels(), model.height(), model.width())
      .unlike(*here);
}

struct Result {
  const Options& options;
  const ModelFile& model;
  const ModelMetrics& m;
  double loss = 0;
  std::size_t images = 0, groups = 0;
  std::string groups_from, warning;
  SplitFrom split_from = SplitFrom::source;
  std::vector<std::string> unlike_source;  // in what the images' source is unlike the training's
  std::vector<std::string> ids;            // of the images, in the order of `known`
  KnownImages known;
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

// null where the model does not tell.
void add_known(json& j, const Result& r) {
  const ModelImages& model = r.model.images();
  j["trained_on"] = model.train ? json(r.known.trained_on) : json();
  j["validated_on"] = model.val ? json(r.known.validated_on) : json();
  j["unlike_training_source"] = r.unlike_source;
  j["unlike_training"] = model.training ? json::array() : json();
  for (std::size_t i = 0; i < r.known.each.size(); ++i) {
    const KnownImage& image = r.known.each[i];
    if (!image.unlike || image.unlike->empty()) continue;
    j["unlike_training"].push_back({{"image", r.ids[i]}, {"reasons", *image.unlike}});
  }
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
            {"split_from", name_of(r.split_from)},
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
  add_known(j, r);
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
    print_out("{:28} undefined\n", heading);
    return;
  }
  print_out("{:28} {:8.4f}", heading, value->second);
  if (const PatientInterval* i = interval_of(r.m, name)) {
    print_out("   [{:.4f}, {:.4f}]   {}", i->low, i->high, i->method);
  }
  print_out("\n");
}

void print(const Result& r) {
  const std::vector<std::string>& names = r.model.classes();
  const char* drawn = r.split_from == SplitFrom::source  ? ""
                      : r.split_from == SplitFrom::drawn ? ", as its study drew it"
                                                         : ", as its study drew it, by the pixels";
  print_out("{} on {} ({}{}): {}, {}\n\n", r.options.model, r.options.data, r.options.split, drawn,
            counted(r.images, "image"), counted(r.groups, "group"));
  for (const MetricHeading& h : metric_headings()) {
    if (names.size() == 2 || r.m.jackknifed.contains(h.name)) print_metric(r, h.name, h.heading);
  }
  for (const std::string& name : names) {
    if (names.size() > 2) print_metric(r, "auroc_" + name, "AUROC, " + name);
  }
  print_out("{:28} {:8.4f}\n", "loss of the training", r.loss);
  print_out(
      "\nintervals: 95 %, over patients, for this one trained model; another training would add "
      "its\nown chance. ECE: 10 bins of equal width; net benefit: at a threshold probability of "
      "0.5\n");
  if (names.size() == 2) {
    print_out("threshold {} ({}), positive class {}\n", r.model.threshold(),
              r.model.threshold_rule(),
              names[static_cast<std::size_t>(r.model.reading().positive)]);
  }
  if (r.m.not_finite > 0) {
    print_out("note: {} scores are not finite and count as wrong\n", r.m.not_finite);
  }
  if (!r.warning.empty()) print_out("\nnote: {}\n", r.warning);
  print_out("\n{:>16}", "true \\ predicted");
  for (const std::string& name : names) print_out("  {:>12}", name);
  print_out("\n");
  for (std::size_t row = 0; row < names.size(); ++row) {
    print_out("{:>16}", names[row]);
    for (std::size_t c = 0; c < names.size(); ++c) {
      print_out("  {:>12}", r.m.confusion[row * names.size() + c]);
    }
    print_out("\n");
  }
}

// Says what images are not like those of the training, with the first few reasons.
void warn_of_unlike(const Result& r) {
  constexpr std::size_t kExamples = 3;
  if (const std::string not_said = not_checked(r.model.images()); !not_said.empty()) {
    print_error("Note: {}: {}.\n", r.options.model, not_said);
  }
  if (!r.unlike_source.empty()) {
    print_error(
        "Warning: {}: some of its images, before they were prepared, are unlike those that "
        "the model was trained on: {}.\n",
        r.options.data, fmt::join(r.unlike_source, "; "));
  }
  if (r.known.unlike == 0) return;
  print_error("Warning: {}: {}; what is predicted of such images may mean nothing.\n",
              r.options.data, unlike_in_words(r.known));
  std::size_t said = 0;
  for (std::size_t i = 0; i < r.known.each.size() && said < kExamples; ++i) {
    const KnownImage& image = r.known.each[i];
    if (!image.unlike || image.unlike->empty()) continue;
    ++said;
    print_error("  image {}: {}\n", r.ids[i], fmt::join(*image.unlike, "; "));
  }
  if (r.known.unlike > said) {
    print_error("  and {} more (--json names them all)\n", r.known.unlike - said);
  }
}

int eval_command(const Options& options) {
  ModelFile model(options.model, available_processors());
  std::optional<PrivateFolder> scratch;
  const Dataset dataset = open_for(model, options.data, scratch);
  const ModelInput input(model, dataset, options.data);
  ThreadPool pool(available_processors());
  const EvaluatedImages images = evaluated_images(model, input, options.data, options.split, pool);
  const std::vector<float> logits = input.logits(images.rows);

  const Reading& reading = model.reading();
  const Groups found = search_groups(dataset, options.group);
  std::vector<std::string_view> names;
  for (const std::size_t row : images.rows) names.emplace_back(found.names[row]);
  const std::vector<int> groups = number_groups(names);
  const ModelMetrics m =
      model_metrics(reading, images.labels, logits, groups, model.threshold(), model.classes());
  Result result{options,
                model,
                m,
                mean_loss(reading, images.labels, logits),
                images.labels.size(),
                std::set<int>(groups.begin(), groups.end()).size(),
                found.from,
                "",
                images.from,
                unlike_source(model, dataset),
                {},
                {},
                preprocessing_differences(model.preprocessing(), dataset.info().preprocessing)};
  for (const ImageTraits& traits : input.traits(images.rows, pool)) {
    result.known.add(known_image(model.images(), traits));
  }
  for (const std::size_t row : images.rows) result.ids.emplace_back(dataset.record(row).id);
  result.warning = seen_in_training(model, dataset, result.known, options.split);
  if (!result.differences.empty()) {
    print_error(
        "Warning: {}: the images may not have been prepared as those that the model was "
        "trained on ({}); its numbers may be of the preparation.\n",
        options.data, in_words(result.differences));
  }
  warn_of_unlike(result);
  for (const std::string& note : search_notes(dataset, options.group, found))
    print_error("{}\n", note);
  if (options.json) {
    print_out("{}\n", json_text(as_json(result), 2));
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
  sub->add_option("--split", o->split,
                  "as the source names it, or as the model's study drew it (test, holdout); or all")
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
