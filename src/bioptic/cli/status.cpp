#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "bioptic/base/json_text.h"
#include "bioptic/base/print.h"
#include "bioptic/base/progress.h"
#include "bioptic/cli/command.h"
#include "bioptic/study/summarise.h"

namespace bioptic {
namespace {

// "study, arm, seed k"
std::string place_of(const Store& store, const std::string& trial_id) {
  for (const StoredStudy& study : store.studies()) {
    for (const StoredPlace& place : store.places(study.name)) {
      if (place.trial_id == trial_id) {
        return fmt::format("{}, {}, seed {}", study.name, place.arm, place.seed);
      }
    }
  }
  return "trial " + trial_id.substr(0, 12);
}

int status_command(const std::string& out, bool as_json) {
  const Store store = Store::open_to_read(out);
  const long writer = WriterLock::holder(out);
  nlohmann::json list = nlohmann::json::array();
  if (!as_json) {
    print_out("{:24}  {:>5}  {:>9}  {:>7}  {:>7}  {:>6}  {}\n", "study", "done", "collapsed",
              "running", "missing", "failed", "time left");
  }
  double left = 0;
  for (const StoredStudy& study : store.studies()) {
    const StudyProgress p = progress_of(store, study.name, writer != 0);
    if (p.running + p.missing + p.failed > 0) left += p.seconds_left;
    if (!as_json) {
      print_out("{:24}  {:>5}  {:>9}  {:>7}  {:>7}  {:>6}  {}\n", p.name, p.done, p.collapsed,
                p.running, p.missing, p.failed,
                p.running + p.missing + p.failed == 0 ? "-" : duration_text(p.seconds_left));
    }
    nlohmann::json seconds;
    if (!std::isnan(p.seconds_left)) seconds = p.seconds_left;
    list.push_back({{"study", p.name},
                    {"done", p.done},
                    {"collapsed", p.collapsed},
                    {"running", p.running},
                    {"missing", p.missing},
                    {"failed", p.failed},
                    {"seconds_left", seconds}});
  }
  if (as_json) {
    print_out("{}\n", json_text({{"out", out},
                                 {"writer_pid", writer},
                                 {"studies", list},
                                 {"unplaced_trials", store.unplaced_trials()}},
                                2));
    return 0;
  }
  if (std::isfinite(left) && list.size() > 1 && left > 0) {
    print_out("altogether about {} left\n", duration_text(left));
  }
  if (const std::string words = unplaced_words(store); !words.empty()) print_out("{}\n", words);
  if (writer != 0) {
    for (const RunningTrial& trial : store.running()) {
      print_out("running: {}, epoch {} of {}\n", place_of(store, trial.trial_id), trial.epoch,
                trial.epochs);
    }
  }
  print_out("{}\n", writer != 0 ? fmt::format("A run is going on (process {}).", writer)
                                : std::string("No run is going on here."));
  return 0;
}

}  // namespace

void register_status(CLI::App& app, Command& run) {
  struct Options {
    std::string out;
    bool json = false;
  };
  const auto o = std::make_shared<Options>();
  CLI::App* sub =
      app.add_subcommand("status", "Done, running, missing and failed trials; time left");
  sub->add_option("OUT", o->out, "the --out folder of a run")->required();
  sub->add_flag("--json", o->json, "as JSON");
  sub->callback([o, &run] { run = [o] { return status_command(o->out, o->json); }; });
}

}  // namespace bioptic
