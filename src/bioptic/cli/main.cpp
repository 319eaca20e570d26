#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "bioptic/base/error.h"
#include "bioptic/base/exception_text.h"
#include "bioptic/base/mapped_fault.h"
#include "bioptic/base/print.h"
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

// A message may quote what it complains of, and a line of a file may have megabytes.  What is wrong
// stands in front, the remedy at the end.
std::string told(std::string_view message) {
  constexpr std::size_t kLongest = 3000, kEnd = 1000;  // bytes
  if (message.size() <= kLongest) return std::string(message);
  std::size_t front = kLongest - kEnd, back = message.size() - kEnd;
  const auto inside = [&](std::size_t at) {  // a character of UTF-8
    return (static_cast<unsigned char>(message[at]) & 0xc0) == 0x80;
  };
  while (front > 0 && inside(front)) --front;
  while (back < message.size() && inside(back)) ++back;
  return fmt::format("{} ... ({} bytes left out) ... {}", message.substr(0, front), back - front,
                     message.substr(back));
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
  print_error("bioptic: error: {}\nRun with --help for what there is.\n", told(message));
  return 2;
}

// What was printed may still be on its way: only now is known whether it arrives.
int after_output(int code) {
  const std::string error = output_error();
  if (error.empty()) return code;
  print_error("bioptic: error: standard output cannot be written: {}\n", error);
  return 1;
}

// The exit code of what is being thrown, after a message.
int after_exception() {
  const auto fail = [](std::string_view why) {
    print_error("bioptic: error: {}\n", told(why));
    return 1;
  };
  try {
    throw;
  } catch (const InputError& e) {
    fail(e.what());
    return 2;
  } catch (const Interrupted& e) {
    print_error("bioptic: {}\n", e.what());
    return 130;
  } catch (const std::exception& e) {
    return fail(exception_text(e));
  } catch (...) {
    return fail("something unknown was thrown; please report this with the command");
  }
}

// The same where not a byte can be had.
int after_no_memory() {
  constexpr std::string_view kMessage =
      "bioptic: error: there is not enough memory, not even for the message; what was finished "
      "before is kept\n";
  [[maybe_unused]] const auto n = ::write(STDERR_FILENO, kMessage.data(), kMessage.size());
  return 1;
}

// Memory that gives out where nothing may be thrown: in a destructor (those of JSON allocate), in a
// library's start, in libstdc++'s iterators of folders, from which no exception is left to look at.
// Files have temporary names until they are whole, so that an end here does no harm.
[[noreturn]] void on_terminate() {
  const std::exception_ptr thrown = std::current_exception();
  if (!thrown && std::uncaught_exceptions() > 0) ::_exit(after_no_memory());
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    ::_exit(after_no_memory());
  } catch (...) {
  }
  __gnu_cxx::__verbose_terminate_handler();
  std::abort();
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
  register_demo(app, command);
  register_run(app, command);
  register_status(app, command);
  register_check(app, command);
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
  bioptic::open_closed_streams();
  bioptic::report_mapped_faults();
  std::set_terminate(bioptic::on_terminate);
  // A file that would outgrow the limit on sizes (ulimit -f) is an error of the write, with a
  // message, as a full disk is.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return bioptic::run(argc, argv);
  } catch (...) {
    try {
      return bioptic::after_exception();
    } catch (...) {  // no memory for the message either
      return bioptic::after_no_memory();
    }
  }
}
