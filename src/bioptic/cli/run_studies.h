// From study files to their reports: what `bioptic run` and `bioptic demo` do.
#pragma once

#include <string>
#include <vector>

namespace bioptic {

struct RunOptions {
  std::vector<std::string> studies;  // files
  std::string data;                  // instead of the studies' own source; "" = that
  std::string out = "runs", engine = "fused", isa;
  std::string save_models;               // none, first or all; "" = as the study says
  int seeds = 0, jobs = 0, threads = 0;  // 0: the study's own; as is fastest
  bool dry_run = false, trace = false, json = false, quiet = false, new_data = false, force = false;
  // One answer and a line for each claim of a study, instead of its tables.
  bool brief = false;
};

// Trains what the store in `options.out` has not, writes each study's report and, for several
// studies, index.html.  Returns the exit code: 0 done, 1 where trials failed.  Throws InputError
// for a bad study or output folder before anything is trained or written, Interrupted when stopped.
int run_studies(const RunOptions& options);

}  // namespace bioptic
