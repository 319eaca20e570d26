#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/data/dicom.h"
#include "bioptic/data/file_list.h"

namespace bioptic {
namespace fs = std::filesystem;
namespace {

struct SplitName {
  std::string_view folder, split;
};
constexpr std::array<SplitName, 7> kSplitNames = {{{"train", "train"},
                                                   {"training", "train"},
                                                   {"val", "val"},
                                                   {"valid", "val"},
                                                   {"validation", "val"},
                                                   {"test", "test"},
                                                   {"testing", "test"}}};

std::string_view split_of(const std::string& folder) { return split_named(folder); }

bool hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

// Entries of a folder, sorted by bytes, hidden ones left out.
std::vector<fs::path> entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    if (!hidden(it->path())) found.push_back(it->path());
  }
  if (error) throw InputError(folder.string() + ": cannot be read: " + error.message());
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> found = entries(folder);
  std::error_code loop;  // a link that leads to itself is no folder
  std::erase_if(found, [&](const fs::path& path) { return !fs::is_directory(path, loop); });
  return found;
}

struct ClassFolder {
  std::string split, name;
  fs::path path;
};

// The class folders of a source, whichever of the two layouts it has.
std::vector<ClassFolder> class_folders(const fs::path& source) {
  std::vector<ClassFolder> found;
  const std::vector<fs::path> top = folders_in(source);
  const auto names_split = [](const fs::path& path) {
    return !split_of(path.filename().string()).empty();
  };
  if (std::any_of(top.begin(), top.end(), names_split)) {
    for (const fs::path& folder : top) {
      if (!names_split(folder)) {
        throw InputError(folder.string() + ": stands beside split folders but names no split" +
                         suggestion(folder.filename().string(), split_names()));
      }
      for (const fs::path& inner : folders_in(folder)) {
        found.push_back(
            {std::string(split_of(folder.filename().string())), inner.filename().string(), inner});
      }
    }
  } else {
    for (const fs::path& folder : top) found.push_back({"", folder.filename().string(), folder});
  }
  if (found.empty()) {
    throw InputError(source.string() +
                     ": has no class folders; expected SOURCE/CLASS/image files, or "
                     "SOURCE/train/CLASS, SOURCE/test/CLASS");
  }
  return found;
}

// Adds the image files below a class folder, sorted; counts the files of other kinds.
void add_image_files(const fs::path& root, const fs::path& folder, std::int64_t label,
                     const std::string& split, FileTable& files, std::size_t& others) {
  const std::size_t first = files.size();
  fs::path inner = folder;      // the folder that was entered last
  std::error_code error, loop;  // loop: of a link that leads to itself, which is no folder
  const auto add = [&](const fs::path& path, bool dicom) {
    files.add({path.lexically_relative(root).string(), label, split, {}}, dicom);
  };
  // Links to folders are not followed, so a loop of links cannot be entered.
  for (auto it = fs::recursive_directory_iterator(folder, error);
       !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (hidden(it->path())) {
      if (it->is_directory(loop)) it.disable_recursion_pending();
      continue;
    }
    if (it->is_directory(loop)) {
      inner = it->path();
      continue;
    }
    if (is_image_name(it->path())) {
      add(it->path(), false);
    } else if (is_dicom_file(it->path())) {
      add(it->path(), true);
    } else {
      ++others;
    }
  }
  if (error) throw InputError(inner.string() + ": cannot be read: " + error.message());
  files.sort(first);
}

}  // namespace

std::string_view split_named(std::string_view name) {
  for (const SplitName& known : kSplitNames) {
    if (known.folder == name) return known.split;
  }
  return {};
}

std::vector<std::string_view> split_names() {
  std::vector<std::string_view> names;
  for (const SplitName& known : kSplitNames) names.push_back(known.folder);
  return names;
}

FileList list_folder(const fs::path& root) {
  FileList list;
  list.kind = "class folders";
  list.files = FileTable(root);
  const std::vector<ClassFolder> folders = class_folders(root);
  std::set<std::string> names, splits;
  for (const ClassFolder& folder : folders) {
    names.insert(folder.name);
    splits.insert(folder.split);
  }
  list.classes.assign(names.begin(), names.end());
  std::size_t others = 0;
  for (const std::string& split : splits) {
    for (std::size_t c = 0; c < list.classes.size(); ++c) {
      const auto folder = std::find_if(folders.begin(), folders.end(), [&](const ClassFolder& f) {
        return f.split == split && f.name == list.classes[c];
      });
      if (folder == folders.end()) {
        throw InputError(root.string() + ": class '" + list.classes[c] + "' has no folder in " +
                         (split.empty() ? "the source" : "the " + split + " split") +
                         "; every split needs every class");
      }
      const std::size_t before = list.files.size();
      add_image_files(root, folder->path, static_cast<std::int64_t>(c), split, list.files, others);
      if (list.files.size() == before) {
        throw InputError(folder->path.string() +
                         ": has no image files (.jpg, .jpeg, .png, .tif, .tiff, or DICOM); remove "
                         "the folder or add images");
      }
    }
  }
  if (list.classes.size() < 2) {
    throw InputError(root.string() + ": has one class only ('" + list.classes[0] +
                     "'); a classifier needs at least two class folders");
  }
  if (others > 0) {
    list.notes.push_back(
        std::to_string(others) +
        " files that are not JPEG, PNG or TIFF by their names, nor DICOM, were left "
        "out.");
  }
  return list;
}

}  // namespace bioptic
