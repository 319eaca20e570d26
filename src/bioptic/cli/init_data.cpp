#include "bioptic/cli/init_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "bioptic/base/counted.h"
#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/print.h"
#include "bioptic/base/utf8.h"
#include "bioptic/cli/class_files.h"
#include "bioptic/data/dataset.h"
#include "bioptic/data/file_list.h"
#include "bioptic/data/group_search.h"
#include "bioptic/data/import.h"
#include "bioptic/study/homework.h"
#include "bioptic/study/spec.h"

namespace bioptic {
namespace fs = std::filesystem;
namespace {

constexpr int kSize = 256;  // photographs rarely have one size, and a study needs one; the report's

FoundData phantom_data(const InitData& asked) {
  FoundData found;
  DataFacts& facts = found.facts;
  facts.words = "The built-in phantom: chest radiographs by projection of simple anatomy.";
  facts.size = asked.size.value_or(kSize);
  facts.channels = 1;
  facts.classes = {"NORMAL", "PNEUMONIA"};
  facts.groups_known = found.has_test = true;
  return found;
}

FoundData dataset_data(const fs::path& path) {
  const Dataset dataset = Dataset::open(path);
  const DatasetInfo& info = dataset.info();
  FoundData found;
  DataFacts& facts = found.facts;
  facts.words =
      fmt::format("A dataset of {}, {} x {} x {} ({}).",
                  counted(static_cast<std::size_t>(info.images), "image"), info.channels,
                  info.height, info.width, info.dtype == PixelType::uint8 ? "uint8" : "uint16");
  if (info.height == info.width) facts.size = info.width;
  facts.channels = info.channels;
  facts.classes = info.classes;
  facts.groups_known = !info.groups_from.empty();
  facts.sixteen_bit = info.dtype == PixelType::uint16;
  found.images = dataset.size();
  for (std::size_t row = 0; row < dataset.size(); ++row) {
    const std::string_view split = dataset.record(row).split;
    facts.source_has_val = facts.source_has_val || split == "val";
    found.has_test = found.has_test || split == "test";
  }
  return found;
}

// The images are not looked at: that is the import's work.
FoundData listed_data(const FileList& list, const InitData& asked, bool xrays) {
  FoundData found;
  DataFacts& facts = found.facts;
  facts.words = "Images in files, imported once when the study is first run.";
  facts.size = asked.size.value_or(kSize);
  facts.classes = list.classes;
  facts.groups_known = !list.groups_from.empty();
  found.is_folder = true;
  found.images = list.files.size();
  std::string pattern = asked.group;
  if (pattern.empty() && xrays && !facts.groups_known) {
    pattern = parse_study_text(std::string(homework_studies().front().text), "").data.group;
  }
  std::optional<GroupSearch> search;
  if (!pattern.empty()) search.emplace(pattern, "--group");
  for (std::size_t i = 0; i < list.files.size(); ++i) {
    const SourceItem item = list.files[i].item;
    facts.source_has_val = facts.source_has_val || item.split == "val";
    found.has_test = found.has_test || item.split == "test";
    if (search && !search->in(item.name).empty()) ++found.grouped;
  }
  // The X-rays' expression may find a chance name or two elsewhere.
  if (!asked.group.empty() || 2 * found.grouped > found.images) facts.group = pattern;
  return found;
}

fs::path imported_arrays(const InitData& asked, const fs::path& folder) {
  fs::path target = folder / "images";
  if (fs::exists(target)) {
    throw InputError(fmt::format(
        "{} exists already, and the arrays would be imported there; if they are in it, give it as "
        "DATA instead of --class, else choose another folder with --out",
        target.string()));
  }
  ImportOptions options;
  options.size = asked.size;
  const ImportReport report =
      import_arrays(class_files(asked.classes, asked.test_classes), target, options);
  for (const std::string& note : report.notes) print_error("{}\n", as_utf8(note));
  return target;
}

FoundData path_data(const fs::path& path, const InitData& asked, bool xrays) {
  if (!fs::exists(path)) {
    throw InputError(
        fmt::format("{}: no such file or folder; give a dataset, images to import, or \"phantom\"",
                    path.string()));
  }
  if (is_dataset(path)) return dataset_data(path);
  if (fs::is_directory(path)) return listed_data(list_folder(path), asked, xrays);
  if (ending_of(path) == ".csv") return listed_data(list_manifest(path, false), asked, xrays);
  if (ending_of(path) == ".npz") {
    FoundData found;
    found.facts.words = "An archive of arrays, imported once when the study is first run.";
    found.facts.size = asked.size;
    found.has_test = true;  // as its layout has it; the import tells
    return found;
  }
  throw InputError(
      fmt::format("{}: neither a dataset, nor a folder, a .csv or a .npz file{}", path.string(),
                  ending_of(path) == ".npy"
                      ? "; arrays are given by class: --class NAME=FILE.npy for each, and "
                        "--test-class NAME=FILE.npy for the test images"
                      : "; import it first with `bioptic data import`"));
}

}  // namespace

FoundData find_data(const InitData& asked, const fs::path& folder, bool xrays) {
  const bool arrays = !asked.classes.empty();
  if (!arrays && !asked.test_classes.empty()) {
    throw InputError("--test-class without --class: give the training images of each class, too");
  }
  FoundData found;
  if (!arrays && asked.data == "phantom") {
    found = phantom_data(asked);
  } else {
    const fs::path path = arrays ? imported_arrays(asked, folder) : fs::path(asked.data);
    found = path_data(path, asked, xrays);
    // A study's source is relative to the study file.
    found.facts.source =
        fs::proximate(fs::absolute(path).lexically_normal(), fs::absolute(folder)).string();
  }
  DataFacts& facts = found.facts;
  if (asked.size && facts.size && *asked.size != *facts.size) {
    throw InputError(fmt::format(
        "--size {}: the dataset's images are {} x {} and stay so; import its source again with "
        "`bioptic data import --size {}`",
        *asked.size, *facts.size, *facts.size, *asked.size));
  }
  if (!asked.group.empty() && facts.groups_known) {
    throw InputError("--group: the data name their patients themselves; leave it out");
  }
  if (!asked.group.empty() && found.is_folder && found.grouped == 0) {
    throw InputError(fmt::format("--group {}: matches nothing in the names of {}", asked.group,
                                 counted(found.images, "file")));
  }
  if (!asked.group.empty()) facts.group = asked.group;
  const std::vector<std::string>& classes = facts.classes;
  if (!asked.positive.empty() && !classes.empty() &&
      std::find(classes.begin(), classes.end(), asked.positive) == classes.end()) {
    throw InputError(fmt::format("--positive {}: no class of the data; they are {}", asked.positive,
                                 fmt::join(classes, ", ")));
  }
  facts.positive = asked.positive;
  return found;
}

}  // namespace bioptic
