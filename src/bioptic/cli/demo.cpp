// bioptic demo: the report's studies, small enough for a minute and a half.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bioptic/base/counted.h"
#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/print.h"
#include "bioptic/base/progress.h"
#include "bioptic/cli/command.h"
#include "bioptic/cli/init_data.h"
#include "bioptic/cli/run_studies.h"
#include "bioptic/data/fetch.h"
#include "bioptic/study/homework.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

constexpr int kSmall = 64, kFull = 256;  // pixels, both sides; kFull is the report's

constexpr int kSeeds = kHomeworkSeeds;

struct Options {
  std::string out, data;
  int seeds = kSeeds;
  bool full = false, xrays = false, force = false, quiet = false;
};

// Puts the study where it can be read, changed and run again.  A file that is there with other
// words may be someone's work.
fs::path put_study(const HomeworkStudy& study, const std::string& text, const Options& options) {
  fs::path file = fs::path(options.out) / "studies" / (std::string(study.name) + ".toml");
  if (fs::exists(file)) {
    if (read_file(file) == text) return file;
    if (!options.force) {
      throw InputError(fmt::format(
          "{}: there already, with other settings; choose another folder with --out, run that "
          "study with `bioptic run`, or write over it with --force",
          file.string()));
    }
  }
  write_file(file, text);
  return file;
}

// PneumoniaMNIST: real X-rays of children, already at 64 pixels.
fs::path fetched_xrays(const Options& options) {
  const PublicSet& set = public_set("pneumoniamnist");
  const std::string name = public_file(set, kSmall);
  fs::path target = fs::path(options.out) / name;
  ProgressLine line("Fetching " + name, "bytes", options.quiet);
  try {
    fetch_file({std::string(kPublicPlace) + "/" + name + "?download=1",
                std::string(public_md5(set, kSmall)), public_most_bytes(set, kSmall)},
               target, [&](std::size_t done, std::size_t total) {
                 line.update(static_cast<double>(done), static_cast<double>(total));
               });
  } catch (const Failure& e) {
    throw Failure(
        std::string(e.what()) +
        "; without a network: bioptic demo (simulated X-rays), or --data with images that "
        "you have");
  }
  return target;
}

int demo(Options options) {
  if (options.out.empty()) options.out = options.full ? "bioptic-demo-full" : "bioptic-demo";
  const int size = options.full ? kFull : kSmall;
  const auto say = [&](const std::string& text) {
    if (!options.quiet) print_out("{}\n", text);
  };
  say(fmt::format(
      "Is it the setting, or the seed?\n"
      "A student's report trained a small network on chest X-rays, once for each setting.\n"
      "Here are its studies again, with {} for each setting and {} x {} pixels.",
      counted(static_cast<std::size_t>(options.seeds), "seed"), size, size));
  if (options.seeds < kSeeds) {
    say(fmt::format("(With fewer than {} seeds more stays undecided.)", kSeeds));
  }
  if (!options.full) say("(The report's 256 pixels: bioptic demo --full, some 20 minutes.)");
  const bool phantom = options.data.empty() && !options.xrays;
  if (phantom) {
    say("The images are simulated; their test images come from another scanner by design.");
  }
  RunOptions run;
  run.out = options.out;
  run.quiet = options.quiet;
  run.brief = true;
  if (options.seeds != kSeeds) run.seeds = options.seeds;
  const std::string data = options.xrays ? fetched_xrays(options).string() : options.data;
  std::optional<FoundData> found;
  if (!data.empty()) {
    InitData given;
    given.data = data;
    given.size = size;
    found = find_data(given, fs::path(options.out) / "studies", true);
    if (found->is_folder) found->facts.channels = 1;  // as the report's images have
  }
  for (const HomeworkStudy& study : homework_studies()) {
    run.studies.push_back(put_study(
        study,
        found ? homework_text(study, found->facts, kSeeds) : homework_text(study, size, kSeeds),
        options));
  }
  return run_studies(run);
}

}  // namespace

void register_demo(CLI::App& app, Command& run) {
  const auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand(
      "demo", "The report's studies on simulated X-rays: a first answer in a minute");
  sub->add_option("--out", o->out,
                  "where the studies, the store and the reports go (default: bioptic-demo, with "
                  "--full bioptic-demo-full)");
  sub->add_flag("--full", o->full, "256 x 256 pixels, as in the report, instead of 64 x 64");
  CLI::Option* xrays = sub->add_flag("--xrays", o->xrays,
                                     "real X-rays: fetch PneumoniaMNIST at 64 pixels (MedMNIST)");
  sub->add_option("--data", o->data,
                  "your own images: a dataset, a folder of class folders, a .npz")
      ->excludes(xrays);
  sub->add_option("--seeds", o->seeds, "trainings of each setting")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  sub->add_flag("--force", o->force, "write over studies in OUT that were changed");
  sub->add_flag("--quiet", o->quiet, "no progress, no answers");
  sub->callback([o, &run] { run = [o] { return demo(*o); }; });
}

}  // namespace bioptic
