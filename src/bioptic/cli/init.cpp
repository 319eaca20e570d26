// bioptic init: a commented study file to start from.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bioptic/base/counted.h"
#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/print.h"
#include "bioptic/cli/command.h"
#include "bioptic/cli/overwrite.h"
#include "bioptic/data/dataset.h"
#include "bioptic/data/file_list.h"
#include "bioptic/data/import.h"
#include "bioptic/study/template.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string data = "phantom";
  std::vector<std::string> vary;
  std::string out = "study.toml";
  bool force = false;
};

DataFacts facts_of_phantom() {
  DataFacts facts;
  facts.words = "The built-in phantom: chest radiographs by projection of simple anatomy.";
  facts.size = 256;
  facts.channels = 1;
  facts.classes = {"NORMAL", "PNEUMONIA"};
  facts.groups_known = true;
  return facts;
}

DataFacts facts_of_dataset(const fs::path& path) {
  const Dataset dataset = Dataset::open(path);
  const DatasetInfo& info = dataset.info();
  DataFacts facts;
  facts.words =
      fmt::format("A dataset of {}, {} x {} x {} ({}).",
                  counted(static_cast<std::size_t>(info.images), "image"), info.channels,
                  info.height, info.width, info.dtype == PixelType::uint8 ? "uint8" : "uint16");
  if (info.height == info.width) facts.size = info.width;
  facts.channels = info.channels;
  facts.classes = info.classes;
  facts.groups_known = !info.groups_from.empty();
  facts.sixteen_bit = info.dtype == PixelType::uint16;
  for (std::size_t row = 0; row < dataset.size(); ++row) {
    facts.source_has_val = facts.source_has_val || dataset.record(row).split == "val";
  }
  return facts;
}

// The images are not looked at: that is the import's work.
DataFacts facts_of_folder(const fs::path& path) {
  DataFacts facts;
  const FileList list = list_folder(path);
  facts.classes = list.classes;
  for (std::size_t i = 0; i < list.files.size() && !facts.source_has_val; ++i) {
    facts.source_has_val = list.files[i].item.split == "val";
  }
  facts.words = "A folder of images, imported once when the study is first run.";
  facts.size = 256;  // photographs rarely have one size; the study needs one
  return facts;
}

DataFacts facts_of(const std::string& data, const fs::path& out) {
  if (data == "phantom") return facts_of_phantom();
  const fs::path path(data);
  if (!fs::exists(path)) {
    throw InputError(
        fmt::format("{}: no such file or folder; give a dataset, images to import, or "
                    "\"phantom\"",
                    data));
  }
  DataFacts facts;
  if (is_dataset(path)) {
    facts = facts_of_dataset(path);
  } else if (fs::is_directory(path)) {
    facts = facts_of_folder(path);
  } else if (ending_of(path) == ".npz") {
    facts.words = "An archive of arrays, imported once when the study is first run.";
  } else {
    throw InputError(
        fmt::format("{}: neither a dataset, nor a folder, nor a .npz file; import it "
                    "first with `bioptic data import`",
                    data));
  }
  // A study's source is relative to the study file.
  const fs::path folder = fs::absolute(out).parent_path();
  facts.source = fs::proximate(fs::absolute(path).lexically_normal(), folder).string();
  return facts;
}

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

int init(const Options& options) {
  const bool to_terminal = options.out == "-";
  const fs::path out = to_terminal ? fs::path("study.toml") : fs::path(options.out);
  if (!to_terminal) refuse_to_overwrite({out}, options.force);
  const std::string text =
      study_template(facts_of(options.data, out), study_name(out), options.vary);
  if (to_terminal) {
    print_out("{}", text);
    return 0;
  }
  remove_stale_beside(out);
  write_file(out, text);
  print_out("{} written; change it, then: bioptic run {}\n", out.string(), out.string());
  return 0;
}

}  // namespace

void register_init(CLI::App& app, Command& run) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("init", "Write a commented study file to start from");
  command->add_option("DATA", options->data,
                      "a dataset, images to import, or \"phantom\" (the default)");
  command
      ->add_option("--vary", options->vary,
                   "one arm for each value, as in batch_size=10,50,100 or optimizer.lr=1e-3,1e-2; "
                   "several give every combination")
      ->allow_extra_args(false);
  command->add_option("--out,-o", options->out, "the file to write; - for the terminal")
      ->capture_default_str();
  command->add_flag("--force", options->force, "overwrite the file");
  command->callback([options, &run] { run = [options] { return init(*options); }; });
}

}  // namespace bioptic
