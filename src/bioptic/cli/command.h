// The subcommands: each file registers one with the parser and sets `run` when it was chosen.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace bioptic {

// Returns the exit code: 0 done, 1 failed.  InputError becomes 2, Failure 1, Interrupted 130 in
// main.
using Command = std::function<int()>;

void register_data(CLI::App& app, Command& run);  // data import, info, phantom
void register_demo(CLI::App& app, Command& run);
void register_init(CLI::App& app, Command& run);
void register_run(CLI::App& app, Command& run);
void register_status(CLI::App& app, Command& run);
void register_check(CLI::App& app, Command& run);
void register_report(CLI::App& app, Command& run);
void register_schedule(CLI::App& app, Command& run);
void register_eval(CLI::App& app, Command& run);
void register_predict(CLI::App& app, Command& run);
void register_compare(CLI::App& app, Command& run);
void register_plan(CLI::App& app, Command& run);

}  // namespace bioptic
