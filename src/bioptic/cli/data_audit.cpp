#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "bioptic/base/counted.h"
#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/json_text.h"
#include "bioptic/base/print.h"
#include "bioptic/base/private_folder.h"
#include "bioptic/base/progress.h"
#include "bioptic/cli/data_commands.h"
#include "bioptic/cli/finite_number.h"
#include "bioptic/data/audit.h"
#include "bioptic/data/audit_json.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Options {
  std::string path, montage, split_by = "image";
  AuditOptions audit;
  ImportOptions import;
  bool no_near = false, strict = false, json = false, quiet = false;
};

void print_text(const std::string& path, const Audit& audit) {
  print_out("{}: {}\n\n", path, counted(audit.images, "image"));
  std::size_t found = 0;
  for (const AuditCheck& check : audit.checks) {
    found += check.state == AuditState::found ? 1U : 0U;
    print_out("{:8}  {}: {}\n", check.state == AuditState::found ? "FOUND" : name_of(check.state),
              check.title, check.said);
    if (check.state != AuditState::found) continue;
    for (const std::string& example : check.examples) print_out("            {}\n", example);
  }
  print_out("\n{}\n", found == 0 ? "Nothing found."
                                 : fmt::format("{} of {} checks found something.", found,
                                               audit.checks.size()));
}

void print_json(const std::string& path, const Dataset& dataset, const Audit& audit) {
  json j = json::parse(audit_json(audit));
  j["path"] = path;
  j["near_duplicates"] = json::array();
  for (const NearPair& pair : audit.near) {
    j["near_duplicates"].push_back({{"first", std::string(dataset.record(pair.first).source)},
                                    {"second", std::string(dataset.record(pair.second).source)},
                                    {"likeness", pair.likeness}});
  }
  print_out("{}\n", json_text(j, 2));
}

// What was imported for the audit alone lies where nobody looks: checks name the source instead.
void name_source(Audit& audit, const fs::path& folder, const std::string& source) {
  const std::string hidden = folder.string();
  for (AuditCheck& check : audit.checks) {
    for (std::size_t at = 0; (at = check.said.find(hidden, at)) != std::string::npos;) {
      check.said.replace(at, hidden.size(), source);
      at += source.size();
    }
  }
}

int audit_command(Options options) {
  options.audit.split.split_by = options.split_by == "group" ? SplitBy::group : SplitBy::image;
  options.audit.near = !options.no_near;
  options.import.threads = options.audit.threads;
  if (!options.montage.empty() && fs::exists(options.montage)) {
    throw InputError(options.montage + ": exists already; choose another name or remove it first");
  }
  std::optional<PrivateFolder> scratch;  // for the import of what is no dataset
  fs::path folder = options.path;
  const bool dataset_given = is_dataset(options.path);
  std::vector<Original> originals;
  if (!dataset_given) {
    folder = scratch.emplace("audit").path() / "dataset";
    ProgressLine line("Reading", "images", options.quiet);
    originals = import_for_audit(
        options.path, folder, options.import, [&](std::size_t done, std::size_t total) {
          line.update(static_cast<double>(done), static_cast<double>(total));
        });
  }
  const Dataset dataset = Dataset::open(folder);
  Audit audit;
  {
    ProgressLine line("Comparing", "images", options.quiet);
    audit =
        audit_dataset(dataset, originals, options.audit, [&](std::size_t done, std::size_t total) {
          line.update(static_cast<double>(done), static_cast<double>(total));
        });
  }
  if (!dataset_given) name_source(audit, folder, options.path);
  if (options.json) {
    print_json(options.path, dataset, audit);
  } else {
    print_text(options.path, audit);
  }
  if (!options.montage.empty()) {
    if (audit.near.empty()) {
      print_error("No near duplicates: {} was not written.\n", options.montage);
    } else {
      remove_stale_beside(options.montage);
      write_file(options.montage, near_montage(dataset, audit.near));
    }
  }
  return options.strict && audit.anything() ? 1 : 0;
}

}  // namespace

void register_data_audit(CLI::App& data, Command& run) {
  const auto options = std::make_shared<Options>();
  CLI::App* app = data.add_subcommand(
      "audit", "Look for what spoils a comparison: duplicates, shared patients, trivial features");
  app->add_option("PATH", options->path, "a dataset, or what data import takes")->required();
  app->add_option(
      "--group", options->audit.group,
      "search expression over the file name (without its folders) that names the patient: its "
      "first capture, or the whole match");
  app->add_option("--split-by", options->split_by, "how a study will draw validation")
      ->check(CLI::IsMember({"image", "group"}))
      ->capture_default_str();
  app->add_option("--val-fraction", options->audit.split.val_fraction, "its share")
      ->check(number_between(0.01, 0.99))
      ->capture_default_str();
  app->add_option("--test-fraction", options->audit.split.test_fraction,
                  "the test split's share where the source names none")
      ->check(number_between(0.01, 0.99))
      ->capture_default_str();
  app->add_option("--detect", options->audit.detect,
                  "difference in accuracy that the test set should show")
      ->check(number_between(0.001, 0.3))
      ->capture_default_str();
  app->add_option("--montage", options->montage, "FILE.png: the most alike pairs side by side");
  app->add_flag("--no-near", options->no_near, "do not look for near duplicates");
  app->add_flag("--skip-bad", options->import.skip_bad, "leave out images that cannot be read");
  app->add_flag("--strict", options->strict, "exit code 1 when something is found");
  app->add_option("--threads", options->audit.threads, "0 = all processors")
      ->check(CLI::Range(0, 1024));
  app->add_flag("--json", options->json, "as JSON");
  app->add_flag("--quiet", options->quiet, "no progress");
  app->callback([options, &run] { run = [options] { return audit_command(*options); }; });
}

}  // namespace bioptic
