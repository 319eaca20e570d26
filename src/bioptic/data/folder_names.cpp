#include "bioptic/data/folder_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <unordered_set>

#include "bioptic/base/counted.h"
#include "bioptic/data/warning.h"

namespace bioptic {
namespace {

constexpr std::array<std::string_view, 14> kSystem = {"@eadir",      "@tmp",
                                                      "#recycle",    "#snapshot",
                                                      "@recycle",    "@recently-snapshot",
                                                      "__macosx",    "$recycle.bin",
                                                      "recycler",    "system volume information",
                                                      "lost+found",  "thumbs.db",
                                                      "ehthumbs.db", "desktop.ini"};

// What a mask's name ends in, before its ending, beside the name of its image.
constexpr std::array<std::string_view, 6> kMaskEnds = {"_mask",         "-mask", "_seg",
                                                       "_segmentation", "_gt",   "_annotation"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// Names of folders that can be told: any other may be a person's.
bool is_plain(std::string_view folder) {
  constexpr std::array<std::string_view, 10> kPlain = {
      "",      "images", "image",  "imgs",        "img",
      "masks", "mask",   "labels", "annotations", "segmentations"};
  return std::find(kPlain.begin(), kPlain.end(), lower(folder)) != kPlain.end();
}

// Without the ending of the last part.
std::string_view stem(std::string_view name) {
  const std::size_t slash = name.rfind('/'), point = name.rfind('.');
  const bool ends =
      point != std::string_view::npos && (slash == std::string_view::npos || point > slash + 1);
  return ends ? name.substr(0, point) : name;
}

// "x" of "x_mask", "" where the name is not one of a mask.
std::string_view image_of_mask(std::string_view stem_of_name) {
  const std::string word = lower(stem_of_name);
  for (const std::string_view end : kMaskEnds) {
    if (word.size() > end.size() && word.ends_with(end)) {
      return stem_of_name.substr(0, stem_of_name.size() - end.size());
    }
  }
  return {};
}

}  // namespace

bool is_system_name(std::string_view name) {
  const std::string word = lower(name);
  return std::find(kSystem.begin(), kSystem.end(), word) != kSystem.end();
}

std::vector<std::string> class_folder_notes(const FileTable& files, std::size_t first,
                                            std::size_t last, std::string_view above) {
  constexpr std::size_t kShown = 4;
  std::unordered_set<std::string_view> stems;
  std::map<std::string_view, std::size_t> by_folder;  // below the class folder; "" = directly in it
  for (std::size_t i = first; i < last; ++i) {
    stems.insert(stem(files.name(i)));
    const std::string_view rest = files.name(i).substr(above.size());
    const std::size_t slash = rest.find('/');
    ++by_folder[slash == std::string_view::npos ? std::string_view() : rest.substr(0, slash)];
  }
  std::size_t masks = 0;
  std::string_view mask;
  for (std::size_t i = first; i < last; ++i) {
    const std::string_view image = image_of_mask(stem(files.name(i)));
    if (image.empty() || !stems.contains(image)) continue;
    if (masks++ == 0 && !files.dicom(i)) mask = files.name(i);
  }
  std::vector<std::string> notes;
  const std::string folder(above.substr(0, above.empty() ? 0 : above.size() - 1));
  if (masks > 0) {
    notes.push_back(
        fmt::format("{}{} in {} {} imported as {}{}. Keep masks outside the class folders.",
                    kWarning, counted(masks, "file"), folder,
                    masks == 1 ? "looks like the mask of an image beside it and is"
                               : "look like masks of images beside them and are",
                    masks == 1 ? "an image" : "images",
                    mask.empty() ? "" : "; the first is " + std::string(mask)));
  }
  if (by_folder.size() > 1) {
    std::string counts;
    std::size_t shown = 0;
    const bool plain = std::all_of(by_folder.begin(), by_folder.end(),
                                   [](const auto& of) { return is_plain(of.first); });
    for (const auto& [name, n] : by_folder) {
      if (shown++ == kShown) break;
      if (!counts.empty()) counts += ", ";
      if (plain)
        counts += std::string(name.empty() ? std::string_view("directly in it") : name) + " ";
      counts += std::to_string(n);
    }
    if (by_folder.size() > kShown) counts += ", ...";
    notes.push_back(fmt::format("{}The images of {} lie in {}, and all are of that class: {}.",
                                by_folder.size() <= kShown ? kWarning : "", folder,
                                counted(by_folder.size(), "folder"), counts));
  }
  return notes;
}

}  // namespace bioptic
