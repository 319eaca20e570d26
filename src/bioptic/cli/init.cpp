// bioptic init: commented study files to start from.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bioptic/base/counted.h"
#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/print.h"
#include "bioptic/cli/command.h"
#include "bioptic/cli/init_data.h"
#include "bioptic/cli/overwrite.h"
#include "bioptic/study/homework.h"
#include "bioptic/study/positive_class.h"
#include "bioptic/study/template.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

struct Options {
  InitData data;
  std::string name = "study";  // of the template
  std::vector<std::string> vary;
  std::string out;
  int size = 0;
  bool force = false;
};

// The study's name is a folder; what a folder's name cannot hold becomes a dash.
std::string study_name(const fs::path& out) {
  std::string name = out.stem().string();
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || c == '.' || static_cast<unsigned char>(c) >= 0x80;
    if (!plain) c = '-';
  }
  const std::size_t begin = name.find_first_not_of(".-");
  name = begin == std::string::npos ? "study" : name.substr(begin);
  while (name.back() == '.') name.pop_back();
  return name;
}

void write_study(const fs::path& file, const std::string& text) {
  remove_stale_beside(file);
  write_file(file, text);
}

int init_study(const Options& options) {
  const bool to_terminal = options.out == "-";
  const fs::path out = to_terminal || options.out.empty() ? "study.toml" : options.out;
  if (to_terminal && !options.data.classes.empty()) {
    throw InputError("--out -: arrays are imported beside the study, which needs a file");
  }
  if (!to_terminal) refuse_to_overwrite({out}, options.force);
  const FoundData found = find_data(options.data, fs::absolute(out).parent_path(), false);
  const std::string text = study_template(found.facts, study_name(out), options.vary);
  if (to_terminal) {
    print_out("{}", text);
    return 0;
  }
  write_study(out, text);
  print_out("{} written; change it, then: bioptic run {}\n", out.string(),
            shell_word(out.string()));
  return 0;
}

// What a person should know about the data before the first run.
std::string data_words(const FoundData& found) {
  const DataFacts& facts = found.facts;
  std::string text;
  if (facts.classes.empty()) {
    text += "  classes   known when the data are imported; two are needed\n";
  } else {
    const std::string& positive =
        facts.positive.empty() ? *std::max_element(facts.classes.begin(), facts.classes.end())
                               : facts.positive;
    text += fmt::format("  classes   {}; positive: {} (--positive changes it)\n",
                        fmt::join(facts.classes, ", "), positive);
  }
  if (facts.size) {
    text += fmt::format("  pixels    {} x {}{}{}\n", *facts.size, *facts.size,
                        !facts.channels        ? ""
                        : *facts.channels == 1 ? ", grey"
                                               : ", RGB",
                        found.is_folder ? ", resampled by the first run (--size changes it)" : "");
  }
  if (facts.groups_known) {
    text += "  patients  as the data name them\n";
  } else if (found.is_folder && !facts.group.empty()) {
    text += fmt::format("  patients  by {} in the file name, found in {} of {} names\n",
                        facts.group, found.grouped, found.images);
  } else if (facts.group.empty()) {
    text += "  patients  not known: every image counts as a patient of its own\n";
    if (found.is_folder) {
      text +=
          "            Where patients have several images and file names tell them, give --group "
          "with a search\n            expression such as '(patient\\d+)'.\n";
    }
  }
  if (!found.has_test) {
    text +=
        "  test      no test images: 20 % are drawn from the others, so they are of the same "
        "distribution\n";
  }
  if (!are_homework_classes(facts.classes)) {
    text += "  reported  what the report said of its X-rays is left out\n";
  }
  return text;
}

int init_homework(const Options& options) {
  if (!options.vary.empty()) {
    throw InputError("--vary is for a single study; the homework says itself what it varies");
  }
  const fs::path folder = options.out.empty() ? "." : options.out;
  if (fs::exists(folder) && !fs::is_directory(folder)) {
    throw InputError(folder.string() +
                     ": no folder; the homework is several studies, --out names their folder");
  }
  const auto file_of = [&](const HomeworkStudy& study) {
    return (folder / (std::string(study.name) + ".toml")).lexically_normal();
  };
  for (const HomeworkStudy& study : homework_studies()) {
    refuse_to_overwrite({file_of(study)}, options.force);
  }
  FoundData found = find_data(options.data, folder, true);
  // The report's images have one channel, and so have X-rays that a program saved as RGB.
  if (found.is_folder) found.facts.channels = 1;
  std::vector<std::pair<fs::path, std::string>> files;
  for (const HomeworkStudy& study : homework_studies()) {
    files.emplace_back(file_of(study), homework_text(study, found.facts, kHomeworkSeeds));
  }
  fs::create_directories(folder);
  std::string names, words;
  for (const auto& [file, text] : files) {
    write_study(file, text);
    names += (names.empty() ? "" : ", ") + file.string();
    words += " " + shell_word(file.string());
  }
  print_out("{} written, {} for every arm.\n{}Next: bioptic run{}\n", names,
            counted(kHomeworkSeeds, "seed"), data_words(found), words);
  return 0;
}

int init(Options options) {
  if (options.size > 0) options.data.size = options.size;
  return options.name == "homework" ? init_homework(options) : init_study(options);
}

}  // namespace

void register_init(CLI::App& app, Command& run) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("init", "Write commented study files to start from");
  CLI::Option* data = command->add_option(
      "DATA", options->data.data,
      "a dataset, a folder of class folders, a .csv or .npz, or \"phantom\" (the default)");
  std::vector<std::string> names;
  std::string purposes;
  for (const Template& row : templates()) {
    names.emplace_back(row.name);
    purposes += fmt::format("{}{}: {}", purposes.empty() ? "" : "; ", row.name, row.purpose);
  }
  command->add_option("--template", options->name, purposes)
      ->check(CLI::IsMember(names))
      ->capture_default_str();
  command
      ->add_option(
          "--vary", options->vary,
          "one arm for each value, as in batch_size=10,50,100 or scheduler=cosine,one_cycle "
          "or optimizer.lr=1e-3,1e-2; several give every combination")
      ->allow_extra_args(false);
  command
      ->add_option("--class", options->data.classes,
                   "NAME=FILE.npy instead of DATA: the images of one class, imported to the folder "
                   "images beside the study")
      ->excludes(data);
  command->add_option("--test-class", options->data.test_classes, "NAME=FILE.npy: its test images");
  command->add_option("--size", options->size, "pixels of both sides (files: 256)")
      ->check(CLI::Range(1, 4096));
  command->add_option("--positive", options->data.positive,
                      "the class that sensitivity and AUROC speak of (the last by name)");
  command->add_option("--group", options->data.group,
                      "search expression over the file name that names the patient");
  command->add_option("--out,-o", options->out,
                      "the file to write (study.toml; - for the terminal); for the homework the "
                      "folder (this one)");
  command->add_flag("--force", options->force, "overwrite the files");
  command->callback([options, &run] { run = [options] { return init(*options); }; });
}

}  // namespace bioptic
