#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "bioptic/base/counted.h"
#include "bioptic/base/print.h"
#include "bioptic/cli/command.h"
#include "bioptic/study/verify.h"

namespace bioptic {
namespace {

const char* name_of(Verification::State state) {
  constexpr std::array kNames = {"whole", "damaged", "unknown"};
  return kNames.at(static_cast<std::size_t>(state));
}

int check_command(const std::string& out, bool as_json) {
  const std::vector<Verification> list = verify_run(out);
  const auto damaged = static_cast<std::size_t>(std::count_if(
      list.begin(), list.end(),
      [](const Verification& each) { return each.state == Verification::State::damaged; }));
  if (as_json) {
    nlohmann::json checks = nlohmann::json::array();
    for (const Verification& each : list) {
      checks.push_back({{"state", name_of(each.state)},
                        {"what", each.what},
                        {"where", each.where},
                        {"said", each.said}});
    }
    const nlohmann::json j{{"out", out}, {"damaged", damaged}, {"checks", checks}};
    print_out("{}\n", j.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    for (const Verification& each : list) {
      const bool bad = each.state == Verification::State::damaged;
      print_out("{:8}  {} {}: {}\n", bad ? "DAMAGED" : name_of(each.state), each.what, each.where,
                each.said);
    }
    print_out("\n{}\n", damaged == 0 ? "No damage was found."
                                     : fmt::format("{} damaged. Put copies in their place; what "
                                                   "is whole can be used as it is.",
                                                   counted(damaged, "thing")));
  }
  return damaged > 0 ? 1 : 0;
}

}  // namespace

void register_check(CLI::App& app, Command& run) {
  struct Options {
    std::string out;
    bool json = false;
  };
  const auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand(
      "check", "Hold trials, models and datasets of a run against their checksums");
  sub->add_option("OUT", o->out, "the --out folder of a run")->required();
  sub->add_flag("--json", o->json, "as JSON");
  sub->callback([o, &run] { run = [o] { return check_command(o->out, o->json); }; });
}

}  // namespace bioptic
