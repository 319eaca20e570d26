// bioptic schedule: the learning rate of every arm, step by step, before anything is trained.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/print.h"
#include "bioptic/cli/command.h"
#include "bioptic/cli/overwrite.h"
#include "bioptic/data/csv.h"
#include "bioptic/data/dataset.h"
#include "bioptic/data/import.h"
#include "bioptic/data/split.h"
#include "bioptic/model/schedule.h"
#include "bioptic/report/figures.h"
#include "bioptic/report/gnuplot.h"
#include "bioptic/store/store.h"
#include "bioptic/study/bounded_group.h"
#include "bioptic/study/document.h"
#include "bioptic/study/spec.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string study, data, out = "runs";
  std::size_t train_images = 0;  // 0: from the data
  bool csv = false, json = false, out_given = false, force = false;
};

constexpr std::string_view kCsvHeader = "arm,epoch,step,lr,momentum";

// Every step of one arm.
struct ArmSchedule {
  std::string name;
  std::int64_t steps_per_epoch = 0;
  int epochs = 0;
  bool watches_validation = false;
  std::vector<double> lr, momentum;  // by step; momentum empty unless the schedule cycles it
};

struct TrainImages {
  std::size_t count = 0;
  std::string from;  // for a person
};

// Half of the phantom's images are of each class, and each class gives its share to validation.
TrainImages count_in_phantom(const DataSpec& data) {
  const std::size_t half = data.phantom.train / 2, rest = data.phantom.train - half;
  const auto train = [&](std::size_t images) {
    const auto share = [](double fraction, std::size_t of) {
      return static_cast<std::size_t>(std::llround(fraction * static_cast<double>(of)));
    };
    images -= share(data.split.holdout_fraction, images);
    return images - share(data.split.val_fraction, images);
  };
  return {train(half) + train(rest),
          data.split.split_by == SplitBy::group || data.split.holdout_fraction > 0
              ? "the phantom, about: whole patients are drawn"
              : "the phantom"};
}

TrainImages count_in_dataset(const fs::path& path, const DataSpec& data) {
  const Dataset dataset = Dataset::open(path);
  const Groups groups = find_groups(dataset, data.group);
  const SplitPlan plan = plan_splits(dataset, groups, data.split);
  const Splits splits = draw_splits(dataset, groups, data.split, plan, 0);
  return {splits.train.size(), path.string()};
}

TrainImages count_train_images(const Options& options, const StudySpec& study) {
  if (options.train_images > 0) return {options.train_images, "--train-images"};
  const bool from_option = !options.data.empty();
  const std::string source = from_option ? options.data : study.data.source;
  if (source == "phantom") return count_in_phantom(study.data);
  const fs::path path =
      from_option ? fs::path(source) : (study.file.parent_path() / source).lexically_normal();
  if (!fs::exists(path)) {
    throw InputError(
        fmt::format("{}: no such file or folder; give --data, or the number of training "
                    "images with --train-images",
                    path.string()));
  }
  if (!is_dataset(path)) {
    throw InputError(
        fmt::format("{}: not a dataset, so its training images are not counted yet; give "
                    "--train-images N, or import it first with `bioptic data import`",
                    path.string()));
  }
  return count_in_dataset(path, study.data);
}

ArmSchedule compute(const ArmSpec& arm, std::size_t train_images) {
  const TrainSpec& train = arm.train;
  const auto batch = static_cast<std::size_t>(train.batch_size);
  if (batch > train_images) {
    throw InputError(
        fmt::format("arm '{}': batch_size = {} is above the number of training images "
                    "({})",
                    arm.name, train.batch_size, train_images));
  }
  ArmSchedule result;
  result.name = arm.name;
  result.epochs = train.epochs;
  // The last, smaller batch of an epoch is used.
  result.steps_per_epoch = static_cast<std::int64_t>((train_images + batch - 1) / batch);
  const Schedule schedule(train.schedule, train.optimizer, result.steps_per_epoch, train.epochs);
  result.watches_validation = schedule.watches_validation();
  // A plateau without any past validation: the rate before the first reduction.
  const std::int64_t steps = result.steps_per_epoch * train.epochs;
  for (std::int64_t step = 0; step < steps; ++step) {
    const ScheduleValue value = schedule.at(step, {});
    result.lr.push_back(value.lr);
    if (value.momentum) result.momentum.push_back(*value.momentum);
  }
  return result;
}

std::string schedules_csv(const std::vector<ArmSchedule>& arms) {
  std::string text = std::string(kCsvHeader) + "\n";
  for (const ArmSchedule& arm : arms) {
    for (std::size_t i = 0; i < arm.lr.size(); ++i) {
      text += fmt::format("{},{},{},{},{}\n", csv_text(arm.name),
                          static_cast<std::int64_t>(i) / arm.steps_per_epoch + 1, i + 1, arm.lr[i],
                          arm.momentum.empty() ? "" : fmt::format("{}", arm.momentum[i]));
    }
  }
  return text;
}

std::string json_text(const StudySpec& study, const TrainImages& images,
                      const std::vector<ArmSchedule>& arms) {
  nlohmann::ordered_json j;
  j["study"] = study.name;
  j["train_images"] = images.count;
  j["arms"] = nlohmann::ordered_json::array();
  for (const ArmSchedule& arm : arms) {
    nlohmann::ordered_json a;
    a["name"] = arm.name;
    a["epochs"] = arm.epochs;
    a["steps_per_epoch"] = arm.steps_per_epoch;
    a["depends_on_validation"] = arm.watches_validation;
    a["lr"] = arm.lr;
    if (!arm.momentum.empty()) a["momentum"] = arm.momentum;
    j["arms"].push_back(std::move(a));
  }
  return j.dump(1) + "\n";
}

std::string short_number(double value) { return fmt::format("{:.4g}", value); }

// Rows of cells with columns of equal width; the first column to the left, the others to the right.
std::string table_text(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line = fmt::format("{:<{}}", row[0], widths[0]);
    for (std::size_t c = 1; c < row.size(); ++c) line += fmt::format("  {:>{}}", row[c], widths[c]);
    text += line + "\n";
  }
  return text;
}

std::string summary_table(const std::vector<ArmSchedule>& arms) {
  std::vector<std::vector<std::string>> rows{
      {"arm", "steps/epoch", "steps", "first lr", "peak lr", "at epoch", "last lr", "momentum"}};
  for (const ArmSchedule& arm : arms) {
    const auto peak = std::max_element(arm.lr.begin(), arm.lr.end());
    const double at =
        static_cast<double>(peak - arm.lr.begin()) / static_cast<double>(arm.steps_per_epoch);
    std::string momentum = "-";
    if (!arm.momentum.empty()) {
      const auto [low, high] = std::minmax_element(arm.momentum.begin(), arm.momentum.end());
      momentum = short_number(*low) + " to " + short_number(*high);
    }
    rows.push_back({arm.name, std::to_string(arm.steps_per_epoch), std::to_string(arm.lr.size()),
                    short_number(arm.lr.front()), short_number(*peak), fmt::format("{:.2f}", at),
                    short_number(arm.lr.back()), momentum});
  }
  return table_text(rows);
}

// The rate of each epoch's last step, as in tables/history.csv; long runs every few epochs.
std::string epoch_table(const std::vector<ArmSchedule>& arms) {
  constexpr int kRows = 40;
  int epochs = 0;
  for (const ArmSchedule& arm : arms) epochs = std::max(epochs, arm.epochs);
  const int every = (epochs + kRows - 1) / kRows;
  std::vector<std::vector<std::string>> rows{{"epoch"}};
  for (const ArmSchedule& arm : arms) rows[0].push_back(arm.name);
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    if (epoch != 1 && epoch != epochs && epoch % every != 0) continue;
    std::vector<std::string> row{std::to_string(epoch)};
    for (const ArmSchedule& arm : arms) {
      row.push_back(
          epoch > arm.epochs
              ? ""
              : short_number(arm.lr[static_cast<std::size_t>(epoch * arm.steps_per_epoch - 1)]));
    }
    rows.push_back(std::move(row));
  }
  return table_text(rows);
}

void write_figure(const std::vector<ArmSchedule>& arms, const fs::path& stem) {
  std::vector<ScheduleCurve> curves;
  for (const ArmSchedule& arm : arms) {
    ScheduleCurve curve;
    curve.arm = arm.name;
    curve.lr = arm.lr;
    curve.momentum = arm.momentum;
    for (std::size_t i = 0; i < arm.lr.size(); ++i) {
      curve.epoch.push_back(static_cast<double>(i) / static_cast<double>(arm.steps_per_epoch));
    }
    curves.push_back(std::move(curve));
  }
  write_schedule_figure(curves, stem);
}

int schedule(const Options& options) {
  const StudySpec study = parse_study(options.study);
  {
    const std::optional<Store> store = Store::open_if_there(options.out);
    require_bounded_group(study, store ? &*store : nullptr);
  }
  const TrainImages images = count_train_images(options, study);
  std::vector<ArmSchedule> arms;
  for (const ArmSpec& arm : study.arms) {
    if (!arm.is_control) arms.push_back(compute(arm, images.count));
  }
  if (options.csv) print_out("{}", schedules_csv(arms));
  if (options.json) print_out("{}", json_text(study, images, arms));
  const bool for_programs = options.csv || options.json;
  if (!for_programs) {
    print_out("{}: {} training images ({})\n\n{}\nLearning rate at the end of each epoch\n{}",
              study.name, images.count, images.from, summary_table(arms), epoch_table(arms));
    for (const ArmSchedule& arm : arms) {
      if (arm.watches_validation) {
        print_out("\n{}: a plateau's rate depends on validation; shown without any reduction.\n",
                  arm.name);
      }
    }
  }
  if (for_programs && !options.out_given) return 0;
  const fs::path folder = fs::path(options.out) / study.name / "schedule";
  // One of this command's own is made again.
  const fs::path csv = folder / "schedule.csv";
  if (!fs::is_regular_file(csv) || !read_file(csv).starts_with(kCsvHeader)) {
    refuse_to_overwrite({csv}, options.force);
    refuse_to_overwrite_figure(folder / "schedule", options.force);
  }
  remove_stale_beside(csv);
  write_file(csv, schedules_csv(arms));
  std::FILE* const notes = for_programs ? stderr : stdout;
  write_text(notes, fmt::format("\nEvery step: {}\n", (folder / "schedule.csv").string()));
  try {
    write_figure(arms, folder / "schedule");
    write_text(notes, fmt::format("Figure: {}\n", (folder / "schedule.svg").string()));
  } catch (const NoFigure& failure) {  // gnuplot is missing: the numbers are there all the same
    write_text(notes, fmt::format("No figure: {}\n", failure.what()));
  }
  return 0;
}

}  // namespace

void register_schedule(CLI::App& app, Command& run) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("schedule", "Show the learning rate of every arm before training");
  command->add_option("STUDY", options->study, "the study file")->required();
  command->add_option("--data", options->data, "a dataset, instead of the study's source");
  command
      ->add_option("--train-images", options->train_images,
                   "the number of training images, instead of counting them")
      ->check(CLI::PositiveNumber);
  CLI::Option* csv = command->add_flag("--csv", options->csv, "print every step as CSV");
  command->add_flag("--json", options->json, "print every step as JSON")->excludes(csv);
  CLI::Option* out = command
                         ->add_option("--out,-o", options->out,
                                      "folder for schedule.csv and the figure: OUT/STUDY/schedule")
                         ->capture_default_str();
  command->add_flag("--force", options->force, "write over files there that are of no schedule");
  command->callback([options, out, &run] {
    options->out_given = out->count() > 0;
    run = [options] { return schedule(*options); };
  });
}

}  // namespace bioptic
