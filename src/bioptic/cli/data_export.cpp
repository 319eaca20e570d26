#include <fmt/format.h>

#include <memory>

#include "bioptic/base/error.h"
#include "bioptic/base/print.h"
#include "bioptic/base/progress.h"
#include "bioptic/cli/data_commands.h"
#include "bioptic/data/export.h"
#include "bioptic/data/file_list.h"

namespace bioptic {
namespace {

struct Options {
  std::string dataset, target;
  int threads = 0;
  bool quiet = false;
};

int export_command(const Options& options) {
  if (options.target.empty()) throw InputError("DST is empty: where shall the images go?");
  const Dataset dataset = Dataset::open(options.dataset);
  const std::filesystem::path target = options.target;
  const std::string ending = ending_of(target);
  if (ending == ".zip" || ending == ".npy" || ending == ".csv") {
    throw InputError(options.target +
                     ": no such file can be written; give FILE.npz for MedMNIST's layout, or a "
                     "folder's name for PNG files and a manifest");
  }
  ProgressLine line("Exporting", "images", options.quiet);
  const Progress progress = [&](std::size_t done, std::size_t total) {
    line.update(static_cast<double>(done), static_cast<double>(total));
  };
  const std::vector<std::string> notes =
      ending == ".npz" ? export_npz(dataset, target, progress)
                       : export_png(dataset, target, options.threads, progress);
  line.finish();
  if (!options.quiet) {
    for (const std::string& note : notes) print_error("{}\n", note);
  }
  print_out("{}\n", target.string());
  return 0;
}

}  // namespace

void register_data_export(CLI::App& data, Command& run) {
  const auto options = std::make_shared<Options>();
  CLI::App* app = data.add_subcommand("export", "Write a dataset as .npz or as a folder of PNGs");
  app->add_option("DATASET", options->dataset, "a dataset's folder")->required();
  app->add_option("DST", options->target,
                  "FILE.npz (MedMNIST's layout), else a new folder for PNG files and a manifest")
      ->required();
  app->add_option("--threads", options->threads, "0 = all processors")->check(CLI::Range(0, 1024));
  app->add_flag("--quiet", options->quiet, "no progress and no notes");
  app->callback([options, &run] { run = [options] { return export_command(*options); }; });
}

}  // namespace bioptic
