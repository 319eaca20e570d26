#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "bioptic/base/error.h"
#include "bioptic/base/print.h"
#include "bioptic/base/progress.h"
#include "bioptic/base/utf8.h"
#include "bioptic/cli/class_files.h"
#include "bioptic/cli/data_commands.h"
#include "bioptic/data/import.h"
#include "bioptic/data/warning.h"

namespace bioptic {
namespace {

struct Options {
  std::vector<std::string> paths, classes, test_classes;
  ImportOptions import;
  int size = 0;
  bool grey = false, rgb = false, json = false, quiet = false;
  std::string fit = "stretch", window = "file", group_key;
};

// --window LOW:HIGH or one of the words.
DicomOptions dicom_options(const std::string& window, const std::string& key) {
  DicomOptions dicom;
  dicom.group_key = key;
  if (window == "file") return dicom;
  if (window == "percentile" || window == "none") {
    dicom.window = window == "none" ? DicomWindow::none : DicomWindow::percentile;
    return dicom;
  }
  dicom.window = DicomWindow::fixed;
  const char* end = window.data() + window.size();
  const auto [colon, low_error] = std::from_chars(window.data(), end, dicom.low);
  const bool separated = low_error == std::errc{} && colon != end && *colon == ':';
  const auto [rest, high_error] = std::from_chars(separated ? colon + 1 : end, end, dicom.high);
  if (!separated || high_error != std::errc{} || rest != end || !std::isfinite(dicom.low) ||
      !std::isfinite(dicom.high) || dicom.high <= dicom.low) {
    throw InputError("--window " + window +
                     ": expected file, percentile, none, or LOW:HIGH with LOW below HIGH, such as "
                     "--window=-160:240");
  }
  return dicom;
}

int import_command(Options options) {
  if (options.grey && options.rgb) throw InputError("--grey and --rgb exclude each other");
  if (options.grey) options.import.channels = 1;
  if (options.rgb) options.import.channels = 3;
  if (options.size > 0) options.import.size = options.size;
  options.import.fit = options.fit == "pad"    ? Fit::pad
                       : options.fit == "crop" ? Fit::crop
                                               : Fit::stretch;
  options.import.dicom = dicom_options(options.window, options.group_key);
  ProgressLine line("Importing", "images", options.quiet);
  const Progress progress = [&](std::size_t done, std::size_t total) {
    line.update(static_cast<double>(done), static_cast<double>(total));
  };
  const std::filesystem::path target = options.paths.back();
  ImportReport report;
  if (!options.classes.empty()) {
    if (options.paths.size() != 1) {
      throw InputError(
          "with --class there is no SOURCE: bioptic data import DST --class NAME=FILE");
    }
    report = import_arrays(class_files(options.classes, options.test_classes), target,
                           options.import, progress);
  } else {
    if (options.paths.size() != 2) {
      throw InputError(
          "expected bioptic data import SOURCE DST, or DST with --class NAME=FILE.npy");
    }
    report = import_source(options.paths[0], target, options.import, progress);
  }
  line.finish();
  if ((options.window != "file" || !options.group_key.empty()) &&
      !nlohmann::json::parse(report.info.preprocessing).contains("dicom_window")) {
    report.notes.push_back(
        std::string(kWarning) +
        "--window and --group-key are for DICOM files, and the source has none.");
  }
  for (const std::string& note : report.notes) {
    if (!options.quiet || note.starts_with(kWarning)) print_error("{}\n", as_utf8(note));
  }
  if (!options.quiet) {
    for (const std::string& skipped : report.skipped) {
      print_error("left out: {}\n", as_utf8(skipped));
    }
  }
  if (!report.skipped.empty()) {  // also with --quiet: the dataset is not all of its source
    print_error("{} of {} images were left out: they cannot be read, or have no label.\n",
                report.skipped.size(), report.info.images + report.skipped.size());
  }
  print_dataset_info(target, options.json, false);
  return 0;
}

}  // namespace

void register_data_import(CLI::App& data, Command& run) {
  const auto options = std::make_shared<Options>();
  CLI::App* app = data.add_subcommand(
      "import", "Make a dataset from folders, manifests, DICOM, .npy or .npz files");
  app->add_option(
         "paths", options->paths,
         "SOURCE DST (SOURCE: a folder, a manifest .csv, a .npz), or DST alone with --class")
      ->required()
      ->expected(1, 2);
  app->add_option("--class", options->classes, "NAME=FILE.npy: the images of one class");
  app->add_option("--test-class", options->test_classes, "NAME=FILE.npy: its test images");
  app->add_option("--size", options->size, "pixels of both sides; needed when sizes differ")
      ->check(CLI::Range(1, 1 << 15));
  app->add_flag("--grey", options->grey, "one channel (ITU-R 601 luma)");
  app->add_flag("--rgb", options->rgb, "three channels");
  app->add_option("--fit", options->fit, "how other shapes become square")
      ->check(CLI::IsMember({"stretch", "pad", "crop"}))
      ->capture_default_str();
  app->add_option(
      "--group", options->import.group,
      "search expression over the file name (without its folders) that names the patient: its "
      "first capture, or the whole match");
  app->add_option("--window", options->window,
                  "DICOM grey values: file (its VOI window), percentile, LOW:HIGH, none (16 bit)")
      ->capture_default_str();
  app->add_option("--group-key", options->group_key,
                  "DICOM: file with the secret that patients' group names are made with");
  app->add_flag("--skip-bad", options->import.skip_bad, "leave out images that cannot be read");
  app->add_option("--max-pixels", options->import.max_pixels,
                  "largest image that is decoded, or made by --size")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40))
      ->capture_default_str();
  app->add_option("--threads", options->import.threads, "0 = all processors")
      ->check(CLI::Range(0, 1024));
  app->add_flag("--json", options->json, "print the dataset's description as JSON");
  app->add_flag("--quiet", options->quiet, "no progress and no notes; warnings stay");
  app->callback([options, &run] { run = [options] { return import_command(*options); }; });
}

}  // namespace bioptic
