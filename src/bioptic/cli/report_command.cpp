#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <optional>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/folder_lock.h"
#include "bioptic/base/parallel.h"
#include "bioptic/base/print.h"
#include "bioptic/cli/command.h"
#include "bioptic/cli/overwrite.h"
#include "bioptic/data/dataset.h"
#include "bioptic/report/audit_report.h"
#include "bioptic/report/claims_report.h"
#include "bioptic/report/comparisons.h"
#include "bioptic/report/overview_page.h"
#include "bioptic/report/report.h"
#include "bioptic/study/study_audit.h"
#include "bioptic/study/summarise.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

// The images themselves, where they are still what was trained on.
std::optional<Dataset> open_images(const StoredStudy& study) {
  try {
    Dataset dataset = Dataset::open(study.dataset_path, true);
    if (dataset.info().content_hash == study.dataset_hash) return dataset;
    print_out("note: {} has changed since the run; the figures that show images are left out\n",
              study.dataset_path);
  } catch (const InputError& e) {
    print_out("note: the figures that show images are left out: {}\n", e.what());
  }
  return std::nullopt;
}

struct Options {
  std::string path, out;  // out: "" = where the store lies
  bool force = false;
};

int report_command(const Options& options) {
  fs::path path = options.path;
  if (!path.has_filename()) path = path.parent_path();  // a trailing slash
  // OUT holds the store; OUT/STUDY is a folder below it.
  std::string only;
  fs::path out = path;
  if (!fs::exists(out / "bioptic.sqlite")) {
    const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
    if (fs::exists(parent / "bioptic.sqlite")) {
      only = path.filename().string();
      out = parent;
    }
  }
  const Store store = Store::open_to_read(out);
  const fs::path target = options.out.empty() ? out : fs::path(options.out);
  if (fs::exists(target)) remove_stale_temporaries(target);
  std::vector<std::string> names, all;
  for (const StoredStudy& study : store.studies()) {
    all.push_back(study.name);
    if (only.empty() || study.name == only) names.push_back(study.name);
  }
  if (names.empty() && !only.empty()) names.push_back(only);  // summarise() names the nearest
  for (const std::string& name : names) {
    const std::optional<StoredStudy> study = store.study(name);
    if (study && !options.out.empty()) {
      refuse_to_overwrite_report(target / name, options.force);
    }
    std::optional<FolderLock> lock;  // before the store is read: who writes last has read last
    if (study) lock.emplace(target / name);
    const std::optional<Dataset> dataset = study ? open_images(*study) : std::nullopt;
    StudySummary summary = summarise(store, name, dataset ? &*dataset : nullptr);
    summary.audit =
        study_audit(summary, dataset ? &*dataset : nullptr, target, available_processors());
    const ReportOutcome written =
        write_report(summary, dataset ? &*dataset : nullptr, target / name);
    print_out("{}{}\n\n{}\n", name, summary.unfinished ? " (unfinished)" : "",
              arms_table_text(summary));
    if (!summary.comparisons.empty()) {
      print_out("{}\n", comparisons_text(summary.comparisons, false));
    }
    if (!summary.claims.empty()) print_out("{}\n", claims_text(summary));
    if (summary.audit) print_out("Audit: {}\n", audit_line(*summary.audit));
    for (const std::string& note : written.notes) print_out("note: {}\n", note);
    print_out("Report: {}\n", written.html.string());
  }
  if (const std::string words = unplaced_words(store); !words.empty()) print_out("{}\n", words);
  if (const std::optional<fs::path> page = write_overview(target, all)) {
    print_out("All studies on one page: {}\n", page->string());
  }
  return 0;
}

}  // namespace

void register_report(CLI::App& app, Command& run) {
  const auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand(
      "report", "Make tables, figures and report again from the store, also of an unfinished run");
  sub->add_option("OUT", o->path, "the --out folder of a run, or OUT/STUDY")->required();
  sub->add_option("--out", o->out, "write to FOLDER/STUDY instead, as where OUT cannot be written")
      ->type_name("FOLDER");
  sub->add_flag("--force", o->force,
                "with --out: write over files there that are of no report of bioptic");
  sub->callback([o, &run] { run = [o] { return report_command(*o); }; });
}

}  // namespace bioptic
