#include <fmt/format.h>

#include <charconv>
#include <memory>

#include "bioptic/base/error.h"
#include "bioptic/base/parallel.h"
#include "bioptic/base/progress.h"
#include "bioptic/cli/data_commands.h"
#include "bioptic/data/phantom.h"

namespace bioptic {
namespace {

struct Options {
  std::string path, shift = "default";
  PhantomSpec spec;
  int threads = 0;
  bool json = false, quiet = false;
};

int phantom_command(Options options) {
  if (options.shift != "default") {
    const char* end = options.shift.data() + options.shift.size();
    const auto [rest, error] = std::from_chars(options.shift.data(), end, options.spec.shift);
    if (error != std::errc{} || rest != end || !(options.spec.shift >= 0) ||
        options.spec.shift > 10) {
      throw InputError("--shift " + options.shift +
                       ": expected \"default\" or a number from 0 (the same scanner) to 10");
    }
  }
  ProgressLine line("Making the phantom", "images", options.quiet);
  make_phantom(options.spec, options.path,
               options.threads > 0 ? options.threads : available_processors(),
               [&](std::size_t done, std::size_t total) {
                 line.update(static_cast<double>(done), static_cast<double>(total));
               });
  line.finish();
  print_dataset_info(options.path, options.json, false);
  return 0;
}

}  // namespace

void register_data_phantom(CLI::App& data, Command& run) {
  const auto options = std::make_shared<Options>();
  CLI::App* app = data.add_subcommand("phantom", "Make a dataset of simulated chest radiographs");
  app->add_option("DST", options->path, "the new dataset's folder")->required();
  app->add_option("--train", options->spec.train, "images to train and validate on")
      ->check(CLI::Range(4, 10'000'000))
      ->capture_default_str();
  app->add_option("--test", options->spec.test, "images of the test split")
      ->check(CLI::Range(4, 10'000'000))
      ->capture_default_str();
  app->add_option("--shift", options->shift,
                  "how far the test scanner differs: \"default\" (1), 0 = not at all")
      ->capture_default_str();
  app->add_option("--seed", options->spec.seed, "another seed, other patients")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app->add_option("--size", options->spec.size, "pixels of both sides")
      ->check(CLI::Range(32, 1024))
      ->capture_default_str();
  app->add_option("--threads", options->threads, "0 = all processors")->check(CLI::Range(0, 1024));
  app->add_flag("--json", options->json, "print the dataset's description as JSON");
  app->add_flag("--quiet", options->quiet, "no progress");
  app->callback([options, &run] { run = [options] { return phantom_command(*options); }; });
}

}  // namespace bioptic
