#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/data/source.h"

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

std::string_view split_of(const std::string& folder) {
  for (const SplitName& name : kSplitNames) {
    if (name.folder == folder) return name.split;
  }
  return {};
}

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
  std::erase_if(found, [](const fs::path& path) { return !fs::is_directory(path); });
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
        std::vector<std::string_view> known;
        for (const SplitName& name : kSplitNames) known.push_back(name.folder);
        throw InputError(folder.string() + ": stands beside split folders but names no split" +
                         suggestion(folder.filename().string(), known));
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

// Image files below a class folder, sorted; counts the files of other kinds.
std::vector<fs::path> image_files(const fs::path& folder, std::size_t& others) {
  std::vector<fs::path> files;
  std::error_code error;
  // Links to folders are not followed, so a loop of links cannot be entered.
  for (auto it = fs::recursive_directory_iterator(folder, error);
       !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (hidden(it->path())) {
      if (it->is_directory()) it.disable_recursion_pending();
      continue;
    }
    if (it->is_directory()) continue;
    if (is_image_name(it->path())) {
      files.push_back(it->path());
    } else {
      ++others;
    }
  }
  if (error) throw InputError(folder.string() + ": cannot be read: " + error.message());
  std::sort(files.begin(), files.end());
  return files;
}

class FolderSource : public ImageSource {
 public:
  FolderSource(fs::path root, std::int64_t max_pixels)
      : root_(std::move(root)), max_pixels_(max_pixels) {
    kind = "class folders";
    const std::vector<ClassFolder> folders = class_folders(root_);
    std::set<std::string> names, splits;
    for (const ClassFolder& folder : folders) {
      names.insert(folder.name);
      splits.insert(folder.split);
    }
    classes.assign(names.begin(), names.end());
    std::size_t others = 0;
    for (const std::string& split : splits) {
      for (std::size_t c = 0; c < classes.size(); ++c) {
        const auto folder = std::find_if(folders.begin(), folders.end(), [&](const ClassFolder& f) {
          return f.split == split && f.name == classes[c];
        });
        if (folder == folders.end()) {
          throw InputError(root_.string() + ": class '" + classes[c] + "' has no folder in " +
                           (split.empty() ? "the source" : "the " + split + " split") +
                           "; every split needs every class");
        }
        const std::vector<fs::path> files = image_files(folder->path, others);
        if (files.empty()) {
          throw InputError(folder->path.string() +
                           ": has no image files (.jpg, .jpeg, .png, .tif, .tiff); remove the "
                           "folder or add images");
        }
        for (const fs::path& file : files) {
          files_.push_back(
              {file.lexically_relative(root_).string(), static_cast<std::int64_t>(c), split});
        }
      }
    }
    if (classes.size() < 2) {
      throw InputError(root_.string() + ": has one class only ('" + classes[0] +
                       "'); a classifier needs at least two class folders");
    }
    if (others > 0) {
      notes.push_back(std::to_string(others) +
                      " files that are not JPEG, PNG or TIFF by their names were left out.");
    }
  }

  std::size_t size() const override { return files_.size(); }
  SourceItem item(std::size_t i) const override { return files_[i]; }
  ImageHeader header(std::size_t i) const override {
    return read_image_header(root_ / files_[i].name, max_pixels_);
  }
  Image load(std::size_t i) const override {
    return decode_image(root_ / files_[i].name, max_pixels_);
  }

 private:
  fs::path root_;
  std::int64_t max_pixels_;
  std::vector<SourceItem> files_;
};

}  // namespace

std::unique_ptr<ImageSource> open_folder(const fs::path& folder, std::int64_t max_pixels) {
  return std::make_unique<FolderSource>(folder, max_pixels);
}

std::vector<fs::path> folder_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::size_t others = 0;
  for (const ClassFolder& inner : class_folders(folder)) {
    for (const fs::path& file : image_files(inner.path, others)) {
      files.push_back(file.lexically_relative(folder));
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace bioptic
