#include "bioptic/cli/run_studies.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "bioptic/base/counted.h"
#include "bioptic/base/error.h"
#include "bioptic/base/exception_text.h"
#include "bioptic/base/files.h"
#include "bioptic/base/folder_lock.h"
#include "bioptic/base/json_text.h"
#include "bioptic/base/parallel.h"
#include "bioptic/base/print.h"
#include "bioptic/base/progress.h"
#include "bioptic/base/temporary_folder.h"
#include "bioptic/cli/overwrite.h"
#include "bioptic/engine/engine.h"
#include "bioptic/kernel/kernels.h"
#include "bioptic/report/audit_report.h"
#include "bioptic/report/claims_report.h"
#include "bioptic/report/comparisons.h"
#include "bioptic/report/overview.h"
#include "bioptic/report/overview_page.h"
#include "bioptic/report/overview_text.h"
#include "bioptic/report/report.h"
#include "bioptic/study/bounded_group.h"
#include "bioptic/study/choose_jobs.h"
#include "bioptic/study/executor.h"
#include "bioptic/study/study_audit.h"
#include "bioptic/study/summarise.h"
#include "bioptic/study/weights_said.h"
#include "bioptic/train/weights.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Set by the signal handler; the one global a handler needs.
std::atomic<bool> stop_requested{false};

void on_signal(int signal) {
  if (stop_requested.exchange(true)) {  // the second time: at once
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  constexpr char kMessage[] = "\nStopping at the end of this epoch; once more stops at once.\n";
  [[maybe_unused]] const auto n = ::write(STDERR_FILENO, kMessage, sizeof(kMessage) - 1);
}

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

SaveModels parse_save_models(const std::string& text) {
  return text == "none" ? SaveModels::none : text == "all" ? SaveModels::all : SaveModels::first;
}

// Free and wanted bytes in words.
std::string bytes_text(double bytes) {
  if (bytes < 1e6) return fmt::format("{:.0f} kB", bytes / 1e3);
  if (bytes < 1e9) return fmt::format("{:.0f} MB", bytes / 1e6);
  return fmt::format("{:.1f} GB", bytes / 1e9);
}

// What the trials that are still missing will put on disk.
double planned_bytes(const PlannedStudy& study, SaveModels save, const Store* store) {
  const Dataset& dataset = study.data.dataset;
  double bytes = 2e7;  // figures, report, tables
  for (const PlannedTrial& trial : study.trials) {
    if (store != nullptr && store->status(trial.id)) continue;
    const TrainSpec& train = trial.spec.train;
    const int outputs =
        output_count(train.loss.kind, static_cast<int>(dataset.info().classes.size()));
    const double predicted = static_cast<double>(dataset.size());
    // store: 4 bytes a row and logit; predictions.csv: some 90 bytes a row; history: 300 an epoch
    bytes += predicted * (4 + 4.0 * outputs + 90) + 300.0 * train.epochs + 4096;
    if (saves_model(save, study, trial)) {
      for (const LayerShape& shape :
           layer_shapes(dataset.pixels_per_image(), train.model, outputs)) {
        bytes += 4.0 * static_cast<double>(shape.in * shape.out + shape.out);
      }
    }
  }
  return bytes;
}

// A word as a shell reads it back.
std::string shell_word(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::strchr("/._-+=:,@%", c) != nullptr || c >= 128;
  });
  if (plain) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

// The nearest folder of `path` that exists.
fs::path existing_parent(fs::path path) {
  path = fs::absolute(path);
  while (!fs::exists(path) && path.has_parent_path() && path != path.parent_path()) {
    path = path.parent_path();
  }
  return path;
}

void check_room(const fs::path& out, double wanted) {
  const fs::space_info space = fs::space(existing_parent(out));
  if (static_cast<double>(space.available) < wanted) {
    throw InputError(fmt::format(
        "{}: about {} are needed and {} are free; make room, choose another "
        "folder with --out, or set save_models = \"none\"",
        out.string(), bytes_text(wanted), bytes_text(static_cast<double>(space.available))));
  }
}

std::vector<std::string> study_names(const Store& store) {
  std::vector<std::string> names;
  for (const StoredStudy& study : store.studies()) names.push_back(study.name);
  return names;
}

class Run {
 public:
  explicit Run(RunOptions options)
      : options_(std::move(options)),
        out_(options_.out),
        threads_(options_.threads > 0 ? options_.threads : available_processors()) {}

  int run() {
    if (!options_.isa.empty()) kernel::choose_kernels(options_.isa);  // an error before all work
    if (!options_.dry_run) WriterLock::require_free(out_);            // before the data are read
    plan();
    if (options_.dry_run) return dry_run();
    check_output();  // a run that is refused leaves nothing
    const WriterLock lock(out_);
    remove_stale_temporaries(out_);
    Store store = Store::open_to_write(out_);
    store.clear_running();
    catch_signals();
    for (const PlannedStudy& study : studies_) save_study(store, study);
    json result = json::array();
    int failed = 0;
    for (const PlannedStudy& study : studies_) {
      const ExecutorOutcome outcome = train(store, study);
      failed += outcome.failed;
      try {
        result.push_back(report(store, study, outcome));
      } catch (const Interrupted&) {
        throw;
      } catch (const std::exception& e) {
        // Its trials are kept: the other studies need not wait for it.
        ++failed;
        const std::string why = exception_text(e);
        print_error("bioptic: error: the report of '{}' could not be written: {}\n",
                    study.spec.name, why);
        result.push_back({{"study", study.spec.name}, {"failed", outcome.failed}, {"error", why}});
      }
    }
    store.clear_running();
    store.require_in_place();
    if (const std::string words = unplaced_words(store); !words.empty()) say(words);
    json told = {{"out", out_.string()}, {"studies", result}};
    if (const std::optional<fs::path> page = write_overview(out_, study_names(store))) {
      say("All studies on one page: " + page->string());
      told["overview"] = page->string();
    }
    if (options_.json) print_out("{}\n", json_text(told, 2));
    return failed > 0 ? 1 : 0;
  }

 private:
  SaveModels save(const PlannedStudy& study) const {
    return options_.save_models.empty() ? study.spec.save_models
                                        : parse_save_models(options_.save_models);
  }
  void say(const std::string& text) const {
    if (!options_.quiet) write_text(options_.json ? stderr : stdout, text + "\n");
  }

  // Trials at once and threads of each.  What is not asked for is chosen by measuring, so that the
  // study is finished soonest.
  struct Choice {
    int jobs = 1, threads = 1;
    double share = 1;  // of the time that one trial at a time on all processors takes
  };
  Choice divide(const PlannedStudy& study, const Store* store) const {
    const int processors = available_processors();
    if (options_.jobs > 0) {
      return {options_.jobs,
              options_.threads > 0 ? options_.threads : std::max(1, processors / options_.jobs)};
    }
    if (options_.threads > 0) return {std::max(1, processors / options_.threads), threads_};
    const PlannedTrial* first = nullptr;
    std::set<std::string> missing;
    for (const PlannedTrial& trial : study.trials) {
      const std::optional<TrialStatus> status = store ? store->status(trial.id) : std::nullopt;
      if (status && *status != TrialStatus::failed) continue;
      if (first == nullptr) first = &trial;
      missing.insert(trial.id);
    }
    if (missing.size() < 2) return {1, threads_};
    const std::vector<Division> divisions =
        measure_divisions(study, *first, missing.size(), processors, options_.isa);
    std::string text = "  running   ";
    for (std::size_t i = 0; i < divisions.size(); ++i) {
      text +=
          fmt::format("{}{} trial{} x {} thread{}: {}",
                      i == 0   ? ""
                      : i == 1 ? " ("
                               : ", ",
                      divisions[i].jobs, divisions[i].jobs == 1 ? "" : "s", divisions[i].threads,
                      divisions[i].threads == 1 ? "" : "s", duration_text(divisions[i].seconds));
    }
    if (!options_.brief) {
      say(text + (divisions.size() > 1 ? "), by a few steps measured now" : ""));
    }
    const Division& best = divisions.front();
    double alone = best.seconds;
    for (const Division& d : divisions) alone = d.jobs == 1 ? d.seconds : alone;
    return {best.jobs, best.threads, best.seconds / alone};
  }
  // Everything that can be wrong is found here, before anything is trained or written.
  void plan() {
    std::set<std::string> names;
    std::vector<StudySpec> specs;
    for (const std::string& file : options_.studies) {
      StudySpec spec = parse_study(file);
      if (options_.seeds > 0) {
        spec.seeds = SeedPlan{};
        spec.seeds.count = options_.seeds;
      }
      if (!names.insert(spec.name).second) {
        throw InputError(file + ": a study named '" + spec.name +
                         "' is given twice; names must differ, they are folders under --out");
      }
      std::set<std::string> files;
      for (const ArmSpec& arm : spec.arms) {
        if (!files.insert(file_name(arm.name)).second) {
          throw InputError(
              fmt::format("{}:{}: arm '{}' has the same file name ({}) as another arm; "
                          "choose names that differ in letters or digits",
                          file, arm.line, arm.name, file_name(arm.name)));
        }
      }
      specs.push_back(std::move(spec));
    }
    {
      const std::optional<Store> store = Store::open_if_there(out_);
      for (const StudySpec& spec : specs) require_bounded_group(spec, store ? &*store : nullptr);
    }
    const int version = engine_numerics_version(options_.engine);
    for (StudySpec& spec : specs) {
      PlannedStudy study{std::move(spec), {}, {}};
      study.data = data_of(study.spec);
      study.trials = expand(study.spec, study.data.study_data(), options_.engine, version);
      for (const PlannedTrial& trial : study.trials) {
        try {
          check_trial(trial.spec, study.data.dataset, study.data.groups,
                      study.data.plan_of(trial.spec));
        } catch (const InputError& e) {
          throw InputError(fmt::format("{}: arm '{}', seed {}: {}", study.spec.file.string(),
                                       study.spec.arms[trial.arm].name, trial.seed, e.what()));
        }
      }
      describe(study);
      studies_.push_back(std::move(study));
    }
  }

  PreparedData data_of(const StudySpec& spec) {
    PrepareOptions prepare;
    if (!options_.data.empty()) prepare.data = options_.data;
    // A dry run writes nothing there, not even a cache that has no other place.
    prepare.out = options_.dry_run ? temporary_root() / "bioptic" : out_;
    prepare.threads = threads_;
    std::unique_ptr<ProgressLine> line;
    prepare.progress = [&](const std::string& what, std::size_t done, std::size_t total) {
      if (!line) line = std::make_unique<ProgressLine>(what, "images", options_.quiet);
      line->update(static_cast<double>(done), static_cast<double>(total));
    };
    return prepare_data(spec, prepare);
  }

  // In one line, for all studies that share the images.
  void describe_briefly(const PlannedStudy& study) const {
    if (!studies_.empty() && studies_.back().data.source == study.data.source) return;
    const DatasetInfo& info = study.data.dataset.info();
    say(fmt::format("{} of {} x {} pixels: {}",
                    counted(static_cast<std::size_t>(info.images), "image"), info.width,
                    info.height, study.data.source));
  }

  void describe(const PlannedStudy& study) const {
    if (options_.brief) return describe_briefly(study);
    const PreparedData& data = study.data;
    const DatasetInfo& info = data.dataset.info();
    const PlannedTrial& first = study.trials.front();
    const Splits splits =
        draw_splits(data.dataset, data.groups, first.spec.split, data.plan, first.spec.seeds.split);
    std::string classes;
    for (const std::string& name : info.classes) classes += (classes.empty() ? "" : ", ") + name;
    say(fmt::format("{}: {}, {}", study.spec.name, counted(study.spec.arms.size(), "arm"),
                    counted(study.trials.size(), "trial")));
    say(fmt::format("  data      {}: {} of {} x {}, {}", data.source,
                    counted(static_cast<std::size_t>(info.images), "image"), info.width,
                    info.height, info.channels == 1 ? "grey" : "RGB"));
    say(fmt::format("  classes   {}; positive: {}", classes,
                    info.classes[static_cast<std::size_t>(data.positive)]));
    say(fmt::format(
        "  splits    {} to train, {} to validate, {} to test{}; validation drawn by {}",
        splits.train.size(), splits.val.size(), splits.test.size(),
        data.plan.holdout.empty() ? "" : fmt::format(", {} held out", data.plan.holdout.size()),
        data.plan.val_from_source                     ? "the source"
        : first.spec.split.split_by == SplitBy::group ? "group"
                                                      : "image"));
    say(fmt::format("  groups    {}: {}", data.groups.count(), data.groups.from));
    std::set<std::size_t> said;  // arms
    for (const PlannedTrial& trial : study.trials) {
      if (!trial.spec.train.loss.balanced || !said.insert(trial.arm).second) continue;
      const Splits own = draw_splits(data.dataset, data.groups, trial.spec.split,
                                     data.plan_of(trial.spec), trial.spec.seeds.split);
      say(fmt::format("  weights   {}: {} (balanced, seed {})", study.spec.arms[trial.arm].name,
                      class_weights_text(balanced_class_weights(
                                             count_classes(data.dataset, own.train), info.classes),
                                         info.classes),
                      trial.seed));
    }
    for (const std::string& note : data.notes) say("  note      " + note);
  }

  int dry_run() {
    const std::optional<Store> store = Store::open_if_there(out_);
    double total_seconds = 0, total_bytes = 0;
    std::set<std::string> counted;  // studies may share trials
    json list = json::array();
    for (const PlannedStudy& study : studies_) {
      std::map<std::size_t, double> seconds;  // by arm
      std::size_t known = 0;
      double bytes = planned_bytes(study, save(study), store ? &*store : nullptr);
      double study_seconds = 0;
      say(fmt::format("\n{:24}  {:>5}  {:>10}  {:>8}  {}", "arm", "seed", "steps", "time",
                      "trial"));
      for (const PlannedTrial& trial : study.trials) {
        if (!seconds.contains(trial.arm)) {
          TrialControl control;
          control.threads = threads_;
          control.isa = options_.isa;
          seconds[trial.arm] =
              estimate_seconds(trial.spec, study.data.dataset_of(trial.spec), study.data.groups,
                               study.data.plan_of(trial.spec), control);
        }
        const std::optional<TrialStatus> status = store ? store->status(trial.id) : std::nullopt;
        const bool finished = status && *status != TrialStatus::failed;
        known += finished ? 1U : 0U;
        const bool to_train = !finished && counted.insert(trial.id).second;
        if (to_train) study_seconds += seconds[trial.arm];
        const std::int64_t steps = planned_steps(trial.spec, study.data.dataset, study.data.groups,
                                                 study.data.plan_of(trial.spec));
        const std::string& arm = study.spec.arms[trial.arm].name;
        say(fmt::format("{:24}  {:>5}  {:>10}  {:>8}  {}", arm, trial.seed, steps,
                        finished   ? "done"
                        : to_train ? duration_text(seconds[trial.arm])
                                   : "shared",
                        trial.id.substr(0, 12)));
        list.push_back({{"study", study.spec.name},
                        {"arm", arm},
                        {"seed", trial.seed},
                        {"steps", steps},
                        {"seconds", seconds[trial.arm]},
                        {"done", finished},
                        {"id", trial.id}});
      }
      const Choice choice = divide(study, store ? &*store : nullptr);
      study_seconds *= choice.share;
      say(fmt::format(
          "{}: {} of {} are done; about {} for the rest, {} at a time on {} each; "
          "{} "
          "of disk",
          study.spec.name, known, bioptic::counted(study.trials.size(), "trial"),
          duration_text(study_seconds), choice.jobs,
          bioptic::counted(static_cast<std::size_t>(choice.threads), "thread"), bytes_text(bytes)));
      total_seconds += study_seconds;
      total_bytes += bytes;
    }
    check_room(out_, total_bytes);
    say(fmt::format(
        "\nAltogether about {} (estimated from a few steps measured now) and {} of disk, "
        "of {} free. Nothing was trained or written.",
        duration_text(total_seconds), bytes_text(total_bytes),
        bytes_text(static_cast<double>(fs::space(existing_parent(out_)).available))));
    if (options_.json) {
      print_out("{}\n", json_text({{"trials", list},
                                   {"seconds", total_seconds},
                                   {"bytes", total_bytes},
                                   {"threads", threads_}},
                                  2));
    }
    return 0;
  }

  // What can be wrong with the output folder.  Writes nothing.
  void check_output() const {
    const std::optional<Store> store = Store::open_if_there(out_);
    if (store) check_data_unchanged(*store);
    double wanted = 0;
    for (const PlannedStudy& study : studies_) {
      wanted += planned_bytes(study, save(study), store ? &*store : nullptr);
      const bool known = store && store->study(study.spec.name);
      if (known) continue;
      refuse_to_overwrite_report(out_ / study.spec.name, options_.force);
    }
    check_room(out_, wanted);
  }

  void check_data_unchanged(const Store& store) const {
    for (const PlannedStudy& study : studies_) {
      const std::optional<StoredStudy> before = store.study(study.spec.name);
      const std::string& hash = study.data.dataset.info().content_hash;
      if (!before || before->dataset_hash == hash || options_.new_data) continue;
      throw InputError(
          fmt::format("{}: study '{}' was run on other data: SHA-256 {} then ({}), {} now ({}); "
                      "--new-data goes "
                      "on with the new data and keeps the old trials apart, --out starts elsewhere",
                      out_.string(), study.spec.name, before->dataset_hash.substr(0, 16),
                      before->dataset_path, hash.substr(0, 16), study.data.source));
    }
  }

  std::string command_text() const {
    std::string text = "bioptic run";
    for (const std::string& study : options_.studies) text += " " + shell_word(study);
    if (!options_.data.empty()) text += " --data " + shell_word(options_.data);
    if (options_.seeds > 0) text += fmt::format(" --seeds {}", options_.seeds);
    if (options_.engine != "fused") text += " --engine " + options_.engine;
    return text + " --out " + shell_word(options_.out);
  }

  // For whom verdicts speak, and of which pairs, is declared before the training.  A study that
  // declares it later says so for ever: the note is found again in those that the store has.
  static std::string late_note(const std::optional<StoredStudy>& before, const StudySpec& now) {
    constexpr const char* kLate = "Declared late: ";
    if (!before) return "";
    const std::size_t at = before->notes.find(kLate);
    if (at != std::string::npos) {
      return before->notes.substr(at, before->notes.find('\n', at) - at);
    }
    const StudySpec then = parse_study_text(before->toml, before->file);
    std::string what;
    if (then.inference != now.inference) {
      what = fmt::format("inference was changed to \"{}\"",
                         now.inference == Inference::seeds ? "seeds" : "patients");
    }
    if (then.pairs != now.pairs) {
      what += what.empty() ? "" : " and ";
      what += "the pairs to compare were chosen anew (reference or pairs)";
    }
    if (what.empty()) return "";
    return kLate + what +
           " after the study had been run, so its verdicts were not planned like this.";
  }

  void save_study(Store& store, const PlannedStudy& study) const {
    const PreparedData& data = study.data;
    const DatasetInfo& info = data.dataset.info();
    StoredStudy row;
    row.name = study.spec.name;
    row.file = study.spec.file.string();
    row.toml = study.spec.text;
    row.command = command_text();
    row.engine = options_.engine;
    row.dataset_path = fs::absolute(data.dataset.folder()).string();
    row.dataset_hash = info.content_hash;
    row.dataset_info = json_text({{"images", info.images},
                                  {"channels", info.channels},
                                  {"height", info.height},
                                  {"width", info.width},
                                  {"classes", info.classes},
                                  {"groups_from", info.groups_from},
                                  {"preprocessing", json::parse(info.preprocessing)},
                                  {"provenance", json::parse(info.provenance)},
                                  {"content_sha256", info.content_hash}});
    for (const std::string& note : data.notes) row.notes += (row.notes.empty() ? "" : "\n") + note;
    const std::string late = late_note(store.study(row.name), study.spec);
    if (!late.empty()) row.notes += (row.notes.empty() ? "" : "\n") + late;
    row.groups_from = data.groups.from;
    row.positive = data.positive;
    row.threads = threads_;

    enum class Side : std::uint8_t { train, val, test, holdout };
    constexpr std::array<const char*, 4> kSides = {"train", "val", "test", "holdout"};
    std::vector<Side> sides(data.dataset.size(), Side::train);
    const PlannedTrial& first = study.trials.front();
    const Splits splits =
        draw_splits(data.dataset, data.groups, first.spec.split, data.plan, first.spec.seeds.split);
    for (const std::uint32_t r : splits.val) sides[r] = Side::val;
    for (const std::uint32_t r : splits.test) sides[r] = Side::test;
    for (const std::uint32_t r : data.plan.holdout) sides[r] = Side::holdout;

    std::vector<StoredPlace> places;
    for (const PlannedTrial& trial : study.trials) {
      places.push_back({study.spec.arms[trial.arm].name, trial.seed, trial.spec.seeds, trial.id});
    }
    const auto image = [&](std::size_t i) {
      const ImageRecord record = data.dataset.record(i);
      return StoredImage{std::string(record.id), std::string(record.source),
                         kSides[static_cast<std::size_t>(sides[i])], data.groups.names[i],
                         record.label};
    };
    store.save_study(row, data.dataset.size(), image, places);
  }

  ExecutorOutcome train(Store& store, const PlannedStudy& study) {
    const Choice division = divide(study, &store);
    ProgressLine line("Training " + study.spec.name, "epochs", options_.quiet);
    ExecutorOptions executor;
    executor.out = out_;
    executor.jobs = division.jobs;
    executor.threads = division.threads;
    executor.isa = options_.isa;
    executor.trace = options_.trace;
    executor.save_models = save(study);
    executor.stop = &stop_requested;
    executor.progress = [&](double done, double total, const std::string& where) {
      line.update(done, total, where);
    };
    executor.note = [&](const std::string& text) { line.note(text); };
    try {
      return execute(study, store, executor);
    } catch (const Interrupted&) {
      line.finish();
      const StudyProgress progress = progress_of(store, study.spec.name, false);
      throw Interrupted(fmt::format(
          "stopped as asked; {} of {} of {} are done and kept{}. The same command goes on.",
          progress.done + progress.collapsed, counted(study.trials.size(), "trial"),
          study.spec.name,
          // As `status` counts them, in a column of their own.
          progress.collapsed > 0 ? fmt::format(", {} of them collapsed", progress.collapsed) : ""));
    }
  }

  json report(const Store& store, const PlannedStudy& study, const ExecutorOutcome& outcome) const {
    store.require_in_place();  // else the folders would be made again
    const fs::path folder = out_ / study.spec.name;
    const FolderLock lock(folder);  // before the store is read: who writes last has read last
    StudySummary summary = summarise(store, study.spec.name, &study.data.dataset);
    summary.audit = study_audit(summary, &study.data.dataset, out_, threads_);
    // Before the figures are drawn, which takes longer than all the rest.
    if (options_.brief) {
      say("\n" + overview_text(overview_of(summary)));
    } else {
      say(fmt::format("\n{}: {} trained, {} found in the store{}{}\n", study.spec.name,
                      counted(static_cast<std::size_t>(outcome.trained), "trial"), outcome.found,
                      outcome.collapsed > 0 ? fmt::format(", {} collapsed", outcome.collapsed) : "",
                      outcome.failed > 0 ? fmt::format(", {} FAILED", outcome.failed) : ""));
      say(arms_table_text(summary));
      if (!summary.comparisons.empty()) say(comparisons_text(summary.comparisons, false));
      if (!summary.claims.empty()) say(claims_text(summary));
      if (summary.audit) say("Audit: " + audit_line(*summary.audit));
    }
    std::fflush(stdout);
    const ReportOutcome written = write_report(summary, &study.data.dataset, folder);
    for (const std::string& note : written.notes) say("note: " + note);
    if (!options_.brief) say("Report: " + written.html.string());
    return {{"study", study.spec.name},        {"folder", folder.string()},
            {"report", written.html.string()}, {"trained", outcome.trained},
            {"found", outcome.found},          {"collapsed", outcome.collapsed},
            {"failed", outcome.failed}};
  }

  RunOptions options_;
  fs::path out_;
  int threads_;
  std::vector<PlannedStudy> studies_;
};

}  // namespace

int run_studies(const RunOptions& options) { return Run(options).run(); }

}  // namespace bioptic
