#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "bioptic/base/counted.h"
#include "bioptic/base/error.h"
#include "bioptic/base/utf8.h"
#include "bioptic/data/cell.h"
#include "bioptic/data/dicom.h"
#include "bioptic/data/file_list.h"
#include "bioptic/data/folder_names.h"
#include "bioptic/data/warning.h"

namespace bioptic {
namespace fs = std::filesystem;
namespace {

std::string_view split_of(const fs::path& folder) {
  return split_named(folder.filename().string());
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool hidden(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with('.') || is_system_name(name);
}

// Entries of a folder, sorted by bytes, without hidden ones and those of systems.
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
  std::string split;
  std::string name;  // of the class: the folder's, see as_utf8()
  fs::path path;
};

// Whether the folders directly below a source are splits.  By their names where those are written
// as people mostly write them, in lower case; others ("Test", "VALID", "dev") may be classes, and
// are splits only where all of them name one, or where they hold folders as splits do.
bool are_splits(const std::vector<fs::path>& top) {
  if (top.empty()) return false;
  const auto names_split = [](const fs::path& path) { return !split_of(path).empty(); };
  if (std::all_of(top.begin(), top.end(), names_split)) return true;
  return std::any_of(top.begin(), top.end(), [&](const fs::path& path) {
    const std::string name = path.filename().string();
    const bool plain = name == lower(name) && name != "dev";
    return names_split(path) && (plain || !folders_in(path).empty());
  });
}

// The class folders of a source, whichever of the two layouts it has.
std::vector<ClassFolder> class_folders(const fs::path& source) {
  std::vector<ClassFolder> found;
  const std::vector<fs::path> top = folders_in(source);
  if (are_splits(top)) {
    std::map<std::string_view, fs::path> folder_of;
    for (const fs::path& folder : top) {
      const std::string_view split = split_of(folder);
      if (split.empty()) {
        throw InputError(folder.string() + ": stands beside split folders but names no split" +
                         suggestion(folder.filename().string(), split_names()));
      }
      const auto [other, is_new] = folder_of.emplace(split, folder);
      if (!is_new) {
        throw InputError(fmt::format("{}: names the {} split, as {} does; put both into one folder",
                                     folder.string(), split, other->second.string()));
      }
      for (const fs::path& inner : folders_in(folder)) {
        found.push_back({std::string(split), as_utf8(inner.filename().string()), inner});
      }
    }
  } else {
    for (const fs::path& folder : top) {
      found.push_back({"", as_utf8(folder.filename().string()), folder});
    }
  }
  std::map<std::pair<std::string, std::string>, fs::path> seen;
  for (const ClassFolder& folder : found) {
    const auto [other, is_new] = seen.emplace(std::pair(folder.split, folder.name), folder.path);
    if (!is_new) {  // the name of one holds the letters that stand for bytes of the other
      throw InputError(fmt::format("{}: is shown as {} is; rename one of them",
                                   folder.path.string(), other->second.string()));
    }
  }
  if (found.empty()) {
    throw InputError(source.string() +
                     ": has no class folders; expected SOURCE/CLASS/image files, or "
                     "SOURCE/train/CLASS, SOURCE/test/CLASS");
  }
  return found;
}

// Files that are no image by their names, by their endings.
class OtherFiles {
 public:
  void add(const fs::path& path) {
    ++count_;
    const std::string ending = lower(path.extension().string());
    // What follows the last point may be part of a name, which may be a person's.
    constexpr std::size_t kLongest = 6;
    const bool plain = ending.size() > 1 && ending.size() <= kLongest &&
                       std::all_of(ending.begin() + 1, ending.end(),
                                   [](unsigned char c) { return std::isalnum(c) != 0; });
    ++by_ending_[plain ? ending : "others"];
    constexpr std::array<std::string_view, 9> kImages = {".webp", ".bmp", ".gif", ".jp2", ".heic",
                                                         ".avif", ".pgm", ".ppm", ".nii"};
    images_ += std::find(kImages.begin(), kImages.end(), ending) != kImages.end() ? 1U : 0U;
  }
  // A sentence; "" where there are none.
  std::string note() const {
    if (count_ == 0) return "";
    std::string kinds;
    for (const auto& [ending, files] : by_ending_) {
      kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", ending, files);
    }
    return fmt::format(
        "{}{} files that are not JPEG, PNG or TIFF by their names, nor DICOM, were left out: {}.",
        images_ > 0 ? kWarning : "", count_, kinds);
  }

 private:
  std::size_t count_ = 0, images_ = 0;
  std::map<std::string, std::size_t> by_ending_;
};

// Says which images and manifests lie where nothing is read: directly in the source, or in a
// split's folder beside the class folders.
void note_files_between(const fs::path& source, const std::vector<ClassFolder>& folders,
                        std::vector<std::string>& notes) {
  std::vector<fs::path> above = {source};
  if (!folders.front().split.empty()) {
    for (const fs::path& folder : folders_in(source)) above.push_back(folder);
  }
  std::size_t count = 0;
  fs::path first;
  for (const fs::path& folder : above) {
    for (const fs::path& path : entries(folder)) {
      std::error_code error;
      if (!fs::is_regular_file(path, error)) continue;
      if (path.filename() == "manifest.csv") {
        notes.push_back(fmt::format(
            "{} is not read; to import {} keeps what it says of groups, splits and weights.",
            path.string(), path.string()));
      } else if (is_image_name(path) || is_dicom_file(path)) {
        if (count++ == 0) first = path;
      }
    }
  }
  if (count == 0) return;
  notes.push_back(
      fmt::format("{}{} images lie beside the class folders, not in one, and were left "
                  "out; the first is {}.",
                  kWarning, count, first.string()));
}

// Folders that a system made, which are left out with what they hold.
class SystemFolders {
 public:
  void add(const fs::path& path) {
    if (!is_system_name(path.filename().string())) return;
    std::error_code error;
    if (!fs::is_directory(path, error)) return;
    if (count_++ == 0) first_ = path.filename().string();
  }
  void add_below(const fs::path& folder) {
    std::error_code error;
    for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator();
         it.increment(error)) {
      add(it->path());
    }
  }
  std::string note() const {
    if (count_ == 0) return "";
    return fmt::format("{} that a system made, not a person, {} left out; the first is {}.",
                       counted(count_, "folder"), count_ == 1 ? "was" : "were", first_);
  }

 private:
  std::size_t count_ = 0;
  std::string first_;
};

// Adds the image files below a class folder, sorted; counts the files of other kinds.
void add_image_files(const fs::path& root, const fs::path& folder, std::int64_t label,
                     const std::string& split, FileTable& files, OtherFiles& others,
                     SystemFolders& system, Losses& losses) {
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
      system.add(it->path());
      if (it->is_directory(loop)) it.disable_recursion_pending();
      continue;
    }
    if (it->is_directory(loop)) {
      if (it->is_symlink(loop)) ++losses[Loss::linked_folders];
      inner = it->path();
      continue;
    }
    if (is_image_name(it->path())) {
      add(it->path(), false);
    } else if (is_dicom_file(it->path())) {
      add(it->path(), true);
    } else {
      others.add(it->path());
    }
  }
  if (error) throw InputError(inner.string() + ": cannot be read: " + error.message());
  files.sort(first);
}

}  // namespace

namespace {

// " (...)" where a class of that split is nearly called so: in another case, with a space at its
// end, or with accents of their own (NFC and NFD), which look the same.
std::string almost_named(const std::vector<ClassFolder>& folders, const std::string& split,
                         const std::string& name) {
  std::vector<std::string_view> names;
  for (const ClassFolder& folder : folders) {
    if (folder.split == split) names.push_back(folder.name);
  }
  const std::string_view near = nearest(name, names);
  if (near.empty()) return "";
  return fmt::format(" (it has '{}', of {} bytes, not {}; names must be the same byte by byte)",
                     near, near.size(), name.size());
}

// A sentence on names that are not UTF-8; "" where all are.
std::string note_of_bytes(const FileTable& files) {
  std::size_t count = 0;
  for (std::size_t f = 0; f < files.size(); ++f) count += is_utf8(files.name(f)) ? 0U : 1U;
  if (count == 0) return "";
  return fmt::format(
      "The paths of {} are not UTF-8: their other bytes are stored and shown as \\xNN. To rename "
      "them from Latin-1: convmv -f latin1 -t utf-8 -r --notest FOLDER",
      counted(count, "file"));
}

}  // namespace

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
  OtherFiles others;
  SystemFolders system;
  system.add_below(root);
  for (const std::string& split : splits) {
    if (!split.empty()) {
      for (const fs::path& top : folders_in(root)) {
        if (split_of(top) == split) system.add_below(top);
      }
    }
    for (std::size_t c = 0; c < list.classes.size(); ++c) {
      const auto folder = std::find_if(folders.begin(), folders.end(), [&](const ClassFolder& f) {
        return f.split == split && f.name == list.classes[c];
      });
      if (folder == folders.end()) {
        throw InputError(root.string() + ": class '" + list.classes[c] + "' has no folder in " +
                         (split.empty() ? "the source" : "the " + split + " split") +
                         "; every split needs every class" +
                         almost_named(folders, split, list.classes[c]));
      }
      const std::size_t before = list.files.size();
      add_image_files(root, folder->path, static_cast<std::int64_t>(c), split, list.files, others,
                      system, list.losses);
      if (list.files.size() == before) {
        throw InputError(folder->path.string() +
                         ": has no image files (.jpg, .jpeg, .png, .tif, .tiff, or DICOM); convert "
                         "others to PNG, or move the folder out of the source");
      }
      const std::string above = folder->path.lexically_relative(root).string() + "/";
      for (std::string& note : class_folder_notes(list.files, before, list.files.size(), above)) {
        list.notes.push_back(std::move(note));
      }
    }
  }
  if (list.classes.size() < 2) {
    throw InputError(root.string() + ": has one class only ('" + list.classes[0] +
                     "'); a classifier needs at least two class folders");
  }
  if (const std::string note = note_of_bytes(list.files); !note.empty()) {
    list.notes.push_back(note);
  }
  if (const std::string note = others.note(); !note.empty()) list.notes.push_back(note);
  if (const std::string note = system.note(); !note.empty()) list.notes.push_back(note);
  note_files_between(root, folders, list.notes);
  return list;
}

}  // namespace bioptic
