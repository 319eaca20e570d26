#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>
#include <vector>

#include "bioptic/base/error.h"
#include "bioptic/base/mapped_fault.h"
#include "bioptic/base/utf8.h"
#include "bioptic/base/version.h"
#include "bioptic/cli/command.h"
#include "bioptic/kernel/kernels.h"

namespace bioptic {
namespace {

std::string version_text() {
  std::string text = fmt::format("bioptic {}\ninstruction sets: ", kVersion);
  const std::vector<const kernel::Kernels*> kernels = kernel::available_kernels();
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", kernels[i]->isa);
  }
  return text + fmt::format(" (would use {})\n", kernels.front()->isa);
}

// CLI11 says only that something was not expected; a person wants the nearest name.
std::string unknown_word(const CLI::App& app, const std::string& word) {
  const CLI::App* at = &app;
  for (const CLI::App* chosen : app.get_subcommands()) at = chosen;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  std::vector<std::string> names;
  if (word.starts_with("-")) {
    for (const CLI::Option* option : at->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  } else {
    for (const CLI::App* sub : at->get_subcommands({})) names.push_back(sub->get_name());
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view what = word.starts_with("-") ? "option" : "command";
  if (views.empty()) return fmt::format("'{}' is not expected here", word);
  return fmt::format("unknown {} '{}'{}", what, word, suggestion(word, views));
}

int parse_error(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help
  std::string message = error.what();
  // A mistyped command shows as "a subcommand is required", a mistyped option as "not expected".
  std::vector<std::string> left = app.remaining(true);
  std::erase(left, "--");  // the mark that ends the options is no word of its own
  const bool extra = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  const bool required = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  // The value of a mistyped option ("--siz 64") is taken for a path, and complained of first.
  const auto option = std::find_if(left.begin(), left.end(),
                                   [](const std::string& word) { return word.starts_with("--"); });
  if (option != left.end()) {
    message = unknown_word(app, *option);
  } else if (!left.empty() && (extra || required)) {
    message = unknown_word(app, left.front());
  }
  fmt::print(stderr, "bioptic: error: {}\nRun with --help for what there is.\n", as_utf8(message));
  return 2;
}

// What was printed may still be on its way: only now is known whether it arrives.
int after_output(int code) {
  std::cout.flush();
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout) return code;
  fmt::print(stderr, "bioptic: error: standard output cannot be written{}{}\n",
             errno == 0 ? "" : ": ", errno == 0 ? "" : std::strerror(errno));
  return 1;
}

int run(int argc, char** argv) {
  CLI::App app{
      "Controlled training and honest comparison of biomedical image classifiers: what did "
      "changing\n"
      "this setting do to my classifier, and would it do it again?",
      "bioptic"};
  app.set_version_flag("--version", version_text);
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "help of every command");
  Command command;
  register_run(app, command);
  register_status(app, command);
  register_report(app, command);
  register_schedule(app, command);
  register_init(app, command);
  register_data(app, command);
  register_eval(app, command);
  register_predict(app, command);
  register_compare(app, command);
  register_plan(app, command);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return after_output(parse_error(app, error));
  }
  return after_output(command());
}

}  // namespace
}  // namespace bioptic

int main(int argc, char** argv) {
  bioptic::report_mapped_faults();
  // A file that would outgrow the limit on sizes (ulimit -f) is an error of the write, with a
  // message, as a full disk is.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return bioptic::run(argc, argv);
  } catch (const bioptic::InputError& e) {
    fmt::print(stderr, "bioptic: error: {}\n", bioptic::as_utf8(e.what()));
    return 2;
  } catch (const bioptic::Interrupted& e) {
    fmt::print(stderr, "bioptic: {}\n", e.what());
    return 130;
  } catch (const std::filesystem::filesystem_error& e) {
    fmt::print(stderr, "bioptic: error: {}: {}\n", bioptic::as_utf8(e.path1().string()),
               e.code().message());
    return 1;
  } catch (const std::system_error& e) {
    const bool output = std::ferror(stdout) != 0;  // more was printed than waits in its buffer
    fmt::print(stderr, "bioptic: error: {}\n",
               output ? "standard output cannot be written: " + e.code().message() : e.what());
    return 1;
  } catch (const std::exception& e) {
    fmt::print(stderr, "bioptic: error: {}\n", bioptic::as_utf8(e.what()));
    return 1;
  }
}
