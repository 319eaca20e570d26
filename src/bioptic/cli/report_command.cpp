#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <optional>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/parallel.h"
#include "bioptic/base/print.h"
#include "bioptic/cli/command.h"
#include "bioptic/data/dataset.h"
#include "bioptic/report/audit_report.h"
#include "bioptic/report/claims_report.h"
#include "bioptic/report/comparisons.h"
#include "bioptic/report/report.h"
#include "bioptic/study/study_audit.h"
#include "bioptic/study/summarise.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

// The images themselves, where they are still what was trained on.
std::optional<Dataset> open_images(const StoredStudy& study) {
  try {
    Dataset dataset = Dataset::open(study.dataset_path);
    if (dataset.info().content_hash == study.dataset_hash) return dataset;
    print_out("note: {} has changed since the run; the figures that show images are left out\n",
              study.dataset_path);
  } catch (const InputError& e) {
    print_out("note: the figures that show images are left out: {}\n", e.what());
  }
  return std::nullopt;
}

int report_command(fs::path path) {
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
  remove_stale_temporaries(out);
  std::vector<std::string> names;
  for (const StoredStudy& study : store.studies()) {
    if (only.empty() || study.name == only) names.push_back(study.name);
  }
  if (names.empty() && !only.empty()) names.push_back(only);  // summarise() names the nearest
  for (const std::string& name : names) {
    const std::optional<StoredStudy> study = store.study(name);
    const std::optional<Dataset> dataset = study ? open_images(*study) : std::nullopt;
    StudySummary summary = summarise(store, name, dataset ? &*dataset : nullptr);
    summary.audit =
        study_audit(summary, dataset ? &*dataset : nullptr, out, available_processors());
    const ReportOutcome written = write_report(summary, dataset ? &*dataset : nullptr, out / name);
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
  return 0;
}

}  // namespace

void register_report(CLI::App& app, Command& run) {
  const auto path = std::make_shared<std::string>();
  CLI::App* sub = app.add_subcommand(
      "report", "Make tables, figures and report again from the store, also of an unfinished run");
  sub->add_option("OUT", *path, "the --out folder of a run, or OUT/STUDY")->required();
  sub->callback([path, &run] { run = [path] { return report_command(*path); }; });
}

}  // namespace bioptic
