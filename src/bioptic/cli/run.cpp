#include <memory>

#include "bioptic/cli/command.h"
#include "bioptic/cli/run_studies.h"

namespace bioptic {

void register_run(CLI::App& app, Command& run) {
  const auto o = std::make_shared<RunOptions>();
  CLI::App* sub =
      app.add_subcommand("run", "Train every arm of one or more studies; write reports");
  sub->add_option("STUDY", o->studies, "study files (.toml)")->required();
  sub->add_option("--data", o->data,
                  "a dataset, a folder of class folders or a .npz, instead of the study's source");
  sub->add_option("--out", o->out, "where the store and the reports go")->capture_default_str();
  sub->add_option("--seeds", o->seeds, "seeds per arm, instead of the study's")
      ->check(CLI::Range(1, 10000));
  sub->add_option("--jobs", o->jobs, "trials at once; 0 = as is fastest, by measuring a few steps")
      ->check(CLI::Range(0, 1024));
  sub->add_option("--threads", o->threads,
                  "threads of a trial; 0 = as is fastest, or all processors / jobs")
      ->check(CLI::Range(0, 1024));
  sub->add_option("--engine", o->engine, "fused, or the plain reference (slow)")
      ->check(CLI::IsMember({"fused", "reference"}))
      ->capture_default_str();
  sub->add_option("--isa", o->isa, "force an instruction set: portable, avx2, avx512");
  sub->add_option("--save-models", o->save_models, "none, first (seed of every arm) or all")
      ->check(CLI::IsMember({"none", "first", "all"}));
  sub->add_flag("--dry-run", o->dry_run,
                "list the trials with estimated time and disk; train and write nothing");
  sub->add_flag("--trace", o->trace,
                "write initial weights, batch order and the loss of every step");
  sub->add_flag("--new-data", o->new_data, "go on although the data changed since the last run");
  sub->add_flag("--force", o->force,
                "write the report over files in OUT/STUDY that are of no report of bioptic");
  sub->add_flag("--json", o->json, "the outcome as JSON on standard output");
  sub->add_flag("--quiet", o->quiet, "no progress, no tables");
  sub->callback([o, &run] { run = [o] { return run_studies(*o); }; });
}

}  // namespace bioptic
